"""Long lists come in pages: a limit, and a cursor that says after which thing to go on.

The next page's address stands in the answer's Link header (RFC 8288).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlencode

from flask import g, request

from app.api.problems import ProblemError

if TYPE_CHECKING:
    from werkzeug.datastructures import MultiDict

T = TypeVar("T")
MOST: Final = 100
USUAL: Final = 50
MOST_FILTER: Final = 100
# What no database refuses to compare: NUL, for one, is refused by PostgreSQL.
CURSOR: Final = "[!-~]{1,1200}"


@dataclass(frozen=True)
class Asked:
    """Which page was asked for: after which thing, how long, and of which things only."""

    after: str | None
    limit: int
    filters: Mapping[str, str] = field(default_factory=dict)


def read_asked(untrusted: MultiDict[str, str], filters: Sequence[str] = ()) -> Asked:
    """Read ``cursor``, ``limit`` and what else an operation takes, or raise ProblemError."""
    if not set(untrusted) <= {"cursor", "limit", *filters} or any(
        len(untrusted.getlist(name)) > 1 for name in untrusted
    ):
        raise ProblemError("malformed", "unknown or repeated query")
    text = untrusted.get("limit", str(USUAL))
    plain = text.isascii() and text.isdecimal() and len(text) <= len(str(MOST))
    if not plain or not 1 <= int(text) <= MOST:
        raise ProblemError("malformed", f"limit is a whole number from 1 to {MOST}")
    chosen = [name for name in filters if name in untrusted]
    cursor = untrusted.get("cursor")
    if cursor is not None and not re.fullmatch(CURSOR, cursor):
        raise ProblemError("malformed", "this is no cursor")
    return Asked(cursor, int(text), {name: _filter(untrusted[name]) for name in chosen})


def page_of(things: Sequence[T], asked: Asked, name: Callable[[T], str]) -> Sequence[T]:
    """Return one page of a whole list, and note the next one for the answer."""
    begin = 0
    if asked.after is not None:
        places = {name(thing): place for place, thing in enumerate(things)}
        if asked.after not in places:
            raise ProblemError("unknown-cursor")
        begin = places[asked.after] + 1
    return cut(things[begin:], asked, name)


def _filter(untrusted: str) -> str:
    if not 1 <= len(untrusted) <= MOST_FILTER:
        raise ProblemError("malformed", f"a filter has 1 to {MOST_FILTER} letters")
    return untrusted


def cut(things: Sequence[T], asked: Asked, name: Callable[[T], str]) -> Sequence[T]:
    """Return the first page of what is left of a list, and note the next one for the answer."""
    shown = things[: asked.limit]
    if len(things) > asked.limit:
        next_page(asked, name(shown[-1]))
    return shown


def next_page(asked: Asked, cursor: str) -> None:
    """Note the next page for the answer."""
    query = {"limit": asked.limit, **asked.filters, "cursor": cursor}
    g.next_page = f"{request.path}?{urlencode(query)}"
