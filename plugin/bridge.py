"""Who the browser's side of the bridge is: known to the native host and to what registers it."""

from typing import Final

HOST_NAME: Final = "org.handfast.host"
# The first half of SHA-256 over the public key in the extension's manifest, in letters a to p.
EXTENSION_ID: Final = "kpnemagoolhpaggiahldehleoihgldpp"
EXTENSION_ORIGIN: Final = f"chrome-extension://{EXTENSION_ID}/"
