"""Rows that are made before they are written, in files that nobody else can open.

While a list's rows are being made nobody waits for them; and a hundred thousand lines are more than
a process should keep in its memory.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import IO, Any, Final, Self

import msgspec

_LENGTH: Final = 4


class Shelf:
    """Rows by table; a table's rows come back in portions, in the order in which they were put."""

    def __init__(self, tables: Sequence[str]) -> None:
        self._open = ExitStack()
        self._files: Final[dict[str, IO[bytes]]] = {
            table: self._open.enter_context(tempfile.TemporaryFile())  # noqa: SIM115  # it is one
            for table in tables
        }

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Drop everything."""
        self._open.close()

    def put(self, rows: Mapping[str, Sequence[Sequence[Any]]]) -> None:
        """Add a portion of rows to each table."""
        for table, portion in rows.items():
            octets = msgspec.msgpack.encode(portion)
            self._files[table].write(len(octets).to_bytes(_LENGTH, "big") + octets)

    def portions(self, table: str) -> Iterator[list[list[Any]]]:
        """Yield the portions of a table."""
        file = self._files[table]
        file.seek(0)
        while prefix := file.read(_LENGTH):
            yield msgspec.msgpack.decode(file.read(int.from_bytes(prefix, "big")))
