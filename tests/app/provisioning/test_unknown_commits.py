"""The answer to an act is lost: doing it again does it once, and says so."""

from __future__ import annotations

import pytest

from app.audit import Act
from app.database import CommitUnknownError
from app.models import Invitation, MailAccount
from app.provisioning.services import AlreadyInvitedError, GoneError
from tests.app.exchange.test_unavailable import answers_lost
from tests.app.provisioning.office import EVE, Office


@pytest.mark.parametrize("after", [True, False], ids=["done", "not-done"])
def test_an_invitation_whose_answer_was_lost_can_be_sent_again(office: Office, after: bool) -> None:
    with answers_lost(office.service.database, after=after), pytest.raises(CommitUnknownError):
        office.invite()
    assert len(office.rows(Invitation)) == int(after)
    if after:
        with pytest.raises(AlreadyInvitedError) as found:
            office.invite()
        person_id = found.value.person_id
    else:
        person_id = office.invite().person_id
    (account,) = (row for row in office.rows(MailAccount) if row.address == EVE)
    assert account.person_id == person_id
    assert office.acts(person_id).count(Act.PERSON_INVITED) == 1
    assert office.mail() == [("invited", EVE)]


@pytest.mark.parametrize("after", [True, False], ids=["done", "not-done"])
def test_an_act_whose_answer_was_lost_is_done_and_told_once(office: Office, after: bool) -> None:
    ann = office.service.ann
    with answers_lost(office.service.database, after=after), pytest.raises(CommitUnknownError):
        office.act("disable", ann.person_id, by="Ada")
    if after:
        with pytest.raises(GoneError):
            office.act("disable", ann.person_id, by="Ada")
    else:
        office.act("disable", ann.person_id, by="Ada")
    assert office.acts(ann.person_id) == [Act.PERSON_DISABLED]
    assert office.mail() == [("disabled", ann.address)]


@pytest.mark.parametrize("after", [True, False], ids=["done", "not-done"])
def test_who_came_and_got_no_answer_comes_again_as_the_same(office: Office, after: bool) -> None:
    made = office.invite()
    with answers_lost(office.service.database, after=after), pytest.raises(CommitUnknownError):
        office.sign_in()
    assert office.sign_in() == made.person_id
    assert office.acts(made.person_id).count(Act.INVITATION_ACCEPTED) == 1
