"""A code to type, made by staff for somebody on the telephone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

from app.audit import Act
from app.auditing.reading import detail_of
from app.clock import MINUTE
from app.models import (
    Activation,
    ActivationState,
    AuditEntry,
    Device,
    OutgoingMail,
    Person,
    Reach,
    StaffRole,
)
from app.outbox.kinds import MailKind
from app.staff.sessions import FRESH
from protocol.codes import Code, read_code
from tests.app.exchange.coding import PRESS, WRONG, confirmed, typed
from tests.app.pages.seeded import Seeded, bare_portal
from tests.app.portal_fixtures import Browser
from tests.app.service_fixtures import ADDRESS
from tests.app.webadmin.desk import at_desk, hire, staff_at_desk

REASON = "called because the laptop is new"
SHOWN = re.compile(r"<span>([0-9A-HJKMNP-TV-Z]{4})</span>")


@dataclass
class Desk:
    """Olu at her desk, and Ann on the telephone."""

    seeded: Seeded
    olu: Browser

    @property
    def ann(self) -> str:
        return self.seeded.service.ann.person_id

    def make(self, *services: str, reason: str = REASON) -> str:
        """Make a code and read it off the page."""
        names = services or ("mail",)
        wanted = [self.seeded.service.ann.services[name] for name in names]
        self.olu.get(f"/admin/people/{self.ann}/code")
        page = self.olu.post(
            f"/admin/people/{self.ann}/code", {"service": wanted, "reason": reason}, headers=PRESS
        )
        assert page.status_code == 200, page.text
        return "-".join(SHOWN.findall(page.text))

    def newest(self) -> str:
        with self.seeded.service.database.read() as session:
            return (
                session.scalars(
                    select(Activation.id)
                    .where(Activation.handle.is_not(None))
                    .order_by(Activation.created_at.desc(), Activation.state.desc())
                ).first()
                or ""
            )

    def status(self, activation_id: str = "") -> dict[str, object]:
        got = self.olu.get(f"/admin/codes/{activation_id or self.newest()}/status")
        assert got.status_code == 200
        found: dict[str, object] = json.loads(got.text)
        return found


@pytest.fixture
def seeded(tmp_path: Path) -> Iterator[Seeded]:
    """A portal with Ann and Bob, who have no device yet."""
    with bare_portal(tmp_path) as seeded:
        yield seeded


@pytest.fixture
def desk(seeded: Seeded) -> Desk:
    return Desk(seeded, staff_at_desk(seeded.app, StaffRole.CUSTOMER_CARE))


def test_olu_reads_a_code_out_and_it_works(desk: Desk) -> None:
    text = desk.make("mail", "contacts")
    confirmed(desk.seeded.service, typed(desk.seeded.service, text))
    assert desk.status()["stage"] == "used"
    page = desk.olu.get(f"/admin/codes/{desk.newest()}").text
    assert "Ann&#39;s laptop" in page
    # Staff see that it was used and by which device, and nothing that belongs to a key.
    assert 'span class="words"' not in page


def test_every_symbol_is_spelled(desk: Desk) -> None:
    text = desk.make()
    assert desk.olu.page is not None
    spelled = re.findall(r'<b translate="no">(.)</b>', desk.olu.page.text)
    assert "".join(spelled) == text.replace("-", "")


def test_the_code_is_shown_once_and_kept_nowhere(desk: Desk) -> None:
    text = desk.make()
    page = desk.olu.get(f"/admin/codes/{desk.newest()}")
    assert not SHOWN.findall(page.text)
    secret = read_code(text).secret
    with desk.seeded.service.database.read() as session:
        mails = session.scalars(select(OutgoingMail)).all()
        entries = session.scalars(select(AuditEntry)).all()
        told = [str(vars(each)) for each in (*mails, *entries)]
    assert not any(secret in one for one in told)


def test_the_person_is_told_by_whom_and_why(desk: Desk) -> None:
    desk.make()
    with desk.seeded.service.database.read() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.act == Act.CODE_MADE)).one()
        mail = session.scalars(
            select(OutgoingMail).where(OutgoingMail.kind == MailKind.CODE_MADE)
        ).one()
        assert entry.actor.startswith("staff:")
        assert entry.subject_id == desk.ann
        assert detail_of(entry)["reason"] == REASON
    assert REASON in mail.facts
    assert "ann@" in mail.facts


@pytest.mark.parametrize("reason", ["", "no", "x" * 201, "two\nlines"])
def test_a_reason_is_asked(desk: Desk, reason: str) -> None:
    desk.olu.get(f"/admin/people/{desk.ann}/code")
    wanted = desk.seeded.service.ann.services["mail"]
    page = desk.olu.post(
        f"/admin/people/{desk.ann}/code", {"service": wanted, "reason": reason}, headers=PRESS
    )
    assert page.status_code == 400
    assert not SHOWN.findall(page.text)


@pytest.mark.parametrize("whose", ["nobody's", "bob's", "none"])
def test_only_the_persons_own_services(desk: Desk, whose: str) -> None:
    wanted = {
        "nobody's": ["x"],
        "bob's": [desk.seeded.service.bob.services["mail"]],
        "none": [],
    }[whose]
    desk.olu.get(f"/admin/people/{desk.ann}/code")
    page = desk.olu.post(
        f"/admin/people/{desk.ann}/code", {"service": wanted, "reason": REASON}, headers=PRESS
    )
    assert page.status_code == 400
    assert not SHOWN.findall(page.text)


def test_a_script_on_the_page_gets_no_code(desk: Desk) -> None:
    desk.olu.get(f"/admin/people/{desk.ann}/code")
    form = {"service": desk.seeded.service.ann.services["mail"], "reason": REASON}
    fetched = {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
    page = desk.olu.post(f"/admin/people/{desk.ann}/code", form, headers=fetched)
    assert page.status_code == 400
    assert not SHOWN.findall(page.text)


def test_the_page_follows_the_code(desk: Desk) -> None:
    service = desk.seeded.service
    text = desk.make()
    status = desk.status()
    assert (status["stage"], status["over"], status["tries"]) == ("open", False, "")
    assert 0 < int(str(status["left"])) <= 600
    wrong = Code(read_code(text).handle, WRONG)
    for number in range(5):
        run = typed(service, Code(wrong.handle, f"000000{number}"))
        service.exchange.init(run.init, address=ADDRESS)
    assert desk.status()["stage"] == "trying"
    service.clock.advance(5 * MINUTE)
    status = desk.status()
    assert (status["stage"], status["over"]) == ("used-up", True)
    assert status["tries"] == "5 of 5 tries used."


def test_ten_minutes_later_it_is_over(desk: Desk) -> None:
    desk.make()
    desk.seeded.service.clock.advance(10 * MINUTE)
    assert desk.status()["stage"] == "expired"


def test_ending_a_code_asks_first_who_it_is(desk: Desk) -> None:
    desk.make()
    path = f"/admin/codes/{desk.newest()}/end"
    desk.seeded.service.clock.advance(FRESH)
    asked = desk.olu.get(path)
    desk.olu.get("/admin")
    sent = desk.olu.post(path, {"reason": REASON})
    for answer in (asked, sent):
        assert answer.headers["Location"].startswith("/admin/confirm-it-is-you")
    assert desk.status()["stage"] == "expired"


def test_a_code_can_be_ended(desk: Desk) -> None:
    desk.make()
    activation_id = desk.newest()
    desk.olu.get(f"/admin/codes/{activation_id}/end")
    assert desk.olu.post(f"/admin/codes/{activation_id}/end", {"reason": ""}).status_code == 400
    desk.olu.post(f"/admin/codes/{activation_id}/end", {"reason": REASON})
    with desk.seeded.service.database.read() as session:
        assert session.get_one(Activation, activation_id).state == ActivationState.DEAD
    assert desk.status()["stage"] == "ended"
    desk.olu.get(f"/admin/codes/{activation_id}/end")
    again = desk.olu.post(f"/admin/codes/{activation_id}/end", {"reason": REASON})
    assert again.status_code == 303


def test_a_newer_code_takes_the_place_of_the_earlier(desk: Desk) -> None:
    desk.make()
    earlier = desk.newest()
    desk.seeded.service.clock.advance(MINUTE)
    desk.make()
    assert desk.status(earlier)["stage"] == "replaced"


def test_staff_say_whose_device_it_is_under_their_own_name(desk: Desk) -> None:
    service = desk.seeded.service
    confirmed(service, typed(service, desk.make()))
    activation_id = desk.newest()
    with service.database.read() as session:
        device_id = session.get_one(Activation, activation_id).device_id
        assert session.get_one(Device, device_id).confirmed_at is None
    desk.olu.get(f"/admin/codes/{activation_id}/device")
    desk.olu.post(f"/admin/codes/{activation_id}/device", {"reason": "she named it"})
    with service.database.read() as session:
        assert session.get_one(Device, device_id).confirmed_at is not None
        entry = session.scalars(
            select(AuditEntry).where(
                AuditEntry.act == Act.DEVICE_CONFIRMED, AuditEntry.target == device_id
            )
        ).one()
    assert entry.actor.startswith("staff:")


def test_a_person_out_of_reach_is_missing(seeded: Seeded) -> None:
    limited = at_desk(
        seeded.app, hire(seeded.app, StaffRole.CUSTOMER_CARE, reach=Reach.GROUPS, login="limited")
    )
    ann = seeded.service.ann
    assert limited.get(f"/admin/people/{ann.person_id}/code").status_code == 404
    answer = limited.post(
        f"/admin/people/{ann.person_id}/code",
        {"service": ann.services["mail"], "reason": REASON},
        headers=PRESS,
    )
    assert answer.status_code == 404
    wide = Desk(seeded, staff_at_desk(seeded.app, StaffRole.CUSTOMER_CARE))
    wide.make()
    for part in ("", "/status", "/end", "/device"):
        assert limited.get(f"/admin/codes/{wide.newest()}{part}").status_code == 404
    before = wide.status()["stage"]
    limited.post(f"/admin/codes/{wide.newest()}/end", {"reason": REASON})
    assert wide.status()["stage"] == before


def test_an_activation_with_a_document_is_no_code(desk: Desk) -> None:
    issued = desk.seeded.service.issue(desk.seeded.service.ann)
    assert desk.olu.get(f"/admin/codes/{issued.activation_id}").status_code == 404


def test_who_is_disabled_gets_none(desk: Desk) -> None:
    with desk.seeded.service.database.write() as session:
        session.get_one(Person, desk.ann).disabled_at = desk.seeded.service.clock.now()
    desk.olu.get(f"/admin/people/{desk.ann}/code")
    wanted = desk.seeded.service.ann.services["mail"]
    page = desk.olu.post(
        f"/admin/people/{desk.ann}/code", {"service": wanted, "reason": REASON}, headers=PRESS
    )
    assert page.status_code == 409
    assert "disabled" in page.text
