"""The one way in which a count grows: added to in the transaction of what is counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

from app.clock import DAY
from app.models import DailyCount

DAILY: Final = cast("Table", DailyCount.__table__)
# Day since 1970, what, label.
Key = tuple[int, str, str]


def day_of(moment: int) -> int:
    """Return the day of a moment (UTC), in days since 1970."""
    return moment // DAY


def add(connection: Connection, counts: Mapping[Key, int]) -> None:
    """Add to the counts of days, in one order for all, so that no two wait for each other."""
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    new = make(DAILY)
    statement = new.on_conflict_do_update(
        index_elements=[DAILY.c.day, DAILY.c.what, DAILY.c.label],
        set_={"count": DAILY.c.count + new.excluded.count},
    )
    for (day, what, label), count in sorted(counts.items()):
        connection.execute(statement, {"day": day, "what": what, "label": label, "count": count})
