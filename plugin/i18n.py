"""Text for people goes through gettext: domain `handfast`, catalogues in `plugin/locale`."""

import gettext
from pathlib import Path
from typing import Final

DOMAIN: Final = "handfast"
LOCALE_DIR: Final = Path(__file__).parent / "locale"

_translations = gettext.translation(DOMAIN, str(LOCALE_DIR), fallback=True)

_ = _translations.gettext
ngettext = _translations.ngettext
