"""Cells for spreadsheets, which take some texts for formulas and run them.

A cell that begins like a formula gets an apostrophe before it, and so does what stands after a
separator or a quotation mark inside of a cell: a spreadsheet that expects another separator would
begin a cell there. Reading takes exactly those apostrophes away again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

# Also in the wide form of East Asian keyboards, which some spreadsheets heed alike.
_FORMULA: Final = "=+\\-@\t\r\n'|\uff1d\uff0b\uff0d\uff20"
# Some spreadsheets skip spaces there.
_BEGINS: Final = '((?:^|[,;\t\r\n"|]) *)'
_TO_WRITE: Final = re.compile(f"{_BEGINS}(?=[{_FORMULA}])")
_TO_READ: Final = re.compile(f"{_BEGINS}'(?=[{_FORMULA}])")


def write_cell(untrusted: str) -> str:
    """Return a text that no spreadsheet runs."""
    return _TO_WRITE.sub(r"\1'", untrusted)


def read_cell(untrusted: str) -> str:
    """Return what ``write_cell`` made of a text, or somebody by hand, as it was."""
    return _TO_READ.sub(r"\1", untrusted)


def write_row(cells: Iterable[str]) -> str:
    """Return one line of CSV, every cell of it in quotation marks."""
    quoted = ('"' + write_cell(cell).replace('"', '""') + '"' for cell in cells)
    return ",".join(quoted) + "\r\n"
