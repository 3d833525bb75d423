"""What every table shares: names of constraints, types of columns, public ids."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary, MetaData, String, text
from sqlalchemy.orm import DeclarativeBase, mapped_column

from protocol.encoding import b64u

NAMING: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

# Microseconds since 1970 in UTC, from the injected clock.
Moment = Annotated[int, mapped_column(BigInteger)]
# A random public id: 16 bytes, base64url without padding.
PublicId = Annotated[str, mapped_column(String(22))]
Blob = Annotated[bytes, mapped_column(LargeBinary)]


class Base(DeclarativeBase):
    """The declarative base; Alembic compares its metadata with the migrations."""

    metadata = MetaData(naming_convention=NAMING)


def new_id(entropy: Callable[[int], bytes]) -> str:
    """Return a fresh public id."""
    return b64u(entropy(16))


def one_of(column: str, values: type) -> CheckConstraint:
    """Return the constraint that keeps a state column to the values of a StrEnum."""
    listed = ", ".join(f"'{value}'" for value in values)  # type: ignore[attr-defined]  # a StrEnum class iterates over its members
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def listed(table: str, what: str = "", condition: str = "") -> Index:
    """Return the index by which staff page through a table, or through those rows of it.

    ``app.people.paging`` reads along it, so that a page costs the same however many there are.
    """
    name = f"ix_{table}_listed_{what}" if what else f"ix_{table}_listed"
    where = text(condition) if condition else None
    return Index(name, "created_at", "id", sqlite_where=where, postgresql_where=where)
