"""How symbols of a typed code are said, so that nobody on the telephone mistakes one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from flask_babel import LazyString, lazy_gettext

# The alphabet of radio and aviation; a translation takes what its own telephones use.
WORDS: Final = {
    "0": lazy_gettext("zero"),
    "1": lazy_gettext("one"),
    "2": lazy_gettext("two"),
    "3": lazy_gettext("three"),
    "4": lazy_gettext("four"),
    "5": lazy_gettext("five"),
    "6": lazy_gettext("six"),
    "7": lazy_gettext("seven"),
    "8": lazy_gettext("eight"),
    "9": lazy_gettext("nine"),
    "A": lazy_gettext("Alfa"),
    "B": lazy_gettext("Bravo"),
    "C": lazy_gettext("Charlie"),
    "D": lazy_gettext("Delta"),
    "E": lazy_gettext("Echo"),
    "F": lazy_gettext("Foxtrot"),
    "G": lazy_gettext("Golf"),
    "H": lazy_gettext("Hotel"),
    "J": lazy_gettext("Juliett"),
    "K": lazy_gettext("Kilo"),
    "M": lazy_gettext("Mike"),
    "N": lazy_gettext("November"),
    "P": lazy_gettext("Papa"),
    "Q": lazy_gettext("Quebec"),
    "R": lazy_gettext("Romeo"),
    "S": lazy_gettext("Sierra"),
    "T": lazy_gettext("Tango"),
    "V": lazy_gettext("Victor"),
    "W": lazy_gettext("Whiskey"),
    "X": lazy_gettext("X-ray"),
    "Y": lazy_gettext("Yankee"),
    "Z": lazy_gettext("Zulu"),
}


def spelled(code: str) -> Sequence[Sequence[tuple[str, LazyString]]]:
    """Return the groups of a code, each symbol with the word for it."""
    return [[(symbol, WORDS[symbol]) for symbol in group] for group in code.split("-")]
