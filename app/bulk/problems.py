"""What can be wrong with a line of a list: codes, as they are stored with the line.

A line's problems stand under one another, each a code and, after a space, what it is about.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Problem(StrEnum):
    """What is wrong with one line."""

    NOT_UTF8 = "not-utf8"
    CONTROL = "control"
    QUOTES = "quotes"
    TOO_LONG = "too-long"
    COLUMNS = "columns"
    ADDRESS_MISSING = "address-missing"
    ADDRESS_BAD = "address-bad"
    NAME_BAD = "name-bad"
    NAME_LONG = "name-long"
    SERVICES_LONG = "services-long"
    GROUPS_LONG = "groups-long"
    SERVICE_UNKNOWN = "service-unknown"
    LANGUAGE_UNKNOWN = "language-unknown"
    GROUP_UNKNOWN = "group-unknown"
    GROUP_MISSING = "group-missing"
    # With the line of the list that has the same address.
    REPEATED = "repeated"
    SET_UP = "set-up"
    INVITED = "invited"
    COLLEAGUE = "colleague"


# A line with one of these could not be read, so nothing else is known of it.
UNREADABLE: Final = frozenset(
    {Problem.NOT_UTF8, Problem.CONTROL, Problem.QUOTES, Problem.TOO_LONG, Problem.COLUMNS}
)


@dataclass(frozen=True)
class Found:
    """One problem, and what it is about: a name as the list has it, or the number of a line."""

    problem: Problem
    about: str = ""


def write(found: Iterable[Found]) -> str | None:
    """Return problems as a line keeps them; None where there is none."""
    return "\n".join(f"{one.problem} {one.about}".rstrip() for one in found) or None


def read(kept: str | None) -> list[Found]:
    """Return the problems that a line keeps."""
    pairs = (one.partition(" ") for one in (kept or "").split("\n") if one)
    return [Found(Problem(code), about) for code, _, about in pairs]
