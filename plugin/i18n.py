"""Text for people goes through gettext: domain `handfast`, catalogues in `plugin/locale`."""

import gettext
import os
from pathlib import Path
from typing import Final

DOMAIN: Final = "handfast"
# Translators try a catalogue before it is shipped.
LOCALE_DIR: Final = Path(
    os.environ.get("HANDFAST_LOCALE_DIR") or Path(__file__).with_name("locale")
)

_translations = gettext.translation(DOMAIN, str(LOCALE_DIR), fallback=True)

_ = _translations.gettext
ngettext = _translations.ngettext
