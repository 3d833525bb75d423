"""Sessions and links whose time is over do not stay."""

from __future__ import annotations

from sqlalchemy import select

from app.accounts.sessions import Client
from app.clock import DAY
from app.models import StaffLink, StaffSession, StaffStage
from app.staff import links, sessions
from app.staff.sessions import SIGN_IN
from app.staff.tidying import KEEP_LINK, forget_old
from tests.app.service_fixtures import Service


def test_what_is_over_goes_and_what_is_not_stays(service: Service) -> None:
    now = service.clock.now()
    with service.database.write() as session:
        for stage in StaffStage:
            sessions.start(
                session,
                Client("192.0.2.9", "Firefox/153.0"),
                staff_id=None,
                stage=stage,
                now=now,
                entropy=service.entropy,
            )
        links.make_first(session, reason=None, now=now, entropy=service.entropy)
    assert not forget_old(service.database, now + SIGN_IN)
    assert left(service) == (2, 1)
    forget_old(service.database, now + DAY)
    assert left(service) == (0, 1)
    forget_old(service.database, now + KEEP_LINK + DAY)
    assert left(service) == (0, 0)


def left(service: Service) -> tuple[int, int]:
    with service.database.read() as session:
        rows = session.scalars(select(StaffSession)).all(), session.scalars(select(StaffLink)).all()
    return len(rows[0]), len(rows[1])
