"""Signing in with a mail account: a real portal, a real mail server."""

from __future__ import annotations

import pytest

from app.models import AccountService, MailAccount, MailCheck, Person
from tests.app.portal_fixtures import ANN, BOB, PASSWORDS, Portal
from tests.peers.ca import certificate_authority
from tests.peers.pymap_server import PymapServer


def test_the_mailbox_password_signs_in(portal: Portal) -> None:
    ann = portal.browser()
    answer = ann.sign_in(ANN)
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/"
    assert ann.get("/accounts/add").status_code == 200


def test_the_first_sign_in_makes_a_person_with_a_proven_account_and_its_services(
    portal: Portal,
) -> None:
    portal.browser().sign_in(ANN)
    (person,), (account,) = portal.rows(Person), portal.rows(MailAccount)
    assert (account.address, account.person_id) == (ANN, person.id)
    assert account.vouched_by == "pin"
    assert account.proven_at is not None
    services = {row.service for row in portal.rows(AccountService)}
    assert services == {"mail", "contacts", "calendar"}
    assert portal.acts(person.id) == ["account-added", "signed-in"]


def test_the_address_decides_the_person(portal: Portal) -> None:
    for spelling in (ANN, "Ann@Example.ORG"):
        browser = portal.browser()
        path = browser.give_address(spelling)
        browser.give_password(path, PASSWORDS[ANN])
        browser.post(f"{path}/finish")
    portal.browser().sign_in(BOB)
    assert len(portal.rows(Person)) == 2


def test_a_wrong_password_is_told_at_the_field_and_signs_nobody_in(portal: Portal) -> None:
    ann = portal.browser()
    path = ann.give_address(ANN)
    page = ann.give_password(path, "wrong")
    assert "did not accept this password" in page
    assert 'aria-invalid="true"' in page
    assert 'id="error-summary"' in page
    ann.post(f"{path}/finish")
    assert portal.rows(Person) == []


def test_after_a_wrong_password_the_right_one_still_works(portal: Portal) -> None:
    ann = portal.browser()
    path = ann.give_address(ANN)
    ann.give_password(path, "wrong")
    ann.give_password(path, PASSWORDS[ANN])
    assert ann.post(f"{path}/finish").headers["Location"] == "/"


def test_the_owner_sees_failed_sign_ins(portal: Portal) -> None:
    portal.browser().sign_in(ANN)
    (person,) = portal.rows(Person)
    stranger = portal.browser("198.51.100.9")
    stranger.give_password(stranger.give_address(ANN), "wrong")
    assert portal.acts(person.id)[-1] == "sign-in-failed"


def test_known_and_unknown_people_get_the_same_answers(portal: Portal) -> None:
    portal.browser().sign_in(ANN)
    pages = []
    for address in (ANN, "nobody@example.org"):
        browser = portal.browser("198.51.100.9")
        path = browser.give_address(address)
        page = browser.give_password(path, "wrong")
        for secret in (address, path, browser.token()):
            page = page.replace(secret, "…")
        pages.append(page)
    assert pages[0] == pages[1]


def test_an_unknown_domain_ends_in_a_sentence_and_never_asks_for_a_password(
    portal: Portal,
) -> None:
    browser = portal.browser()
    path = browser.give_address("someone@nowhere.example")
    page = browser.text()
    assert "ask the operator of this service to add your mail domain" in page
    assert 'type="password"' not in page
    browser.get("/sign-in")
    answer = browser.post(f"{path}/credential", {"password": "secret"})
    assert answer.status_code == 303
    assert "add your mail domain" in browser.wait(path)


def test_an_app_password_is_asked_for_with_the_place_to_make_one(portal: Portal) -> None:
    browser = portal.browser()
    browser.give_address("someone@gmail.com")
    assert "Enter your app password" in browser.text()
    assert 'href="https://' in browser.text()


def test_a_provider_with_its_own_sign_in_is_told_before_a_password_is_typed(
    portal: Portal,
) -> None:
    browser = portal.browser()
    browser.give_address("someone@outlook.com")
    assert "through its own sign-in page only" in browser.text()
    assert 'type="password"' not in browser.text()


def test_a_certificate_of_another_issuer_is_told_and_gets_no_password(
    portal: Portal, mail_server: PymapServer
) -> None:
    with certificate_authority() as stranger:
        portal.pin("example.org", mail_server, stranger.pem)
    browser = portal.browser()
    page = browser.give_password(browser.give_address(ANN), PASSWORDS[ANN])
    assert "comes from an issuer that we do not know" in page


def test_a_server_that_is_down_is_not_a_wrong_password(
    portal: Portal, mail_server: PymapServer
) -> None:
    portal.pin("example.org", PymapServer("127.0.0.1", 9), "")
    browser = portal.browser()
    page = browser.give_password(browser.give_address(ANN), PASSWORDS[ANN])
    assert "cannot be reached" in page
    assert "did not accept" not in page


@pytest.mark.parametrize("untrusted", ["", "ann", "ann@", "@example.org", "a b@example.org"])
def test_what_is_no_address_is_told_at_the_field(portal: Portal, untrusted: str) -> None:
    browser = portal.browser()
    browser.get("/sign-in")
    answer = browser.post("/sign-in", {"address": untrusted})
    assert answer.status_code == 400
    assert "error-summary" in browser.text()


@pytest.mark.parametrize("untrusted", ["a\r\nb LOGOUT", "a\0b", "", "x" * 5000])
def test_a_password_no_server_takes_never_becomes_a_command(portal: Portal, untrusted: str) -> None:
    browser = portal.browser()
    path = browser.give_address(ANN)
    answer = browser.post(f"{path}/credential", {"password": untrusted})
    page = browser.wait(path) if answer.status_code == 303 else browser.text()
    assert "error-summary" in page


def test_an_accepted_check_is_used_once(portal: Portal) -> None:
    ann = portal.browser()
    path = ann.give_address(ANN)
    ann.give_password(path, PASSWORDS[ANN])
    ann.post(f"{path}/finish")
    ann.get("/accounts/add")
    ann.post(f"{path}/finish")
    assert portal.acts().count("signed-in") == 1


def test_another_browser_cannot_finish_somebodys_sign_in(portal: Portal) -> None:
    ann, thief = portal.browser(), portal.browser()
    path = ann.give_address(ANN)
    ann.give_password(path, PASSWORDS[ANN])
    thief.give_address(BOB)
    assert thief.get(path).status_code == 404
    thief.get("/sign-in")
    thief.post(f"{path}/finish")
    assert portal.rows(Person) == []


def test_the_password_is_kept_nowhere(portal: Portal, capfd: pytest.CaptureFixture[str]) -> None:
    ann = portal.browser()
    path = ann.give_address(ANN)
    ann.give_password(path, "canary-6b1f wrong")
    ann.give_password(path, PASSWORDS[ANN])
    assert "correct horse" not in ann.text()
    ann.post(f"{path}/finish")
    output = "".join(capfd.readouterr())
    kept = b"".join(file.read_bytes() for file in portal.config.state_dir.glob("handfast.sqlite3*"))
    for secret in ("canary-6b1f", PASSWORDS[ANN]):
        assert secret not in output
        assert secret.encode() not in kept


def test_a_check_whose_process_died_can_be_tried_again(portal: Portal) -> None:
    ann = portal.browser()
    path = ann.give_address(ANN)
    with portal.database.write() as session:
        session.query(MailCheck).update({"stage": "signing-in"})
    assert "under way" in ann.get(path).get_data(as_text=True)
    portal.clock.advance(60_000_000)
    ann.get(path)
    assert "did not decide in time" in ann.text()
    ann.give_password(path, PASSWORDS[ANN])
    assert ann.post(f"{path}/finish").headers["Location"] == "/"


def test_without_scripts_the_progress_page_has_a_link_to_see_more(portal: Portal) -> None:
    ann = portal.browser()
    path = ann.give_address(ANN)
    with portal.database.write() as session:
        session.query(MailCheck).update({"stage": "connecting"})
    page = ann.get(path).get_data(as_text=True)
    assert "<noscript>" in page
    assert f'<a href="{path}">' in page


def test_an_old_sign_in_page_adds_nothing_to_whoever_signed_in_since(portal: Portal) -> None:
    ann = portal.browser()
    ann.sign_in(ANN)
    ann.get("/accounts/add")
    answer = ann.post("/sign-in", {"address": BOB})
    assert answer.headers["Location"] == "/"
    assert {check.address for check in portal.rows(MailCheck)} == {ANN}
