"""Whoever was invited signs in, and the portal is killed: nothing is half theirs."""

import os

import pytest

from app import crashpoints
from app.accounts import mail_checks, sessions
from app.audit import Act
from app.clock import DAY, SystemClock
from app.database import Database
from app.mailservers.server import MailPin, from_pin
from app.models import (
    Activation,
    AuditEntry,
    Invitation,
    MailAccount,
    MailCheck,
    Reach,
    StaffRole,
    WebSession,
)
from app.provisioning.services import Here, Invite, invite
from app.rights import permissions_of
from app.staff.reach import Actor
from tests.faults.arriving import CLIENT
from tests.faults.site import BIN, REPOSITORY, Done, Site, armed

EVE = "eve@example.org"
SERVER = from_pin("example.org", MailPin("imap.example.org", 993))
POINTS = tuple(name for name in crashpoints.POINTS if name.startswith("arrival."))


def invited(site: Site, database: Database) -> str:
    """Invite Eve and return the person that this makes."""
    role = StaffRole.CUSTOMER_CARE
    olu = Actor("staff:olu", permissions_of(role), Reach.EVERYONE, None, role)
    here = Here(SystemClock().now(), os.urandom, site.config)
    with database.write() as session:
        return invite(session, olu, Invite(EVE), reason="she starts today", here=here).person_id


def accepted_check(database: Database) -> tuple[str, str]:
    """Return a check that the mail server accepted, and the anonymous session it is of."""
    now = SystemClock().now()
    with database.write() as session:
        row = sessions.start(
            session,
            sessions.new_token(os.urandom),
            CLIENT,
            person_id=None,
            now=now,
            lifetime=DAY,
            entropy=os.urandom,
        )
        check_id = mail_checks.begin(session, row.id, EVE, now=now, entropy=os.urandom)
        session.flush()
        mail_checks.found(session, check_id, SERVER, EVE)
        mail_checks.end(session, check_id, mail_checks.ACCEPTED)
        return check_id, row.id


def finish(site: Site, check: tuple[str, str], crash_at: str | None = None) -> Done:
    """Sign in, in a process of its own."""
    command = [str(BIN / "python"), "-m", "tests.faults.arriving", site.database_url, *check]
    environment = {**site.service_environment(), "PYTHONPATH": str(REPOSITORY), **armed(crash_at)}
    return Done.of(command, environment)


def check_whole(database: Database, person_id: str, *, come: bool) -> None:
    """Check that they have come, or not, in every table alike."""
    with database.read() as session:
        account = session.query(MailAccount).filter_by(address=EVE).one()
        (invitation,) = session.query(Invitation).all()
        signed_in = session.query(WebSession).filter_by(person_id=person_id).count()
        acts = [row.act for row in session.query(AuditEntry).filter_by(subject_id=person_id)]
        waiting = session.query(Activation).filter_by(person_id=person_id).one()
    assert account.person_id == person_id
    assert (account.proven_at is not None) is come
    assert invitation.state == ("accepted" if come else "open")
    assert bool(signed_in) is come
    assert acts.count(Act.INVITATION_ACCEPTED) == acts.count(Act.ADDRESS_PROVEN) == int(come)
    assert waiting.state == "open"


@pytest.mark.parametrize("point", POINTS)
def test_the_portal_is_killed_while_somebody_takes_over(point: str, site: Site) -> None:
    with site.database() as database:
        person_id = invited(site, database)
        check = accepted_check(database)
        for _ in range(2):
            done = finish(site, check, crash_at=point)
            with database.read() as session:
                is_used = session.get_one(MailCheck, check[0]).used_at is not None
            assert done.code in {crashpoints.EXIT_STATUS, 1}
            check_whole(database, person_id, come=point == "arrival.committed")
            assert is_used is (point == "arrival.committed")
        again = finish(site, check if not is_used else accepted_check(database))
        assert again.output.strip() == person_id, again.errors
        check_whole(database, person_id, come=True)
