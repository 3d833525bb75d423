"""What staff do to keys, devices, sessions and people: within their reach, audited, told."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from app.accounts import sessions
from app.activation.account_services import NotAllowedError
from app.activation.revocation import restore_device
from app.audit import Act
from app.history.services import read_history
from app.models import (
    AccountService,
    Activation,
    Device,
    EndedKey,
    GroupMember,
    MailAccount,
    OutgoingMail,
    Person,
    ServiceKey,
    StaffRole,
    WebSession,
)
from app.provisioning import wiping
from app.provisioning.services import GoneError, ReasonError, UnusableError
from app.staff.reach import ColleagueError, OutOfReachError
from protocol.errors import RemoteProtocolError
from tests.app.provisioning.office import REASON, Office


@dataclass
class Having:
    """What Ann has: a device with two keys, a session, an activation that waits."""

    office: Office
    device: str
    key: str
    session: str
    waiting: str

    @property
    def ann(self) -> str:
        return self.office.service.ann.person_id


@pytest.fixture
def having(office: Office) -> Having:
    """Ann with something of everything."""
    service = office.service
    issued = service.issue(service.ann, "mail", "contacts")
    service.activate(service.handset(), issued.document)
    client = sessions.Client("192.0.2.7", "Firefox")
    with service.database.write() as session:
        row = sessions.start(
            session,
            "t" * 43,
            client,
            person_id=service.ann.person_id,
            now=service.clock.now(),
            lifetime=10**12,
            entropy=service.entropy,
        )
    waiting = office.make(
        "request_for", service.ann.person_id, service.ann.account_id, ["calendar"]
    )
    (device,), key = office.rows(Device), office.rows(ServiceKey)[0]
    return Having(office, device.id, key.id, row.id, waiting)


ACTS: dict[str, Callable[[Having], tuple[Any, ...]]] = {
    "revoke_key": lambda it: (it.ann, it.key),
    "revoke_device": lambda it: (it.ann, it.device),
    "wipe_device": lambda it: (it.ann, it.device),
    "rotate_key": lambda it: (it.ann, it.key),
    "end_session": lambda it: (it.ann, it.session),
    "end_activation": lambda it: (it.ann, it.waiting),
    "disable": lambda it: (it.ann,),
    "rename": lambda it: (it.ann, "Ann Example"),
    "set_groups": lambda it: (it.ann, ["group-sales"]),
    "release_address": lambda it: (it.ann, it.office.service.ann.account_id),
    "keep_address": lambda it: (it.ann, it.office.service.ann.account_id),
}
MAKING: dict[str, Callable[[Having], tuple[Any, ...]]] = {
    "choose_services": lambda it: (it.ann, it.office.service.ann.account_id, ["mail"]),
    "request_for": lambda it: (it.ann, it.office.service.ann.account_id, ["mail"]),
    "change_address": lambda it: (it.ann, it.office.service.ann.account_id, "new@example.org"),
}
MORE: dict[str, dict[str, Any]] = {"change_address": {"keep_old": True}}


def do(having: Having, name: str, **more: Any) -> Any:
    """Do one of the acts on what Ann has."""
    if name in ACTS:
        return having.office.act(name, *ACTS[name](having), **more)
    return having.office.make(name, *MAKING[name](having), **MORE.get(name, {}), **more)


@pytest.mark.parametrize("name", [*ACTS, *MAKING])
def test_each_act_says_who_did_it_and_why(having: Having, name: str) -> None:
    before = len(having.office.audit(having.ann))
    do(having, name)
    written = having.office.audit(having.ann)[before:]
    assert written
    for actor, _, facts in written:
        assert actor == "staff:staff-olu"
        assert facts["reason"] == REASON
    with having.office.service.database.read() as session:
        (newest, *_) = read_history(session, having.ann).entries
    assert newest.events[0].staff == ("Olu", "customer-care")
    assert newest.events[0].reason == REASON


@pytest.mark.parametrize("name", [*ACTS, *MAKING])
def test_each_act_needs_a_reason_and_reach(having: Having, name: str) -> None:
    before = having.office.audit(having.ann)
    with pytest.raises(ReasonError):
        do(having, name, reason="x")
    with pytest.raises(OutOfReachError):
        do(having, name, by="Una")
    assert having.office.audit(having.ann) == before
    having.office.into_group(having.ann, "group-sales")
    if name != "set_groups":
        do(having, name, by="Una")


@pytest.mark.parametrize("name", [*ACTS, *MAKING])
def test_customer_care_does_nothing_to_a_colleague(having: Having, name: str) -> None:
    having.office.hire("Sam", StaffRole.OWNER, address=having.office.service.ann.address)
    before = having.office.audit(having.ann)
    with pytest.raises(ColleagueError):
        do(having, name)
    # Nor does an administrator to an owner.
    with pytest.raises(ColleagueError):
        do(having, name, by="Ada")
    assert having.office.audit(having.ann) == before
    do(having, name, by="Sam")


@pytest.mark.parametrize("name", [name for name in ACTS if name not in {"rename", "set_groups"}])
def test_nothing_of_somebody_else_is_touched(having: Having, name: str) -> None:
    bob = having.office.service.bob.person_id
    targets = ACTS[name](having)[1:]
    if not targets:
        return
    with pytest.raises(GoneError):
        having.office.act(name, bob, *targets)
    assert having.office.audit(bob) == []


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("revoke_key", "key-revoked"),
        ("revoke_device", "device-revoked"),
        ("wipe_device", "device-wiped"),
        ("rotate_key", "key-rotated"),
        ("end_session", "session-ended"),
        ("disable", "disabled"),
        ("keep_address", "address-kept"),
        ("choose_services", "services-chosen"),
    ],
)
def test_the_person_is_told_by_one_mail(having: Having, name: str, kind: str) -> None:
    before = {row.id for row in having.office.rows(OutgoingMail)}
    do(having, name)
    (mail,) = (row for row in having.office.rows(OutgoingMail) if row.id not in before)
    assert mail.kind == kind
    assert mail.address == having.office.service.ann.address
    assert REASON in mail.facts
    assert '"by":"Olu"' in mail.facts


@pytest.mark.parametrize(
    "name", ["revoke_key", "revoke_device", "wipe_device", "end_session", "disable"]
)
def test_of_two_at_once_one_does_it(having: Having, name: str) -> None:
    def one(_: int) -> bool:
        try:
            do(having, name)
        except GoneError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(one, range(4))) == [False, False, False, True]


def test_a_revoked_key_is_gone_and_the_other_one_stays(having: Having) -> None:
    do(having, "revoke_key")
    states = {row.id: (row.state, row.ended_reason) for row in having.office.rows(ServiceKey)}
    assert states.pop(having.key) == ("revoked", "by-staff")
    assert list(states.values()) == [("active", None)]


def test_a_removal_is_asked_for_done_and_can_be_asked_for_again(having: Having) -> None:
    office, database = having.office, having.office.service.database
    do(having, "wipe_device")
    assert {row.state for row in office.rows(ServiceKey)} == {"revoked"}
    with database.read_connection() as connection:
        assert wiping.is_asked(connection, having.device)
    office.service.clock.advance(1)
    now = office.service.clock.now()
    with database.write_connection() as connection:
        assert wiping.confirmed(connection, having.device, now)
        assert not wiping.confirmed(connection, having.device, now + 1)
    assert office.row(Device, having.device).wiped_at == now
    assert office.audit(having.ann)[-1][:2] == (f"device:{having.device}", Act.DEVICE_WIPED)
    restore_device(database, person_id=having.ann, device_id=having.device, now=now)
    device = office.row(Device, having.device)
    assert (device.state, device.wipe_asked_at, device.wiped_at) == ("active", None, None)
    do(having, "wipe_device")


def test_no_removal_is_confirmed_that_nobody_asked_for(having: Having) -> None:
    with having.office.service.database.write_connection() as connection:
        assert not wiping.confirmed(connection, having.device, 1)


def test_whoever_is_shut_out_has_nothing_and_gets_nothing(having: Having) -> None:
    office, service = having.office, having.office.service
    issued = service.issue(service.ann, "calendar")
    do(having, "disable")
    assert {row.state for row in office.rows(ServiceKey)} == {"revoked"}
    assert office.row(WebSession, having.session).ended_at is not None
    assert {row.state for row in office.rows(Activation)} == {"redeemed", "dead"}
    with pytest.raises(RemoteProtocolError):
        service.activate(service.handset("another"), issued.document)
    with pytest.raises(NotAllowedError):
        service.issue(service.ann, "mail")
    assert office.acts(having.ann)[-1] == Act.PERSON_DISABLED
    office.act("enable", having.ann, by="Ada")
    assert office.row(Person, having.ann).disabled_at is None
    assert {row.state for row in office.rows(ServiceKey)} == {"revoked"}
    assert service.issue(service.ann, "mail").document
    with pytest.raises(GoneError):
        office.act("enable", having.ann, by="Ada")


def test_shutting_out_and_a_document_at_once_leave_no_way_to_a_key(having: Having) -> None:
    service = having.office.service

    def press(number: int) -> None:
        try:
            service.issue(service.ann, "mail", ticket=f"{number:022d}")
        except NotAllowedError:
            return

    with ThreadPoolExecutor(5) as pool:
        presses = [pool.submit(press, number) for number in range(100, 104)]
        shut = pool.submit(do, having, "disable")
        for each in (*presses, shut):
            each.result(timeout=30)
    assert "open" not in {row.state for row in having.office.rows(Activation)}


def test_services_that_an_account_loses_take_their_keys_along(having: Having) -> None:
    office, ann = having.office, having.office.service.ann
    office.make("choose_services", ann.person_id, ann.account_id, ["contacts", "calendar"])
    mine = [row for row in office.rows(AccountService) if row.account_id == ann.account_id]
    assert sorted(row.service for row in mine) == ["calendar", "contacts"]
    assert {row.state for row in office.rows(ServiceKey)} == {"active"}
    assert len(office.rows(ServiceKey)) == 1
    # The device whose key went can still be told that it has ended.
    assert len(office.rows(EndedKey)) == 1
    (waiting,) = (row for row in office.rows(Activation) if row.state == "open")
    assert waiting.made_by == "staff:staff-olu"
    with pytest.raises(UnusableError):
        office.make("choose_services", ann.person_id, ann.account_id, [])


def test_an_account_can_be_asked_for_its_own_services_only(having: Having) -> None:
    office, ann = having.office, having.office.service.ann
    office.make("choose_services", ann.person_id, ann.account_id, ["mail"])
    with pytest.raises(UnusableError):
        office.make("request_for", ann.person_id, ann.account_id, ["calendar"])
    with pytest.raises(GoneError):
        office.make("request_for", ann.person_id, "account-bob", ["mail"])


def test_groups_beyond_the_reach_stay_as_they_are(having: Having) -> None:
    office = having.office
    office.into_group(having.ann, "group-stores")
    office.into_group(having.ann, "group-sales")
    with pytest.raises(UnusableError):
        office.act("set_groups", having.ann, [], by="Una")
    with pytest.raises(UnusableError):
        office.act("set_groups", having.ann, ["group-stores"], by="Una")
    with pytest.raises(GoneError):
        office.act("set_groups", having.ann, ["group-sales"], by="Una")
    office.act("set_groups", having.ann, [], by="Ada")
    assert office.rows(GroupMember) == []


def test_who_has_no_address_of_their_own_gets_no_mail(having: Having) -> None:
    office = having.office
    with office.service.database.write() as session:
        for account in session.query(MailAccount).filter_by(person_id=having.ann):
            account.proven_at, account.vouched_by = None, "manual"
    before = len(office.rows(OutgoingMail))
    do(having, "revoke_key")
    assert len(office.rows(OutgoingMail)) == before
