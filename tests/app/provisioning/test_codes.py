"""A code for somebody who was invited and has no other way in: the telephone case."""

from __future__ import annotations

import pytest

from app.audit import Act
from app.clock import HOUR
from app.history.sentences import sentence
from app.models import (
    AccountService,
    Activation,
    ActivationState,
    Device,
    Invitation,
    InvitationState,
    MailAccount,
    ServiceKey,
)
from app.provisioning.acts import DisabledPersonError, GoneError, ReasonError, UnusableError
from app.provisioning.codes import confirm_device_for, end_code_for, make_code_for, status_for
from app.staff.reach import ColleagueError, OutOfReachError
from app.throttle import TooManyError
from tests.app.exchange.coding import confirmed, typed
from tests.app.provisioning.office import EVE, REASON, Office


def services_of(office: Office, person_id: str) -> list[str]:
    accounts = {row.id for row in office.rows(MailAccount) if row.person_id == person_id}
    return [row.id for row in office.rows(AccountService) if row.account_id in accounts]


def make(office: Office, person_id: str, *, by: str = "Olu", reason: str = REASON) -> str:
    """Make a code for all that somebody has, and return its text."""
    with office.service.database.write() as session:
        made = make_code_for(
            session,
            office.actors[by],
            person_id,
            services_of(office, person_id),
            reason=reason,
            here=office.here,
            keys=office.service.keys,
        )
    return made.text


def newest(office: Office) -> str:
    codes = [row for row in office.rows(Activation) if row.handle is not None]
    return max(codes, key=lambda row: (row.created_at, row.state == ActivationState.OPEN)).id


def test_an_invited_person_gets_a_key_and_stays_unproven(office: Office) -> None:
    made = office.invite(services=("mail",))
    text = make(office, made.person_id)
    confirmed(office.service, typed(office.service, text))
    (key,) = office.rows(ServiceKey)
    assert key.person_id == made.person_id
    (account,) = (row for row in office.rows(MailAccount) if row.address == EVE)
    assert account.proven_at is None
    assert made.invitation_id is not None
    assert office.row(Invitation, made.invitation_id).state == InvitationState.ACCEPTED
    accepted = [row for row in office.audit(made.person_id) if row[1] == Act.INVITATION_ACCEPTED]
    assert accepted == [("system", Act.INVITATION_ACCEPTED, {"account": EVE, "with": "code"})]
    said = sentence(Act.INVITATION_ACCEPTED, {"account": EVE, "with": "code"})
    assert "with a typed code" in said
    # What waited for their device is over: they have come.
    assert office.row(Activation, made.activation_id).state == ActivationState.DEAD
    assert {Act.CODE_MADE, Act.DEVICE_ACTIVATED} <= set(office.acts(made.person_id))
    assert ("code-made", EVE) in office.mail()


def test_staff_say_that_the_caller_named_the_device(office: Office) -> None:
    made = office.invite(services=("mail",))
    confirmed(office.service, typed(office.service, make(office, made.person_id)))
    with office.service.database.write() as session:
        confirm_device_for(
            session, office.actors["Olu"], newest(office), reason=REASON, here=office.here
        )
    (device,) = office.rows(Device)
    assert (device.confirmed_at, device.confirm_by) == (office.here.now, None)
    with pytest.raises(GoneError), office.service.database.write() as session:
        confirm_device_for(
            session, office.actors["Olu"], newest(office), reason=REASON, here=office.here
        )


def test_nobody_is_confirmed_by_a_code_that_nobody_used(office: Office) -> None:
    make(office, "person-ann")
    with pytest.raises(GoneError), office.service.database.write() as session:
        confirm_device_for(
            session, office.actors["Olu"], newest(office), reason=REASON, here=office.here
        )


def test_out_of_reach_is_missing(office: Office) -> None:
    make(office, "person-ann")
    una = office.actors["Una"]
    with pytest.raises(OutOfReachError):
        make(office, "person-ann", by="Una")
    with pytest.raises(OutOfReachError), office.service.database.write() as session:
        end_code_for(session, una, newest(office), reason=REASON, here=office.here)
    with pytest.raises(OutOfReachError), office.service.database.read() as session:
        status_for(session, una, newest(office), now=office.here.now)
    assert office.row(Activation, newest(office)).state == ActivationState.OPEN


def test_a_colleague_gets_no_code_from_customer_care(office: Office) -> None:
    person_id = office.sign_in("una@example.org")
    with pytest.raises(ColleagueError):
        make(office, person_id)
    assert make(office, person_id, by="Ada")


def test_without_a_reason_there_is_none(office: Office) -> None:
    with pytest.raises(ReasonError):
        make(office, "person-ann", reason=" ")


def test_who_is_shut_out_gets_none_and_an_open_one_is_over(office: Office) -> None:
    text = make(office, "person-ann")
    office.act("disable", "person-ann", by="Ada")
    with pytest.raises(DisabledPersonError):
        make(office, "person-ann")
    with pytest.raises(Exception, match="refused"):
        office.service.exchange.init(typed(office.service, text).init)


@pytest.mark.parametrize("ids", [[], ["nothing"]])
def test_only_what_the_person_has(office: Office, ids: list[str]) -> None:
    with pytest.raises(UnusableError), office.service.database.write() as session:
        make_code_for(
            session,
            office.actors["Olu"],
            "person-ann",
            ids,
            reason=REASON,
            here=office.here,
            keys=office.service.keys,
        )


def test_staff_make_ten_codes_an_hour_for_one_person(office: Office) -> None:
    for _ in range(10):
        make(office, "person-ann")
    with pytest.raises(TooManyError):
        make(office, "person-ann", by="Ada")
    # Whom somebody cannot see has nothing used up by them.
    for _ in range(11):
        with pytest.raises(OutOfReachError):
            make(office, "person-bob", by="Una")
    assert make(office, "person-bob")
    office.service.clock.advance(HOUR)
    assert make(office, "person-ann")
