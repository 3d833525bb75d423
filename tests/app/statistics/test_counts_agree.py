"""However the audit came about and was linked, its counts are what one gets by counting it."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from app.audit import Act, record
from app.auditing.reading import detail_of
from app.clock import DAY
from app.database import Database
from app.mailservers.causes import Cause
from app.models import AuditEntry, Base
from app.statistics import counting
from app.statistics.counting import count_audit
from tests.app.service_fixtures import NOON
from tests.app.statistics.counted import daily, seal_all

ENTRIES = st.tuples(
    st.sampled_from(
        [
            Act.ACTIVATION_REQUESTED,
            Act.DOCUMENT_ISSUED,
            Act.DEVICE_ACTIVATED,
            Act.ACTIVATION_ENDED,
            Act.SIGN_IN_FAILED,
            Act.SIGNED_IN,
            Act.KEY_ROTATED,
        ]
    ),
    st.integers(0, 3),
    st.sampled_from(["person:ann", "staff:olu", "token:gateway", "operator", "system"]),
    st.sampled_from([*Cause]),
    st.sampled_from(["ann@gmail.com", "bob@web.de", "ann@ann-smith.example"]),
)
ROUNDS = st.lists(st.lists(ENTRIES, max_size=7), max_size=6)


@settings(max_examples=30, deadline=None)
@given(rounds=ROUNDS, batch=st.integers(1, 5))
def test_counted_bit_by_bit_is_counted_at_once(
    rounds: list[list[tuple[Act, int, str, Cause, str]]], batch: int
) -> None:
    usual = counting.BATCH
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/handfast.sqlite3")
        Base.metadata.create_all(database.engine)
        counting.BATCH = batch  # type: ignore[misc]  # so that few entries are several batches
        try:
            for entries in rounds:
                write(database, entries)
                seal_all(database, Path(folder), now=NOON)
                count_audit(database, now=NOON)
            while count_audit(database, now=NOON):
                pass
            assert daily(database) == counted_at_once(database)
        finally:
            counting.BATCH = usual  # type: ignore[misc]  # as it was
            database.dispose()


def write(database: Database, entries: list[tuple[Act, int, str, Cause, str]]) -> None:
    with database.write() as session:
        for act, day, actor, cause, address in entries:
            failed = {"cause": cause.value, "account": address}
            record(
                session,
                at=NOON + day * DAY,
                actor=actor,
                act=act,
                subject="ann",
                detail=failed if act == Act.SIGN_IN_FAILED else {"reason": "a reason"},
            )


def counted_at_once(database: Database) -> dict[tuple[int, str, str], int]:
    """Count the whole audit with no word of how the worker does it."""
    steps = {
        "activation-requested": "left-waiting",
        "document-issued": "issued",
        "device-activated": "active",
        "activation-ended": "ended",
    }
    providers = {"ann@gmail.com": "provider:google", "bob@web.de": "provider:web-de"}
    who = {
        "person": "by-person",
        "staff": "by-staff",
        "token": "by-staff",
        "operator": "by-operator",
    }
    counts: Counter[tuple[int, str, str]] = Counter()
    with database.read() as session:
        for entry in session.scalars(select(AuditEntry)):
            day = entry.at // DAY
            if entry.act in steps:
                counts[day, "activations", steps[entry.act]] += 1
            if entry.act == "activation-ended":
                ended = who.get(entry.actor.split(":")[0], "by-system")
                counts[day, "activations-ended", ended] += 1
            if entry.act == "sign-in-failed":
                detail = detail_of(entry)
                counts[day, "sign-ins-failed", str(detail["cause"])] += 1
                provider = providers.get(str(detail["account"]), "other")
                counts[day, "sign-ins-failed-at", provider] += 1
    return dict(counts)
