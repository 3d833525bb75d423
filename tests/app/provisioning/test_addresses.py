"""An address changed, went to somebody else, or is claimed twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.accounts import proof
from app.accounts.services import note_contested
from app.audit import Act
from app.clock import DAY
from app.mailservers.server import manual
from app.models import (
    Invitation,
    InvitationState,
    MailAccount,
    Person,
    ServiceKey,
    WebSession,
)
from app.provisioning.services import (
    AddressInUseError,
    AlreadyInvitedError,
    Claim,
    UnusableError,
    conflicts,
    expire,
)
from tests.app.provisioning.office import EVE, REASON, Office, accepted

NEW = "ann.new@example.org"


def activated(office: Office) -> None:
    """Give Ann a device with a key."""
    service = office.service
    service.activate(service.handset(), service.issue(service.ann, "mail").document)


def addresses_of(office: Office, person_id: str) -> list[str]:
    rows = office.rows(MailAccount)
    return sorted(row.address for row in rows if row.person_id == person_id)


def claims(office: Office, person_id: str) -> list[tuple[Claim, str]]:
    """Return what staff see beside a person's addresses."""
    with office.service.database.read() as session:
        found = conflicts(session, person_id, now=office.service.clock.now())
    return [(each.claim, each.address) for each in found]


def enter(office: Office, *, keep_old: bool = False, address: str = NEW) -> str:
    """Have Olu enter Ann's new address."""
    ann = office.service.ann
    made = office.make("change_address", ann.person_id, ann.account_id, address, keep_old=keep_old)
    return str(made)


@pytest.mark.parametrize("keep_old", [True, False])
def test_the_old_address_stays_until_the_new_one_is_proven(office: Office, keep_old: bool) -> None:
    ann = office.service.ann
    activated(office)
    invitation = enter(office, keep_old=keep_old)
    assert office.mail() == [("address-entered", ann.address), ("address-entered", NEW)]
    assert office.sign_in(ann.address) == ann.person_id
    assert {row.state for row in office.rows(ServiceKey)} == {"active"}

    office.add(ann.person_id, NEW)
    assert office.row(Invitation, invitation).state == InvitationState.ACCEPTED
    expected = [NEW, ann.address] if keep_old else [NEW]
    assert addresses_of(office, ann.person_id) == expected
    assert office.sign_in(NEW) == ann.person_id
    assert len(office.rows(ServiceKey)) == int(keep_old)
    if not keep_old:
        assert office.mail()[-1] == ("address-changed", ann.address)
        assert office.acts(ann.person_id)[-2:] == [Act.KEY_REVOKED, Act.ACCOUNT_REMOVED]


def test_a_stranger_with_a_mistyped_address_is_nobody_but_themselves(office: Office) -> None:
    ann = office.service.ann
    invitation = enter(office)
    with pytest.raises(proof.StartAnewError) as asked:
        office.sign_in(NEW)
    assert asked.value.is_announced
    stranger = office.sign_in(NEW, anew=True)
    assert stranger != ann.person_id
    assert addresses_of(office, ann.person_id) == [ann.address]
    assert office.row(Invitation, invitation).state == InvitationState.WITHDRAWN
    assert office.mail()[-1] == ("account-displaced", ann.address)


def test_no_address_that_is_somebodys_is_entered_for_another(office: Office) -> None:
    with pytest.raises(AddressInUseError):
        enter(office, address=office.service.bob.address)
    with pytest.raises(UnusableError):
        enter(office, address="nonsense")
    office.invite()
    with pytest.raises(AlreadyInvitedError):
        enter(office, address=EVE)
    assert office.acts(office.service.ann.person_id) == []


def test_a_released_address_makes_its_next_owner_somebody_new(office: Office) -> None:
    service, ann = office.service, office.service.ann
    activated(office)
    office.add(ann.person_id, "home@example.org")
    office.act("release_address", ann.person_id, ann.account_id, by="Ada")
    assert office.rows(ServiceKey) == []
    assert office.mail()[-1] == ("address-released", "home@example.org")
    successor = office.sign_in(ann.address)
    assert successor != ann.person_id
    assert office.acts(successor) == [Act.ACCOUNT_ADDED]
    assert addresses_of(office, ann.person_id) == ["home@example.org"]
    assert service.bob.address not in dict(office.mail()).values()


def test_who_has_no_other_address_is_signed_out_and_not_written_to(office: Office) -> None:
    ann = office.service.ann
    with office.service.database.write() as session:
        session.add(
            WebSession(
                id="of-ann",
                token_hash=b"x" * 32,
                person_id=ann.person_id,
                flow="{}",
                address="",
                user_agent="",
                created_at=0,
                seen_at=0,
                expires_at=10**18,
                kind="browser",
            )
        )
    office.act("release_address", ann.person_id, ann.account_id, by="Ada")
    assert office.row(WebSession, "of-ann").ended_at is not None
    assert office.mail() == []
    assert office.row(Person, ann.person_id).disabled_at is None


def test_a_quiet_address_makes_nobody_its_former_owner(office: Office) -> None:
    service, ann = office.service, office.service.ann
    activated(office)
    service.clock.advance(365 * DAY)
    assert office.sign_in(ann.address) == ann.person_id
    service.clock.advance(366 * DAY)
    with pytest.raises(proof.StartAnewError) as asked:
        office.sign_in(ann.address)
    assert not asked.value.is_announced
    assert claims(office, ann.person_id) == [(Claim.QUIET, ann.address)]
    newcomer = office.sign_in(ann.address, anew=True)
    assert newcomer != ann.person_id
    assert office.rows(ServiceKey) == []
    released = [row for row in office.audit(ann.person_id) if row[1] == Act.ADDRESS_RELEASED]
    assert [(actor, facts["account"]) for actor, _, facts in released] == [("system", ann.address)]
    assert office.sign_in(ann.address) == newcomer


def test_nobody_starts_anew_with_an_address_in_use(office: Office) -> None:
    ann = office.service.ann
    assert office.sign_in(ann.address, anew=True) == ann.person_id
    with pytest.raises(proof.AddressTakenError):
        office.add(office.service.bob.person_id, ann.address, anew=True)


def test_a_quiet_address_stays_whose_it_was_if_they_show_it(office: Office) -> None:
    service, ann = office.service, office.service.ann
    service.clock.advance(366 * DAY)
    office.add(ann.person_id, ann.address)
    assert office.sign_in(ann.address) == ann.person_id


def test_staff_can_say_that_a_quiet_address_is_still_the_same_persons(office: Office) -> None:
    service, ann = office.service, office.service.ann
    service.clock.advance(366 * DAY)
    office.act("keep_address", ann.person_id, ann.account_id, by="Ada")
    assert claims(office, ann.person_id) == []
    assert office.sign_in(ann.address) == ann.person_id
    assert office.audit(ann.person_id)[0][2]["reason"] == REASON


def test_a_quiet_address_is_given_to_somebody_known_only_when_they_say_so(office: Office) -> None:
    service, ann, bob = office.service, office.service.ann, office.service.bob
    service.clock.advance(366 * DAY)
    with pytest.raises(proof.StartAnewError):
        office.add(bob.person_id, ann.address)
    mine = manual("example.org", "imap.mallory.example", 993, "tls")
    check = replace(accepted(ann.address), server=mine, named=True)
    with pytest.raises(proof.AddressTakenError), service.database.write() as session:
        proof.add_account(session, bob.person_id, check, office.proof_here, anew=True)
    office.add(bob.person_id, ann.address, anew=True)
    assert addresses_of(office, bob.person_id) == [ann.address, bob.address]


def test_the_owner_is_told_once_a_day_of_somebody_else_in_their_mailbox(office: Office) -> None:
    service, ann, bob = office.service, office.service.ann, office.service.bob

    def attempt() -> None:
        with pytest.raises(proof.AddressTakenError):
            office.add(bob.person_id, ann.address)
        with service.database.write() as session:
            note_contested(session, accepted(ann.address), office.proof_here)

    attempt()
    attempt()
    assert office.acts(ann.person_id) == [Act.ADDRESS_CONTESTED]
    assert office.mail() == [("address-taken", ann.address)]
    assert claims(office, ann.person_id) == [(Claim.CONTESTED, ann.address)]
    service.clock.advance(2 * DAY)
    attempt()
    assert office.acts(ann.person_id) == [Act.ADDRESS_CONTESTED] * 2
    assert claims(office, ann.person_id) == [(Claim.CONTESTED, ann.address)]
    service.clock.advance(91 * DAY)
    assert claims(office, ann.person_id) == []


def test_a_server_that_somebody_named_worries_nobody(office: Office) -> None:
    mine = manual("example.org", "imap.mallory.example", 993, "tls")
    check = replace(accepted(office.service.ann.address), server=mine, named=True)
    with office.service.database.write() as session:
        note_contested(session, check, office.proof_here)
    assert office.mail() == []


def test_staff_see_that_an_address_is_claimed_twice(office: Office) -> None:
    made = office.invite()
    mine = manual("example.org", "imap.mallory.example", 993, "tls")
    check = replace(accepted(EVE), server=mine, named=True)
    with office.service.database.write() as session:
        proof.add_account(session, office.service.bob.person_id, check, office.proof_here)
    for person_id in (made.person_id, office.service.bob.person_id):
        assert claims(office, person_id) == [(Claim.ALSO_CLAIMED, EVE)]


@pytest.mark.parametrize("how", ["withdrawn", "expired"])
def test_a_new_address_that_nobody_proved_goes_with_its_invitation(
    office: Office, how: str
) -> None:
    ann = office.service.ann
    invitation = enter(office)
    office.make("resend", invitation)
    assert office.mail()[-1] == ("address-entered", NEW)
    assert addresses_of(office, ann.person_id) == [NEW, ann.address]
    if how == "withdrawn":
        office.make("withdraw", invitation)
    else:
        office.service.clock.advance(7 * DAY)
        expire(office.service.database, office.service.clock)
    assert office.row(Invitation, invitation).state == how
    assert f"invitation-{how}" in office.acts(ann.person_id)
    assert addresses_of(office, ann.person_id) == [ann.address]
    assert office.sign_in(ann.address) == ann.person_id
