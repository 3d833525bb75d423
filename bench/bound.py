"""The least that one activation costs the service: bare primitives and three durable commits."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from nacl import bindings

from bench.primitives import BarePrimitives

# What the three requests leave: activation and grant, run with its reply, device and key.
ROW_BYTES = (900, 3000, 1200)


@contextmanager
def least_work(folder: Path) -> Iterator[Callable[[], None]]:
    """Yield a function that does one activation's share of it."""
    bare = BarePrimitives()
    connection = sqlite3.connect(folder / "bound.sqlite3", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE row (id INTEGER PRIMARY KEY, content BLOB)")
    document = os.urandom(700)

    def activate() -> None:
        bindings.crypto_sign(document, bare.secret)
        bare.service_side()
        for size in ROW_BYTES:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO row (content) VALUES (?)", (bytes(size),))
            connection.execute("COMMIT")

    try:
        yield activate
    finally:
        connection.close()
