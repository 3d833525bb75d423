"""Who proves an invited address takes over what was set up for it; nobody's keys go with it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from app.accounts import proof
from app.activation.issue import issue
from app.audit import Act
from app.clock import DAY
from app.mailservers.server import manual
from app.models import (
    AccountService,
    Activation,
    GroupMember,
    Invitation,
    InvitationState,
    MailAccount,
    OutgoingMail,
    Person,
    ServiceKey,
)
from tests.app.provisioning.office import EVE, Office, accepted
from tests.app.provisioning.test_codes import make


def of(office: Office, address: str = EVE) -> MailAccount:
    """Return the one account with an address."""
    (found,) = (row for row in office.rows(MailAccount) if row.address == address)
    return found


def services_of(office: Office, account: MailAccount) -> list[str]:
    rows = office.rows(AccountService)
    return sorted(row.service for row in rows if row.account_id == account.id)


def test_signing_in_takes_over_the_invited_person(office: Office) -> None:
    made = office.invite(services=("mail",))
    assert office.sign_in() == made.person_id
    account = of(office)
    assert account.person_id == made.person_id
    assert account.proven_at == office.service.clock.now()
    assert account.vouched_by == "pin"
    assert services_of(office, account) == ["mail"]
    assert office.row(Activation, made.activation_id).state == "open"
    assert made.invitation_id is not None
    assert office.row(Invitation, made.invitation_id).state == InvitationState.ACCEPTED
    assert office.acts(made.person_id)[-2:] == [Act.ADDRESS_PROVEN, Act.INVITATION_ACCEPTED]
    assert office.sign_in() == made.person_id


def test_a_press_completes_exactly_what_was_waiting(office: Office) -> None:
    made = office.invite(services=("mail", "contacts"))
    person_id, service = office.sign_in(), office.service
    account = of(office)
    ids = {
        row.service: row.id for row in office.rows(AccountService) if row.account_id == account.id
    }
    issued = issue(
        service.database,
        person_id=person_id,
        account_service_ids=[ids["mail"], ids["contacts"]],
        ticket="T" * 22,
        now=service.clock.now(),
        entropy=service.entropy,
        keys=service.keys,
        config=service.config,
    )
    waited, pressed = office.row(Activation, made.activation_id), issued.activation_id
    assert (waited.state, waited.successor_id) == ("dead", pressed)
    assert office.row(Activation, pressed).made_by == "staff:staff-olu"
    service.activate(service.handset("Eve's laptop"), issued.document)
    assert office.row(Activation, pressed).state == "redeemed"
    assert len([row for row in office.rows(ServiceKey) if row.person_id == person_id]) == 2


def test_two_who_prove_it_at_once_are_one_person(office: Office) -> None:
    made = office.invite()
    with ThreadPoolExecutor(4) as pool:
        answers = set(pool.map(lambda _: office.sign_in(), range(4)))
    assert answers == {made.person_id}
    assert office.acts(made.person_id).count(Act.INVITATION_ACCEPTED) == 1


def test_an_invitation_and_a_first_sign_in_at_once_make_one_person(office: Office) -> None:
    with ThreadPoolExecutor(2) as pool:
        invited = pool.submit(office.invite)
        signed_in = pool.submit(office.sign_in)
        assert invited.result(timeout=30).person_id == signed_in.result(timeout=30)
    assert len([row for row in office.rows(MailAccount) if row.address == EVE]) == 1


def test_one_that_was_withdrawn_or_is_over_makes_nobody_that_person(office: Office) -> None:
    made = office.invite(name="Eve")
    office.make("withdraw", made.invitation_id)
    newcomer = office.sign_in()
    assert newcomer != made.person_id
    assert of(office).person_id == newcomer
    late = office.invite("late@example.org")
    office.service.clock.advance(8 * DAY)
    assert office.sign_in("late@example.org") != late.person_id
    ended = [Act.INVITATION_WITHDRAWN, Act.ACTIVATION_ENDED, Act.ACCOUNT_REMOVED]
    assert [act for act in office.acts(late.person_id) if act in ended] == ended


def test_who_was_only_set_up_goes_with_their_last_address(office: Office) -> None:
    made = office.invite(name="Eve", groups=("group-stores",))
    office.make("withdraw", made.invitation_id)
    office.sign_in()
    assert made.person_id not in {row.id for row in office.rows(Person)}
    gone = office.audit(made.person_id)
    assert gone[-1] == ("system", Act.PERSON_DELETED, {"reason": "proven-by-another"})
    # What was said of them names an address that is another's now.
    assert [facts for _, _, facts in gone[:-1] if facts] == []


def test_who_was_shut_out_before_they_came_stays_shut_out(office: Office) -> None:
    made = office.invite(name="Eve")
    office.make("withdraw", made.invitation_id)
    office.act("disable", made.person_id, by="Ada")
    office.sign_in()
    assert office.row(Person, made.person_id).disabled_at is not None


def test_a_code_that_was_read_out_ends_and_says_so(office: Office) -> None:
    made, ann = office.invite(services=("mail",)), office.service.ann
    make(office, made.person_id)
    office.add(ann.person_id, EVE)
    ended = [row for row in office.audit(ann.person_id) if row[1] == Act.ACTIVATION_ENDED]
    assert [actor for actor, _, _ in ended] == [f"person:{ann.person_id}"]


def test_who_is_known_keeps_their_person_and_gets_what_was_set_up(office: Office) -> None:
    ann = office.service.ann
    made = office.invite(name="Eve", services=("calendar",), groups=("group-stores",))
    account_id = office.add(ann.person_id, EVE)
    account = of(office)
    assert (account.id, account.person_id) == (account_id, ann.person_id)
    assert services_of(office, account) == ["calendar"]
    assert office.row(Activation, made.activation_id).person_id == ann.person_id
    assert made.person_id not in {row.id for row in office.rows(Person)}
    # Groups limit who may act on somebody, so nobody gets into one by an invitation.
    assert office.rows(GroupMember) == []
    told = office.audit(ann.person_id)
    assert [act for _, act, _ in told] == [
        Act.INVITATION_ACCEPTED,
        Act.SERVICES_CHOSEN,
        Act.ADDRESS_PROVEN,
    ]
    assert told[1][0] == "staff:staff-olu"
    assert {row.person_id for row in office.rows(OutgoingMail)} == {ann.person_id}


def test_keys_that_a_code_made_are_not_inherited(office: Office) -> None:
    made, service = office.invite(services=("mail",)), office.service
    account = of(office)
    (row,) = (each for each in office.rows(AccountService) if each.account_id == account.id)
    issued = issue(
        service.database,
        person_id=made.person_id,
        account_service_ids=[row.id],
        ticket="T" * 22,
        now=service.clock.now(),
        entropy=service.entropy,
        keys=service.keys,
        config=service.config,
    )
    service.activate(service.handset("somebody's telephone"), issued.document)
    office.add(service.ann.person_id, EVE)
    assert office.rows(ServiceKey) == []
    assert of(office).person_id == service.ann.person_id
    assert office.acts(made.person_id)[-2:] == [Act.KEY_REVOKED, Act.ACCOUNT_REMOVED]


def test_a_mailbox_that_only_claims_the_address_takes_over_nothing(office: Office) -> None:
    made = office.invite()
    mine = manual("example.org", "imap.mallory.example", 993, "tls")
    check = replace(accepted(EVE), server=mine, named=True)
    with pytest.raises(proof.NotProvenError), office.service.database.write() as session:
        proof.sign_in(session, check, office.proof_here)
    with office.service.database.write() as session:
        proof.add_account(session, office.service.bob.person_id, check, office.proof_here)
    assert office.row(Activation, made.activation_id).person_id == made.person_id
    # And once its owner comes, the claim goes.
    assert office.sign_in() == made.person_id
    assert [row.person_id for row in office.rows(MailAccount) if row.address == EVE] == [
        made.person_id
    ]
    assert office.mail()[-1] == ("account-displaced", office.service.bob.address)


def test_who_is_shut_out_cannot_come_in_by_any_of_their_addresses(office: Office) -> None:
    made = office.invite()
    for person_id, address in ((made.person_id, EVE), ("person-ann", "ann@example.org")):
        office.act("disable", person_id, by="Ada")
        with pytest.raises(proof.PersonDisabledError):
            office.sign_in(address)
        with pytest.raises(proof.PersonDisabledError):
            office.add(person_id, "other@example.org")
        office.act("enable", person_id, by="Ada")
        assert office.sign_in(address) == person_id
