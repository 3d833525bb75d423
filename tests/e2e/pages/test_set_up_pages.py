"""What staff did for Ann, as her pages tell it; and the pages that end a sign-in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Literal

import pytest
import trustme
from playwright.sync_api import Browser, BrowserContext, expect
from sqlalchemy import select

from app.accounts import mail_checks, sessions
from app.clock import DAY, HOUR
from app.mailservers.server import MailPin, from_pin
from app.models import MailCheck, Person, Reach, Staff, StaffRole, StaffState
from app.provisioning import services as provisioning
from app.rights import permissions_of
from app.staff.reach import Actor
from tests.app.pages.seeded import live_in
from tests.e2e.looking import look
from tests.e2e.pages.serving import Served, serving

pytestmark = pytest.mark.browser

REASON = "her telephone was stolen on the train"
VIEWS: Final[dict[str, tuple[int, Literal["dark", "light"]]]] = {
    "desktop-dark": (1280, "dark"),
    "telephone-light": (320, "light"),
}


@pytest.fixture(scope="module")
def looked_after(
    tmp_path_factory: pytest.TempPathFactory, authority: trustme.CA
) -> Iterator[Served]:
    """A portal where Olu has done things for Ann."""
    with serving(tmp_path_factory.mktemp("looked-after"), authority) as found:
        live_in(found.seeded)
        look_after_ann(found)
        yield found


def look_after_ann(served: Served) -> None:
    """Have Olu leave something waiting, ask for a removal, and enter a new address."""
    seeded, service = served.seeded, served.seeded.service
    olu = Actor(
        "staff:olu",
        permissions_of(StaffRole.CUSTOMER_CARE),
        Reach.EVERYONE,
        "olu",
        StaffRole.CUSTOMER_CARE,
    )
    here = provisioning.Here(service.clock.now(), service.entropy, service.config)
    ann = seeded.ann
    with service.database.write() as session:
        session.add(
            Staff(
                id="olu",
                login="olu",
                name="Olu",
                role=StaffRole.CUSTOMER_CARE,
                reach=Reach.EVERYONE,
                state=StaffState.ACTIVE,
                created_at=0,
            )
        )
        session.flush()
        provisioning.wipe_device(
            session,
            olu,
            ann.person_id,
            seeded.laptop,
            reason=REASON,
            now=here.now,
            entropy=here.entropy,
        )
        order: dict[str, Any] = {"reason": REASON, "here": here}
        account = (ann.person_id, ann.account_id)
        provisioning.request_for(session, olu, *account, ["mail", "contacts"], **order)
        new = "ann.with-a-long-new-name@a-long-name-for-a-small-company.example.com"
        provisioning.change_address(session, olu, *account, new, keep_old=False, **order)


@pytest.mark.parametrize("view", VIEWS)
def test_what_was_done_for_a_person_is_told_without_a_finding(
    browser: Browser, looked_after: Served, view: str
) -> None:
    width, scheme = VIEWS[view]
    found: dict[str, object] = {}
    with browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme
    ) as context:
        looked_after.sign_in(context)
        page = context.new_page()
        page.goto(looked_after.origin)
        expect(page.get_by_text("was set up for you and waits for a device")).to_be_visible()
        expect(page.get_by_text("This address was entered for you.")).to_be_visible()
        found |= look(page, "your account")
        page.get_by_role("link", name="How to go on").click()
        expect(page.get_by_text("This was set up for you")).to_be_visible()
        found |= look(page, "an activation that was set up")
        page.goto(f"{looked_after.origin}/devices/{looked_after.seeded.laptop}")
        expect(page.get_by_text("the device does it at its next contact")).to_be_visible()
        found |= look(page, "a device that is to remove its keys")
        page.goto(f"{looked_after.origin}/history")
        expect(page.get_by_text("Olu (customer care)").first).to_be_visible()
        expect(page.get_by_text(f"Reason: {REASON}").first).to_be_visible()
        found |= look(page, "history")
    assert found == {}


@pytest.mark.parametrize("view", VIEWS)
def test_the_pages_that_end_a_sign_in_have_no_finding(
    browser: Browser, looked_after: Served, view: str
) -> None:
    width, scheme = VIEWS[view]
    service = looked_after.seeded.service
    found: dict[str, object] = {}
    with browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme
    ) as context:
        page = context.new_page()
        service.clock.advance(366 * DAY)
        page.goto(f"{looked_after.origin}/sign-in/{accepted_check(looked_after, context)}")
        expect(page.get_by_role("heading", name="Were you here before?")).to_be_visible()
        found |= look(page, "whose address is it")
        service.clock.advance(-366 * DAY)
        shut_out(looked_after, at=1)
        page.goto(f"{looked_after.origin}/sign-in/{accepted_check(looked_after, context)}")
        expect(page.get_by_role("heading", name="You may not sign in here")).to_be_visible()
        found |= look(page, "shut out")
        shut_out(looked_after, at=None)
    assert found == {}


def shut_out(served: Served, *, at: int | None) -> None:
    """Shut Ann out, or let her in again."""
    with served.seeded.service.database.write() as session:
        session.get_one(Person, served.seeded.ann.person_id).disabled_at = at


def accepted_check(served: Served, context: BrowserContext) -> str:
    """Return the check of Ann's credential as her mail server has just accepted it."""
    service, address = served.seeded.service, served.seeded.ann.address
    token, now = sessions.new_token(service.entropy), service.clock.now()
    server = from_pin("example.org", MailPin("imap.example.org", 993))
    with service.database.write() as session:
        row = sessions.start(
            session,
            token,
            sessions.Client("192.0.2.7", "Firefox"),
            person_id=None,
            now=now,
            lifetime=HOUR,
            entropy=service.entropy,
        )
        check_id = mail_checks.begin(session, row.id, address, now=now, entropy=service.entropy)
        session.flush()
        mail_checks.found(session, check_id, server, address)
        session.scalars(
            select(MailCheck).where(MailCheck.id == check_id)
        ).one().outcome = mail_checks.ACCEPTED
    context.clear_cookies()
    context.add_cookies(
        [{"name": "__Host-handfast", "value": token, "url": served.origin, "secure": True}]
    )
    return check_id
