"""The one place where an address becomes a person, asked directly."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.accounts import mail_checks, proof
from app.accounts.mail_checks import ACCEPTED, Step, View
from app.mailservers.server import MailPin, from_pin, manual
from app.models import MailCheck, Person, WebSession
from tests.app.portal_fixtures import ANN, Portal

SERVER = from_pin("example.org", MailPin("imap.example.org", 993))
GOOD = View(
    id="A" * 22,
    address=ANN,
    step=Step.SIGNING_IN,
    outcome=ACCEPTED,
    why=None,
    server=SERVER,
    username=ANN,
    named=False,
    used=True,
    began_at=0,
)


def here(portal: Portal) -> proof.Here:
    return proof.Here(portal.clock.now(), 0, portal.here.entropy)


def test_a_rightful_server_that_accepted_the_address_proves_it() -> None:
    assert proof.is_proof(GOOD)


@pytest.mark.parametrize(
    "check",
    [
        replace(GOOD, server=manual("example.org", "imap.mallory.example", 993, "tls")),
        replace(GOOD, server=replace(SERVER, domain="mallory.example")),
        replace(GOOD, username="bob@example.org"),
        replace(GOOD, address="bob@example.org"),
        replace(GOOD, outcome=None),
        replace(GOOD, outcome="wrong-credential"),
        replace(GOOD, server=None),
    ],
    ids=["manual", "other-domain", "other-user", "other-address", "undecided", "refused", "none"],
)
def test_one_thing_amiss_signs_nobody_in(portal: Portal, check: View) -> None:
    with pytest.raises(proof.NotProvenError), portal.database.write() as session:
        proof.sign_in(session, check, here(portal))
    assert portal.rows(Person) == []


def test_an_accepted_check_can_be_taken_once(portal: Portal) -> None:
    ann = portal.browser()
    path = ann.give_address(ANN)
    ann.give_password(path, "correct horse")
    (row,) = portal.rows(MailCheck)
    now = portal.clock.now()
    with portal.database.write() as session:
        assert mail_checks.use(session, row.id, row.session_id, now=now) is not None
        assert mail_checks.use(session, row.id, row.session_id, now=now) is None


def test_the_session_before_sign_in_is_over_afterwards(portal: Portal) -> None:
    portal.browser().sign_in(ANN)
    assert {bool(row.person_id): row.ended_at is None for row in portal.rows(WebSession)} == {
        False: False,
        True: True,
    }
