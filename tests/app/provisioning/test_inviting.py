"""A mail address is set up before its owner comes; nobody is set up twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.exc import IntegrityError

from app.audit import Act
from app.clock import DAY, HOUR
from app.mailservers.server import VouchedBy
from app.models import (
    AccountService,
    Activation,
    GroupMember,
    Invitation,
    InvitationState,
    MailAccount,
    OutgoingMail,
    Person,
    PersonTerm,
)
from app.provisioning.expiring import expire
from app.provisioning.services import (
    AlreadyInvitedError,
    DisabledPersonError,
    GoneError,
    Invite,
    ReasonError,
    TooSoonError,
    UnusableError,
    invite,
)
from app.staff.reach import ColleagueError, OutOfReachError
from tests.app.provisioning.office import EVE, REASON, Office


def test_inviting_makes_everything_that_waits_for_its_owner(office: Office) -> None:
    made = office.invite(name="Eve Example", services=("mail", "calendar"), language="de")

    person = office.row(Person, made.person_id)
    assert (person.name, person.language) == ("Eve Example", "de")
    account = next(row for row in office.rows(MailAccount) if row.person_id == person.id)
    assert (account.address, account.proven_at, account.host) == (EVE, None, None)
    assert account.vouched_by == VouchedBy.STAFF
    mine = [row.service for row in office.rows(AccountService) if row.account_id == account.id]
    assert sorted(mine) == ["calendar", "mail"]
    activation = office.row(Activation, made.activation_id)
    assert (activation.state, activation.document_expires_at) == ("open", None)
    assert activation.made_by == "staff:staff-olu"
    assert made.invitation_id is not None
    assert office.row(Invitation, made.invitation_id).state == InvitationState.OPEN
    assert {row.term for row in office.rows(PersonTerm) if row.person_id == person.id} >= {
        "eve",
        EVE,
    }


def test_who_did_it_and_why_is_audited_and_told(office: Office) -> None:
    made = office.invite(name="Eve")
    for actor, _, facts in office.audit(made.person_id):
        assert actor == "staff:staff-olu"
        assert facts["reason"] == REASON
    assert office.acts(made.person_id) == [Act.PERSON_INVITED, Act.ACTIVATION_REQUESTED]
    (mail,) = office.rows(OutgoingMail)
    assert (mail.kind, mail.address) == ("invited", EVE)
    assert '"by":"Olu"' in mail.facts
    assert REASON in mail.facts


def test_the_same_address_in_another_spelling_is_invited_once(office: Office) -> None:
    made = office.invite()
    with pytest.raises(AlreadyInvitedError) as refused:
        office.invite(" EVE@Example.ORG ")
    assert refused.value.person_id == made.person_id
    assert len(office.rows(Invitation)) == 1


def test_of_many_at_once_one_invites(office: Office) -> None:
    def one(_: int) -> str:
        try:
            return office.invite().person_id
        except AlreadyInvitedError as other:
            return f"already {other.person_id}"

    with ThreadPoolExecutor(6) as pool:
        answers = sorted(pool.map(one, range(6)))
    (made,) = (answer for answer in answers if not answer.startswith("already"))
    assert [answer for answer in answers if answer != made] == [f"already {made}"] * 5
    assert len([row for row in office.rows(MailAccount) if row.address == EVE]) == 1


def test_the_index_alone_keeps_a_second_open_invitation_out(office: Office) -> None:
    made = office.invite()
    with pytest.raises(IntegrityError), office.service.database.write() as session:
        session.add(
            Invitation(
                id="second",
                person_id=made.person_id,
                address=EVE,
                services="mail",
                state=InvitationState.OPEN,
                reason=REASON,
                invited_by="staff:x",
                created_at=0,
                expires_at=1,
            )
        )


def test_a_proven_address_gives_its_owner_what_they_lack(office: Office) -> None:
    ann = office.service.ann
    people = len(office.rows(Person))
    made = office.invite(ann.address, services=("mail",))
    assert (made.person_id, made.invitation_id) == (ann.person_id, None)
    assert len(office.rows(Person)) == people
    assert office.row(Activation, made.activation_id).person_id == ann.person_id
    assert office.acts(ann.person_id)[-2:] == [Act.ACTIVATION_REQUESTED, Act.SERVICES_CHOSEN]
    assert office.mail() == [("services-chosen", ann.address)]


@pytest.mark.parametrize(
    ("reason", "is_good"),
    [
        ("ok", False),
        ("  x ", False),
        ("y" * 201, False),
        ("one\ntwo", False),
        ("turned \u202e round", False),
        ("nul \x00 byte", False),
        ("why", True),
        ("z" * 200, True),
        ("كما طلبت في الهاتف", True),
    ],
)
def test_a_reason_is_one_readable_line(office: Office, reason: str, is_good: bool) -> None:
    if is_good:
        office.act("disable", office.service.ann.person_id, by="Ada", reason=reason)
        assert office.audit(office.service.ann.person_id)[-1][2]["reason"] == reason
        return
    with pytest.raises(ReasonError):
        office.act("disable", office.service.ann.person_id, by="Ada", reason=reason)
    assert office.acts(office.service.ann.person_id) == []


@pytest.mark.parametrize(
    ("order", "field"),
    [
        ({"address": "no address"}, "address"),
        ({"name": "two\nlines"}, "name"),
        ({"name": "n" * 101}, "name"),
        ({"services": ()}, "services"),
        ({"services": ("mail", "telex")}, "services"),
        ({"groups": ("nowhere",)}, "groups"),
        ({"language": "../../etc"}, "language"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(
    office: Office, order: dict[str, object], field: str
) -> None:
    people = len(office.rows(Person))
    with pytest.raises(UnusableError) as refused:
        office.invite(**{"address": EVE, **order})  # type: ignore[arg-type]  # the wrong ones too
    assert refused.value.field == field
    assert len(office.rows(Person)) == people


def test_who_reaches_groups_invites_into_one_of_them(office: Office) -> None:
    for groups in ((), ("group-stores",)):
        with pytest.raises(UnusableError):
            office.invite(by="Una", groups=groups)
    made = office.invite(by="Una", groups=("group-sales",))
    assert [row.person_id for row in office.rows(GroupMember)] == [made.person_id]


def test_who_is_out_of_reach_is_not_named(office: Office) -> None:
    office.invite()
    for address in (EVE, office.service.ann.address):
        with pytest.raises(OutOfReachError):
            office.invite(address, by="Una", groups=("group-sales",))


def test_a_colleague_is_set_up_by_who_manages_staff(office: Office) -> None:
    with pytest.raises(ColleagueError):
        office.invite("una@example.org")
    assert office.invite("una@example.org", by="Ada").invitation_id


def test_nobody_who_is_shut_out_is_set_up(office: Office) -> None:
    office.act("disable", office.service.ann.person_id, by="Ada")
    with pytest.raises(DisabledPersonError):
        office.invite(office.service.ann.address)


def test_an_invitation_is_sent_again_with_new_time_but_not_all_the_time(office: Office) -> None:
    made = office.invite()
    office.service.clock.advance(2 * DAY)
    office.make("resend", made.invitation_id)
    assert made.invitation_id is not None
    until = office.row(Invitation, made.invitation_id).expires_at
    assert until == office.service.clock.now() + 7 * DAY
    (waiting,) = (row for row in office.rows(Activation) if row.state == "open")
    assert (waiting.expires_at, waiting.made_by) == (until, "staff:staff-olu")
    office.make("resend", made.invitation_id)
    office.make("resend", made.invitation_id)
    with pytest.raises(TooSoonError):
        office.make("resend", made.invitation_id)
    office.service.clock.advance(2 * HOUR)
    office.make("resend", made.invitation_id)
    assert [kind for kind, _ in office.mail()] == ["invited"] + ["invited-again"] * 4


def test_what_was_withdrawn_waits_no_more(office: Office) -> None:
    made = office.invite()
    office.make("withdraw", made.invitation_id)
    assert made.invitation_id is not None
    assert office.row(Invitation, made.invitation_id).state == InvitationState.WITHDRAWN
    assert office.row(Activation, made.activation_id).state == "dead"
    assert office.mail()[-1] == ("withdrawn", EVE)
    olu, why = "staff:staff-olu", {"reason": REASON}
    assert office.audit(made.person_id)[-2:] == [
        (olu, Act.INVITATION_WITHDRAWN, {"account": EVE, **why}),
        (olu, Act.ACTIVATION_ENDED, why),
    ]
    for act in ("withdraw", "resend"):
        with pytest.raises(GoneError):
            office.make(act, made.invitation_id)


def test_who_was_invited_before_is_the_same_person_the_next_time(office: Office) -> None:
    made = office.invite(name="Eve", services=("mail", "contacts"))
    office.make("withdraw", made.invitation_id)
    again = office.invite(services=("calendar",))
    assert again.person_id == made.person_id
    assert office.row(Person, made.person_id).name == "Eve"
    (account,) = (row for row in office.rows(MailAccount) if row.address == EVE)
    mine = [row.service for row in office.rows(AccountService) if row.account_id == account.id]
    assert mine == ["calendar"]


def test_invitations_end_by_themselves_and_say_so(office: Office) -> None:
    made = office.invite()
    database, clock = office.service.database, office.service.clock
    assert not expire(database, clock)
    clock.advance(7 * DAY)
    expire(database, clock)
    assert made.invitation_id is not None
    assert office.row(Invitation, made.invitation_id).state == InvitationState.EXPIRED
    assert office.audit(made.person_id)[-1][:2] == ("system", Act.INVITATION_EXPIRED)
    assert not expire(database, clock)


def test_one_that_is_over_its_time_is_in_nobodys_way(office: Office) -> None:
    made = office.invite()
    office.service.clock.advance(8 * DAY)
    assert office.invite().invitation_id
    ended = [row for row in office.audit(made.person_id) if row[1] == Act.INVITATION_EXPIRED]
    assert ended == [("system", Act.INVITATION_EXPIRED, {"account": EVE})]


def test_an_act_that_fails_leaves_nothing(office: Office) -> None:
    people = len(office.rows(Person))

    def halfway() -> None:
        with office.service.database.write() as session:
            invite(session, office.actors["Olu"], Invite(EVE), reason=REASON, here=office.here)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        halfway()
    assert len(office.rows(Person)) == people
    assert office.mail() == []
