"""A made-up translation of every text: marked at both ends, and written from right to left."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from flask import Flask
from flask_babel import get_babel

from app import ROOT

# A real language's name, since its rules for numbers and direction are needed.
LANGUAGE = "ar"
OPEN, CLOSE = "⟦", "⟧"
METHODS = [("app/**.py", "python"), ("templates/**.html", "jinja2")]


def translate(portal: Flask, folder: Path) -> None:
    """Give a portal the made-up translation beside its own."""
    catalogue = Catalog(locale=LANGUAGE)
    keywords = {**DEFAULT_KEYWORDS, "lazy_gettext": None, "lazy_ngettext": (1, 2)}
    for part in ("app", "templates"):
        for _, _, message, _, _ in extract_from_dir(
            ROOT / part,
            [(pattern.partition("/")[2], method) for pattern, method in METHODS],
            keywords=keywords,
        ):
            catalogue.add(message, string=_marked(message, catalogue.num_plurals))
    target = folder / LANGUAGE / "LC_MESSAGES"
    target.mkdir(parents=True)
    with (target / "messages.mo").open("wb") as stream:
        write_mo(stream, catalogue)
    # There is one folder of translations in a portal, and in this one it is the made-up one.
    babel = get_babel(portal)
    babel.translation_directories[:] = [str(folder)]


def unmarked(html: str) -> list[str]:
    """Return what a page shows outside of marks: data, or text that nobody can translate."""
    reader = _Reader()
    # An address is one piece of data, wherever a narrow page may break it.
    reader.feed(html.replace("<wbr>", ""))
    return [text for text in reader.found if text]


class _Reader(HTMLParser):
    """Collects visible text outside of marks, and outside of what is never translated."""

    SILENT = frozenset({"script", "style", "code", "time"})
    ATTRIBUTES = frozenset({"title", "aria-label", "placeholder", "alt"})

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._silent = 0
        self._depth = 0
        self._tags: list[bool] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag in {"input", "link", "meta", "br", "use"}:
            return
        is_silent = tag in self.SILENT or named.get("translate") == "no"
        self._tags.append(is_silent)
        self._silent += is_silent
        for name in self.ATTRIBUTES & named.keys():
            if not self._silent:
                self._add(named[name] or "")

    def handle_endtag(self, tag: str) -> None:
        if tag not in {"input", "link", "meta", "br", "use"}:
            self._silent -= self._tags.pop()

    def handle_data(self, data: str) -> None:
        if not self._silent:
            # A sentence may go on behind an element, such as a time, that stands in it.
            self._depth = self._add(data, self._depth)

    def _add(self, text: str, depth: int = 0) -> int:
        """Keep what is outside of marks; returns how many marks are still open."""
        outside = []
        for letter in text:
            depth += letter == OPEN
            if depth == 0:
                outside.append(letter)
            depth -= letter == CLOSE
        self.found += [part.strip(" \n,./") for part in "".join(outside).split("·")]
        return depth


def _marked(message: str | tuple[str, ...], plurals: int) -> str | tuple[str, ...]:
    if isinstance(message, str):
        return f"{OPEN}{message}{CLOSE}"
    return tuple(f"{OPEN}{message[1]}{CLOSE}" for _ in range(plurals))
