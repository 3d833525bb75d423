"""Who works here is acted on by who manages them, from the moment staff set them up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.accounts import proof
from app.mailservers.server import manual
from app.models import MailAccount, StaffRole, StaffState
from app.models.staff import Staff
from app.staff.reach import ColleagueError
from tests.app.provisioning.office import EVE, Office, accepted
from tests.app.provisioning.test_codes import make

UNA = "una@example.org"
SAM = "sam@example.org"


def account_of(office: Office, address: str) -> MailAccount:
    """Return the one account with an address."""
    (found,) = (row for row in office.rows(MailAccount) if row.address == address)
    return found


def test_a_colleague_is_one_before_they_first_sign_in(office: Office) -> None:
    made = office.invite(UNA, by="Ada")
    account = account_of(office, UNA)
    for attempt in (
        lambda: make(office, made.person_id),
        lambda: office.make("resend", made.invitation_id),
        lambda: office.make("withdraw", made.invitation_id),
        lambda: office.make("choose_services", made.person_id, account.id, ["mail"]),
        lambda: office.act("rename", made.person_id, "Una the Fool"),
    ):
        with pytest.raises(ColleagueError):
            attempt()
    office.make("resend", made.invitation_id, by="Ada")


def test_a_colleagues_address_is_entered_for_nobody_by_customer_care(office: Office) -> None:
    ann = office.service.ann
    with pytest.raises(ColleagueError):
        office.make("change_address", ann.person_id, ann.account_id, UNA, keep_old=True)
    assert [row for row in office.rows(MailAccount) if row.address == UNA] == []
    office.make("change_address", ann.person_id, ann.account_id, UNA, keep_old=True, by="Ada")
    with pytest.raises(ColleagueError):
        make(office, ann.person_id)


def test_a_claim_to_a_colleagues_address_shields_nobody(office: Office) -> None:
    mine = manual("example.org", "imap.bob.example", 993, "tls")
    check = replace(accepted(UNA), server=mine, named=True)
    with office.service.database.write() as session:
        proof.add_account(session, office.service.bob.person_id, check, office.proof_here)
    assert make(office, office.service.bob.person_id)


def test_an_owners_person_is_for_owners(office: Office) -> None:
    office.hire("Sam", StaffRole.OWNER, address=SAM)
    with pytest.raises(ColleagueError):
        office.invite(SAM, by="Ada")
    person_id = office.sign_in(SAM)
    ann = office.service.ann
    with pytest.raises(ColleagueError):
        make(office, person_id, by="Ada")
    with pytest.raises(ColleagueError):
        office.act("disable", person_id, by="Ada")
    with pytest.raises(ColleagueError):
        office.make("change_address", ann.person_id, ann.account_id, SAM, keep_old=True, by="Ada")
    assert make(office, person_id, by="Sam")


def test_who_stopped_working_here_is_a_person_like_others(office: Office) -> None:
    made = office.invite(UNA, by="Ada")
    with office.service.database.write() as session:
        session.get_one(Staff, "staff-una").state = StaffState.DISABLED
    assert make(office, made.person_id)
    assert office.invite(EVE).invitation_id
