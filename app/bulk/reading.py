"""Read a list of people from CSV: bytes that anybody may have made, line by line.

One line of text is one line of the list: nothing in it may contain a line break, so an open quote
spoils its own line and no other. What is wrong with the list as a whole raises ListError; what is
wrong with a line goes with that line.
"""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import IO, Any, Final

from app.bulk import spreadsheets
from app.bulk.problems import Found, Problem

MOST_LINES: Final = 100_000
# Of one line, in octets.
LONGEST: Final = 4096
MOST_COLUMNS: Final = 50
DELIMITERS: Final = (",", ";", "\t")
COLUMNS: Final = ("address", "name", "services", "groups", "language")
# What our own export says beside that; it is not read.
FURTHER: Final = ("id", "state", "added")
_BOM: Final = b"\xef\xbb\xbf"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


class Fault(StrEnum):
    """What is wrong with a list as a whole."""

    EMPTY = "empty"
    UTF16 = "utf-16"
    HEADER = "header"
    NO_ADDRESS = "no-address"
    UNKNOWN_COLUMN = "unknown-column"
    REPEATED_COLUMN = "repeated-column"
    TOO_MANY = "too-many"
    NO_LINES = "no-lines"


class ListError(Exception):
    """This is no list that can be taken; ``about`` names the column, where there is one."""

    def __init__(self, fault: Fault, about: str = "") -> None:
        super().__init__(fault)
        self.fault = fault
        self.about = about


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it came; ``number`` counts from 1, the header included."""

    number: int
    address: str = ""
    name: str = ""
    services: str = ""
    groups: str = ""
    language: str = ""
    problems: tuple[Found, ...] = ()


def read_list(untrusted: IO[bytes]) -> Iterator[Line]:
    """Yield the lines after the header, empty ones left out; raise ListError."""
    delimiter, columns = _read_header(_read_line(untrusted))
    count, number = 0, 1
    while (octets := _read_line(untrusted)) is not None:
        number += 1
        if not octets.strip(b" \t\r\n,;"):
            continue
        count += 1
        if count > MOST_LINES:
            raise ListError(Fault.TOO_MANY)
        yield _line(number, octets, delimiter, columns)
    if not count:
        raise ListError(Fault.NO_LINES)


def _read_line(untrusted: IO[bytes]) -> bytes | None:
    """Return one line, cut where it is too long, its rest skipped; None at the end."""
    octets = untrusted.readline(LONGEST + 1)
    if not octets:
        return None
    rest = octets
    while len(rest) > LONGEST and not rest.endswith(b"\n"):
        rest = untrusted.readline(LONGEST + 1)
    return octets


def _read_header(octets: bytes | None) -> tuple[str, tuple[str, ...]]:
    """Return the delimiter and the names of the columns."""
    if octets is None:
        raise ListError(Fault.EMPTY)
    if octets.startswith(_UTF16) or b"\0" in octets:
        raise ListError(Fault.UTF16)
    try:
        text = octets.removeprefix(_BOM).decode().rstrip("\r\n")
        if len(octets) > LONGEST or _has_control(text.replace("\t", " ")):
            raise ListError(Fault.HEADER)
        delimiter = max(DELIMITERS, key=text.count)
        names = tuple(name.strip().lower() for name in _split(text, delimiter))
    except (UnicodeDecodeError, csv.Error):
        raise ListError(Fault.HEADER) from None
    for name in names:
        if name not in (*COLUMNS, *FURTHER):
            raise ListError(Fault.UNKNOWN_COLUMN, name[:100])
        if names.count(name) > 1:
            raise ListError(Fault.REPEATED_COLUMN, name)
    if "address" not in names:
        raise ListError(Fault.NO_ADDRESS)
    return delimiter, names


def _line(number: int, octets: bytes, delimiter: str, columns: tuple[str, ...]) -> Line:
    if len(octets.rstrip(b"\r\n")) > LONGEST:
        return Line(number, problems=(Found(Problem.TOO_LONG),))
    try:
        text = octets.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        return Line(number, problems=(Found(Problem.NOT_UTF8),))
    if _has_control(text.replace("\t", " ") if delimiter == "\t" else text):
        return Line(number, problems=(Found(Problem.CONTROL),))
    try:
        values = _split(text, delimiter)
    except csv.Error:
        return Line(number, problems=(Found(Problem.QUOTES),))
    # Spreadsheets write the cells to the right of the table, too.
    if any(values[len(columns) :]) or len(values) > MOST_COLUMNS:
        return Line(number, problems=(Found(Problem.COLUMNS),))
    cells: dict[str, Any] = {
        name: spreadsheets.read_cell(value).strip()
        for name, value in zip(columns, values, strict=False)
        if name in COLUMNS
    }
    return Line(number, **cells)


def _split(text: str, delimiter: str) -> list[str]:
    return next(csv.reader([text], delimiter=delimiter, strict=True), [])


def _has_control(text: str) -> bool:
    """Tell whether something in it cannot be seen: controls, and marks that turn text around."""
    return not text.isprintable() and any(_is_hidden(letter) for letter in text)


def _is_hidden(letter: str) -> bool:
    # Unassigned and private ones too: nobody knows how they look. Joiners shape letters in names.
    return unicodedata.category(letter)[0] == "C" and letter not in "\u200c\u200d"
