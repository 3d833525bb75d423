"""An audit of some entries, sealed; and an attacker who owns the database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, text

from app import audit
from app.audit import Act
from app.auditing.sealing import seal
from app.auditing.verifying import Report, verify
from app.clock import MINUTE, FixedClock
from app.database import Database
from app.keystore.key_sets import init_keys
from app.keystore.provider import FileKeyProvider, KeyKind
from app.keystore.rings import KeyRing, SigningKeys
from tests.app.service_fixtures import Entropy


@dataclass
class House:
    """A database, the audit's keys and the heads file."""

    database: Database
    clock: FixedClock
    provider: FileKeyProvider
    heads: Path
    written: int = 0

    @classmethod
    def build(cls, database: Database, clock: FixedClock, folder: Path) -> House:
        """Make the keys."""
        provider = FileKeyProvider(folder / "keys")
        init_keys(
            provider,
            issuer="https://portal.example.test",
            exchange_url="http://exchange.example.test",
            now=clock.now(),
            entropy=Entropy("audit"),
        )
        return cls(database, clock, provider, folder / "audit-heads.log")

    def write(self, count: int = 1) -> None:
        """Add entries about a person."""
        with self.database.write() as session:
            for _ in range(count):
                self.written += 1
                audit.record(
                    session,
                    at=self.clock.now(),
                    actor="staff:ada",
                    act=Act.KEY_REVOKED,
                    subject="ann",
                    target=f"key-{self.written}",
                    detail={"reason": f"lost {self.written}"},
                )

    def seal(self, *, everything: bool = False) -> int:
        """Link a batch."""
        now = self.clock.now()
        key = SigningKeys(KeyRing(self.provider, KeyKind.AUDIT)).current(now)
        return seal(self.database, self.heads, key, now=now, everything=everything)

    def verify(self, *, heads: bool = True) -> Report:
        """Compute everything again, some time later."""
        keys = self.provider.load(KeyKind.AUDIT)
        path = self.heads if heads else None
        return verify(self.database, keys, heads=path, now=self.clock.now() + 2 * MINUTE)

    def wrong(self, *, heads: bool = True) -> list[tuple[str, int | None]]:
        """Return what is wrong and where."""
        return [(fault.wrong.name, fault.position) for fault in self.verify(heads=heads).faults]

    def tamper(self, *statements: str) -> None:
        """Change rows as somebody does who owns the database."""
        with self.broken_into() as connection:
            for statement in statements:
                connection.execute(text(statement))

    @contextmanager
    def broken_into(self) -> Iterator[Connection]:
        """Yield a connection of whoever owns the database: no trigger, reference or check holds."""
        with self.database.engine.connect() as connection:
            if self.database.is_sqlite:
                driver = connection.connection
                driver.execute("PRAGMA foreign_keys=OFF")
                driver.execute("PRAGMA ignore_check_constraints=ON")
                found = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
                for (name,) in driver.execute(found).fetchall():
                    driver.execute(f"DROP TRIGGER {name}")
            else:
                connection.execute(text("SET LOCAL session_replication_role = replica"))
                connection.execute(text("ALTER TABLE audit DROP CONSTRAINT ck_audit_id"))
            yield connection
            if not self.database.is_sqlite:
                # The tables are there for other tests as well.
                check = "ADD CONSTRAINT ck_audit_id CHECK (id > 0) NOT VALID"
                connection.execute(text(f"ALTER TABLE audit {check}"))
            connection.commit()
            if self.database.is_sqlite:
                connection.connection.execute("PRAGMA foreign_keys=ON")
                connection.connection.execute("PRAGMA ignore_check_constraints=OFF")

    def ids(self) -> Sequence[int]:
        """Return the numbers of the entries, in order."""
        with self.database.read_connection() as connection:
            return connection.execute(text("SELECT id FROM audit ORDER BY id")).scalars().all()
