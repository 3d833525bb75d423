"""Further accounts, and who may vouch for an address: nobody becomes somebody else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.models import AccountService, MailAccount, Person
from tests.app.portal_fixtures import ANN, BOB, PASSWORDS, Browser, Portal
from tests.peers.ca import CertificateAuthority
from tests.peers.pymap_server import PymapServer, pymap_server


@pytest.fixture
def own_server(mail_ca: CertificateAuthority) -> Iterator[PymapServer]:
    """A mail server of Mallory's: it takes Mallory's password for Ann's address."""
    with pymap_server({ANN: "mallory"}, mail_ca.issue("imap.mallory.example")) as server:
        yield server


def add(browser: Browser, address: str, password: str) -> str:
    """Add an account at the server that is found; return the page that follows."""
    path = browser.give_address(address, "/accounts/add")
    browser.give_password(path, password)
    browser.post(f"{path}/finish")
    browser.get("/")
    return browser.text()


def claim(browser: Browser, address: str, server: PymapServer, password: str) -> None:
    """Add an account at a server of one's own."""
    path = browser.give_address(address, "/accounts/add")
    number = path.rpartition("/")[2]
    browser.get(f"/accounts/add/{number}/server")
    form = {
        "host": "imap.mallory.example",
        "port": server.port,
        "security": "tls",
        "username": address,
    }
    answer = browser.post(f"/accounts/add/{number}/server", form)
    assert answer.status_code == 303, browser.text()
    browser.get(path)
    assert "not proven" in browser.text()
    browser.give_password(path, password)
    browser.post(f"{path}/finish")


def test_a_further_account_of_a_rightful_server_is_proven(portal: Portal) -> None:
    ann = portal.browser()
    ann.sign_in(ANN)
    page = add(ann, BOB, PASSWORDS[BOB])
    assert "bob@example.org was added" in page
    assert all(account.proven_at for account in portal.rows(MailAccount))
    assert len(portal.rows(Person)) == 1


def test_an_added_account_signs_in_as_the_same_person(portal: Portal) -> None:
    ann = portal.browser()
    ann.sign_in(ANN)
    add(ann, BOB, PASSWORDS[BOB])
    portal.browser().sign_in(BOB)
    assert len(portal.rows(Person)) == 1


def test_a_server_of_ones_own_adds_an_account_that_is_not_proven(
    portal: Portal, own_server: PymapServer
) -> None:
    mallory = portal.browser()
    mallory.sign_in(BOB)
    claim(mallory, ANN, own_server, "mallory")
    (claimed,) = [row for row in portal.rows(MailAccount) if row.address == ANN]
    assert (claimed.proven_at, claimed.vouched_by) == (None, "manual")


def test_a_claim_does_not_sign_anybody_in(portal: Portal, own_server: PymapServer) -> None:
    mallory = portal.browser()
    mallory.sign_in(BOB)
    claim(mallory, ANN, own_server, "mallory")
    other = portal.browser()
    path = other.give_address(ANN)
    assert "did not accept this password" in other.give_password(path, "mallory")
    ann = portal.browser()
    ann.sign_in(ANN)
    accounts = {row.address: row.person_id for row in portal.rows(MailAccount)}
    assert accounts[ANN] != accounts[BOB]


def test_the_rightful_owner_takes_the_address_from_everybody_who_claimed_it(
    portal: Portal, own_server: PymapServer
) -> None:
    mallory = portal.browser()
    mallory.sign_in(BOB)
    claim(mallory, ANN, own_server, "mallory")
    claimant = next(row.person_id for row in portal.rows(MailAccount) if row.address == BOB)
    portal.browser().sign_in(ANN)
    (left,) = [row for row in portal.rows(MailAccount) if row.address == ANN]
    assert left.proven_at is not None
    assert left.person_id != claimant
    assert portal.acts(claimant)[-1] == "account-removed"
    assert len(portal.rows(AccountService)) == 6


def test_a_proven_address_cannot_be_claimed(portal: Portal, own_server: PymapServer) -> None:
    portal.browser().sign_in(ANN)
    mallory = portal.browser()
    mallory.sign_in(BOB)
    claim(mallory, ANN, own_server, "mallory")
    assert "belongs to another sign-in here" in mallory.get("/").get_data(as_text=True)
    assert sum(row.address == ANN for row in portal.rows(MailAccount)) == 1


def test_a_weaker_check_does_not_replace_a_proof(portal: Portal, own_server: PymapServer) -> None:
    ann = portal.browser()
    ann.sign_in(ANN)
    claim(ann, ANN, own_server, "mallory")
    (account,) = portal.rows(MailAccount)
    assert (account.vouched_by, account.host) == ("pin", "127.0.0.1")


def test_nobody_signs_in_with_a_server_of_their_own(
    portal: Portal, own_server: PymapServer
) -> None:
    """Before sign-in there is no form for a server, and its address leads nowhere."""
    mallory = portal.browser()
    path = mallory.give_address("victim@mallory.example")
    number = path.rpartition("/")[2]
    answer = mallory.get(f"/accounts/add/{number}/server")
    assert answer.headers["Location"].startswith("/sign-in")
    mallory.get("/sign-in")
    form = {"host": "imap.mallory.example", "port": own_server.port, "username": ANN}
    answer = mallory.post(f"/accounts/add/{number}/server", form)
    assert answer.headers["Location"].startswith("/sign-in")
    mallory.get("/sign-in")
    mallory.post(f"{path}/credential", {"password": "mallory"})
    mallory.post(f"{path}/finish")
    assert portal.rows(Person) == []


def test_a_password_is_never_sent_to_a_server_that_was_only_guessed(portal: Portal) -> None:
    ann = portal.browser()
    ann.sign_in(ANN)
    path = ann.give_address("someone@mallory.example", "/accounts/add")
    assert 'type="password"' not in ann.text()
    assert "Name the mail server" in ann.text()
    assert path.startswith("/sign-in/")
