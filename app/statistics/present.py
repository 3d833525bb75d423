"""What there is at present, counted by the worker now and then: no page waits for that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Table,
    case,
    delete,
    func,
    insert,
    literal,
    select,
    true,
    update,
)

from app.activation.status import is_awaited
from app.clock import MINUTE, SECOND
from app.database import Database
from app.models import (
    Activation,
    CountingState,
    Device,
    DeviceState,
    KeyState,
    Person,
    PresentCount,
    ServiceKey,
)
from app.statistics.counting import ROW
from app.statistics.names import (
    DISABLED,
    ENABLED,
    KEY_AGES,
    LONGER,
    OTHER,
    PLATFORMS,
    WAITING_AGES,
    Bounds,
    Present,
)

EVERY: Final = 5 * MINUTE
# A small installation is counted at once, and watched by somebody who tries it out.
SOON: Final = 15 * SECOND
SMALL: Final = 10_000
_PRESENT: Final = cast("Table", PresentCount.__table__)
_STATE: Final = cast("Table", CountingState.__table__)


def count_present(database: Database, *, now: int) -> None:
    """Count again what there is, unless that was done lately."""
    with database.read_connection() as connection:
        row = connection.execute(select(_STATE.c.present_at).where(_STATE.c.id == ROW)).first()
        # Before the audit was first looked at there is no row to note it in.
        if row is None:
            return
        known = connection.execute(select(func.sum(_PRESENT.c.count))).scalar() or 0
        rest = SOON if known < SMALL else EVERY
        if row.present_at is not None and now - row.present_at < rest:
            return
        counts = [
            {"what": what.value, "label": label, "count": count}
            for what, statement in _statements(now)
            for label, count in connection.execute(statement)
        ]
    with database.write_connection() as connection:
        _replace(connection, row.present_at, counts, now)


def _replace(
    connection: Connection, before: int | None, counts: Sequence[dict[str, Any]], now: int
) -> None:
    """Put the new counts in the old ones' place, unless somebody else did so meanwhile."""
    same = _STATE.c.present_at.is_(None) if before is None else _STATE.c.present_at == before
    moved = connection.execute(
        update(_STATE).where(_STATE.c.id == ROW, same).values(present_at=now)
    )
    if moved.rowcount == 1:
        connection.execute(delete(_PRESENT))
        if counts:
            connection.execute(insert(_PRESENT), list(counts))


def _statements(now: int) -> tuple[tuple[Present, Executable], ...]:
    age = _class(KEY_AGES, ServiceKey.created_at, now)
    waited = _class(WAITING_AGES, Activation.created_at, now)
    platform = case(
        *((Device.platform == name, literal(name)) for name in PLATFORMS),
        else_=literal(OTHER),
    )
    disabled = case((Person.disabled_at.is_(None), literal(ENABLED)), else_=literal(DISABLED))
    return (
        (Present.PEOPLE, _grouped(disabled, true())),
        (Present.DEVICES, _grouped(platform, Device.state == DeviceState.ACTIVE)),
        (Present.KEYS, _grouped(age, ServiceKey.state == KeyState.ACTIVE)),
        (Present.WAITING, _grouped(waited, is_awaited(Activation, now))),
    )


def _grouped(label: ColumnElement[str], *which: ColumnElement[bool]) -> Executable:
    # By its name: a database sees the values in a repeated expression as different ones.
    return select(label.label("label"), func.count()).where(*which).group_by("label")


def _class(bounds: Bounds, created_at: ColumnElement[int] | Any, now: int) -> ColumnElement[str]:
    """Return the class of a row by its age, as ``class_of`` has it."""
    return case(
        *((created_at >= now - most, literal(label)) for most, label in bounds),
        else_=literal(LONGER),
    )
