"""The words of a mail: a text template for each kind, in the language of whoever reads it."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from babel import Locale, UnknownLocaleError, negotiate_locale
from babel.dates import format_datetime
from babel.support import NullTranslations, Translations
from jinja2 import Environment, FileSystemLoader

from app import ROOT
from app.clock import as_datetime
from app.outbox.kinds import MailKind

SOURCE: Final = "en"
WIDTH: Final = 72
MOST_LETTERS: Final = 200
TRANSLATIONS: Final = ROOT / "app" / "translations"
_TEMPLATES: Final = ROOT / "templates" / "mail"
_BIDI_CONTROLS: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_RIGHT_TO_LEFT: Final = frozenset({"R", "AL", "AN"})
# Facts in the words of whoever wrote them, who may want them to lead a reader elsewhere, and how
# many letters of each are shown.
_WORDS: Final = {"device": 60, "name": 100, "by": 100, "reason": MOST_LETTERS}
# What mail programs make links of: a dot before a letter, and what stands behind a scheme.
_LINKING: Final = re.compile(r"(?<=\w)([.\u3002\uff0e\uff61])(?=[^\W\d_])|(?<=[^\W\d_])(:)(?=\S)")
# First strong isolate, and its end: what <bdi> is to a page.
_ISOLATE: Final = "\u2068"
_END: Final = "\u2069"


@dataclass(frozen=True)
class Letter:
    """A subject on one line, and the text under it."""

    subject: str
    # It may have a code in it.
    body: str = field(repr=False)


def write(
    kind: MailKind,
    facts: Mapping[str, str | int],
    *,
    language: str | None,
    service: str,
    portal: str,
    folder: Path = TRANSLATIONS,
) -> Letter:
    """Write the mail of a kind from its facts; ``portal`` is the origin that its links lead to."""
    locale = _locale(language, folder)
    environment = _environment(str(locale), folder)
    is_mirrored = locale.text_direction == "rtl"
    shown = {name: _shown(name, fact, is_mirrored) for name, fact in facts.items()}
    text = environment.get_template(f"{kind.value}.txt").render(
        **{**shown, "service_name": _one_line(service), "portal": portal}
    )
    subject, _, body = text.strip().partition("\n")
    return Letter(_one_line(subject), _filled(body))


def _shown(name: str, fact: str | int, is_mirrored: bool) -> str | int:
    """Return a fact that stays on one line and leaves its sentence in order."""
    if isinstance(fact, int):
        return fact
    text = _one_line(fact)
    if name in _WORDS:
        text = _unlinked(_cut(text, _WORDS[name]))
    turns = any(unicodedata.bidirectional(each) in _RIGHT_TO_LEFT for each in text)
    return f"{_ISOLATE}{text}{_END}" if turns or (is_mirrored and text) else text


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def _unlinked(text: str) -> str:
    """Return the words with a blank wherever a mail program would see an address of the web."""
    return _LINKING.sub(lambda found: f"{found[0]} ", text)


def _one_line(text: str) -> str:
    """Return the text without line breaks, control characters and changes of direction."""
    plain = _BIDI_CONTROLS.sub("", text)
    kept = (" " if unicodedata.category(each) in {"Cc", "Zl", "Zp"} else each for each in plain)
    return " ".join("".join(kept).split())[:MOST_LETTERS]


def _filled(body: str) -> str:
    """Wrap what is longer than a line; blank lines between paragraphs become one."""
    wrapper = textwrap.TextWrapper(WIDTH, break_long_words=False, break_on_hyphens=False)
    lines = ["\n".join(wrapper.wrap(line)) for line in body.strip().splitlines()]
    return re.sub("\n{3,}", "\n\n", "\n".join(lines)) + "\n"


def _locale(language: str | None, folder: Path) -> Locale:
    there = [SOURCE, *(path.parent.parent.name for path in folder.glob("*/LC_MESSAGES/*.mo"))]
    wanted = (language or SOURCE).replace("-", "_")
    try:
        return Locale.parse(negotiate_locale([wanted], there) or SOURCE)
    except (ValueError, UnknownLocaleError):
        return Locale.parse(SOURCE)


@lru_cache(maxsize=64)
def _environment(language: str, folder: Path) -> Environment:
    translations = Translations.load(folder, [language])
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        extensions=["jinja2.ext.i18n"],
        autoescape=False,  # noqa: S701  # plain text: what HTML would escape is read as it is
    )
    _install(environment, translations)
    locale = Locale.parse(language)

    def when(moment: int) -> str:
        return f"{format_datetime(as_datetime(moment), 'd MMMM y HH:mm', locale=locale)} UTC"

    def services(names: str) -> str:
        words = {"mail": "Mail", "contacts": "Contacts", "calendar": "Calendar"}
        each = (translations.gettext(words[name]) for name in words if name in names)
        return ", ".join(each) or names

    environment.filters["when"] = when
    environment.filters["services"] = services
    # The words of app.words_for_people, in the language of the letter.
    roles = {
        "owner": "owner of this service",
        "administrator": "administrator",
        "customer-care": "customer care",
        "auditor": "auditor",
    }

    def role(name: str) -> str:
        plain = name.strip(_ISOLATE + _END)
        return str(translations.gettext(roles.get(plain, plain)))

    environment.filters["role"] = role
    return environment


def _install(environment: Any, translations: NullTranslations) -> None:
    # The extension adds this method, which the type of an environment does not know.
    environment.install_gettext_translations(translations, newstyle=True)
