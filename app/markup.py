"""Names and addresses that other people chose, made ready to stand in the sentences of a page."""

from __future__ import annotations

import re
from typing import Final

from flask import Flask
from markupsafe import Markup

_BEHIND: Final = re.compile(r"(?<=[@.])(?=.)")


def install(portal: Flask) -> None:
    """Give templates both as filters."""
    portal.jinja_env.filters["bdi"] = bdi
    portal.jinja_env.filters["address"] = address


def bdi(untrusted_name: str) -> Markup:
    """Return a name that leaves its sentence in order, in whatever direction it is written."""
    return Markup("<bdi>{}</bdi>").format(untrusted_name)


def address(untrusted_address: str) -> Markup:
    """Return a mail address, a host or several, which a narrow page breaks behind @ and dots."""
    return bdi(Markup("<wbr>").join(_BEHIND.split(untrusted_address)))
