"""What must not come apart on a page: names and addresses that people chose, words of commands."""

from __future__ import annotations

import re
from typing import Final

from flask import Flask
from markupsafe import Markup

# So many letters have room on one line of a narrow telephone, even of a heading.
SHORT: Final = 20
_BEHIND: Final = re.compile(r"(?<=[@.])(?=.)")


def install(portal: Flask) -> None:
    """Give them to templates as filters."""
    portal.jinja_env.filters["bdi"] = bdi
    portal.jinja_env.filters["address"] = address
    portal.jinja_env.filters["whole_words"] = whole_words


def bdi(untrusted_name: str) -> Markup:
    """Return a name that leaves its sentence in order, in whatever direction it is written."""
    return Markup("<bdi>{}</bdi>").format(untrusted_name)


def address(untrusted_address: str) -> Markup:
    """Return a mail address, a host or several; a narrow page breaks long ones at @ and dots."""
    each = untrusted_address.split(" ")
    return bdi(Markup(" ").join(_breakable(one) if len(one) > SHORT else one for one in each))


def whole_words(command: str) -> Markup:
    """Return a command that breaks at its spaces only: a browser would also do so at hyphens."""
    words = (Markup('<span class="whole">{}</span>').format(word) for word in command.split(" "))
    return Markup(" ").join(words)


def _breakable(word: str) -> Markup:
    return Markup("<wbr>").join(_BEHIND.split(word))
