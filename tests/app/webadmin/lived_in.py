"""A WebAdmin that has been worked in: the cast at their desks, people, and weeks of figures."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import insert

from app.auditing.sealing import seal
from app.clock import DAY
from app.database import Database
from app.models import DailyCount, Reach, StaffRole
from app.statistics.counting import count_audit
from app.statistics.names import WAITS, Daily, Ending, Step
from app.statistics.present import count_present
from protocol.signing import SigningKey
from tests.app.pages.seeded import Seeded
from tests.app.webadmin.desk import hire

DAYS_BACK = 400


@dataclass
class Lived:
    """The portal, its people, and the ids of the staff."""

    seeded: Seeded
    sam: str
    ada: str
    olu: str
    uma: str
    # Customer care for some groups only.
    limited: str

    @property
    def places(self) -> dict[str, str]:
        """Return what stands for the names in the addresses of pages."""
        return {**vars(self.seeded), **vars(self), "person": self.seeded.ann.person_id}


def work_in(seeded: Seeded, folder: Path) -> Lived:
    """Hire the cast, link and count the audit, and add figures of the year before."""
    app, service = seeded.app, seeded.service
    now = service.clock.now()
    key = SigningKey.generate(entropy=service.entropy)
    while seal(service.database, folder / "audit-heads.log", key, now=now):
        pass
    while count_audit(service.database, now=now):
        pass
    count_present(service.database, now=now)
    _add_figures(service.database, now // DAY)
    return Lived(
        seeded,
        sam=hire(app, StaffRole.OWNER),
        ada=hire(app, StaffRole.ADMINISTRATOR),
        olu=hire(app, StaffRole.CUSTOMER_CARE),
        uma=hire(app, StaffRole.AUDITOR),
        limited=hire(app, StaffRole.CUSTOMER_CARE, reach=Reach.GROUPS, login="olu.of.a.group"),
    )


def _add_figures(database: Database, today: int) -> None:
    """Make up counts of the days before: weeks with quiet ends, and growth."""
    rows = []
    for back in range(10, DAYS_BACK):
        day = today - back
        issued = max(0, round((30 + 18 * math.sin(day * 2 * math.pi / 7)) * (1 - back / 500)))
        active, ended = issued * 8 // 10, issued // 10
        rows += [
            (day, Daily.ACTIVATIONS, Step.LEFT_WAITING, issued // 3),
            (day, Daily.ACTIVATIONS, Step.ISSUED, issued),
            (day, Daily.ACTIVATIONS, Step.ACTIVE, active),
            (day, Daily.ACTIVATIONS, Step.ENDED, ended),
            (day, Daily.ENDED, Ending.EXPIRED, ended),
            (day, Daily.FAILED, "wrong-credential", issued // 6),
            (day, Daily.FAILED, "needs-app-password", issued // 9),
            (day, Daily.FAILED_AT, "provider:google", issued // 9),
            (day, Daily.FAILED_AT, "domain:example.org", issued // 8),
            (day, Daily.FAILED_AT, "other", issued // 20),
            *(
                (day, Daily.WAITED, label, active // (place + 2))
                for place, (_, label) in enumerate(WAITS)
            ),
        ]
    kept = [
        {"day": day, "what": what.value, "label": str(label), "count": count}
        for day, what, label, count in rows
        if count
    ]
    with database.write() as session:
        session.execute(insert(DailyCount), kept)
