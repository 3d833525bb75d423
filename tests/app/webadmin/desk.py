"""Staff at their desks: signed in to WebAdmin without the pages of the sign-in."""

from __future__ import annotations

from flask import Flask

from app.accounts.sessions import Client
from app.extensions import of
from app.models import Reach, Staff, StaffRole, StaffStage, StaffState, new_id
from app.staff import sessions
from app.webadmin.gate import COOKIE
from tests.app.portal_fixtures import ISSUER, Browser

# The cast: Ada administers, Olu is customer care, Sam owns the installation, Uma audits.
NAMES = {
    StaffRole.OWNER: "Sam",
    StaffRole.ADMINISTRATOR: "Ada",
    StaffRole.CUSTOMER_CARE: "Olu",
    StaffRole.AUDITOR: "Uma",
}
DOMAIN = ISSUER.removeprefix("https://").partition(":")[0]


def hire(app: Flask, role: StaffRole, *, reach: Reach = Reach.EVERYONE, login: str = "") -> str:
    """Add an active member of staff, who has no password yet; returns their id."""
    here = of(app)
    with here.database.write() as database:
        staff = Staff(
            id=new_id(here.entropy),
            login=login or NAMES[role].lower(),
            name=NAMES[role],
            address=None,
            role=role,
            reach=reach,
            state=StaffState.ACTIVE,
            created_at=here.clock.now(),
        )
        database.add(staff)
        return staff.id


def at_desk(app: Flask, staff_id: str) -> Browser:
    """Return a browser in which this member of staff has just signed in."""
    here, client = of(app), Client("192.0.2.9", "Firefox/153.0")
    with here.database.write() as database:
        token, _ = sessions.start(
            database,
            client,
            staff_id=staff_id,
            stage=StaffStage.FULL,
            now=here.clock.now(),
            entropy=here.entropy,
        )
    browser = Browser(app.test_client(), client.address)
    browser.client.set_cookie(COOKIE, token, domain=DOMAIN, secure=True)
    return browser


def staff_at_desk(app: Flask, role: StaffRole) -> Browser:
    """Hire somebody and sit them down."""
    return at_desk(app, hire(app, role))
