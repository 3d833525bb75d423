"""Throttles: kept across restarts, by /64, and never a way to lock the owner out."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.addresses import sender
from app.clock import MINUTE
from app.models import Throttle
from app.throttle import PER_ACCOUNT, PER_ACCOUNT_AND_ADDRESS, PER_ADDRESS, TooManyError
from tests.app.portal_fixtures import ANN, BOB, PASSWORDS, Portal, build


def guess(portal: Portal, client: str, times: int, account: str = ANN) -> None:
    """Count that many credentials from an address."""
    for _ in range(times):
        portal.here.throttles.count_credential(account, client, now=portal.clock.now())


def is_refused(portal: Portal, client: str, account: str = ANN) -> bool:
    try:
        guess(portal, client, 1, account)
    except TooManyError:
        return True
    return False


def test_guessing_is_slowed_down_with_a_page_that_says_for_how_long(portal: Portal) -> None:
    stranger = portal.browser("198.51.100.9")
    path = stranger.give_address(ANN)
    guess(portal, "198.51.100.9", PER_ACCOUNT_AND_ADDRESS.count)
    answer = stranger.post(f"{path}/credential", {"password": "wrong"})
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == str(15 * 60 + 1)
    assert "You can try again in 16 minutes" in stranger.text()


@pytest.mark.parametrize(
    ("username", "mailbox"),
    [
        ("Ann@example.org", ANN),
        (" \uff21nn@example.org", ANN),
        ("ann", "ann@imap.example.net"),
        ("ann", ANN),
    ],
)
def test_guessing_at_a_named_server_counts_for_the_mailbox_whatever_the_address(
    portal: Portal, username: str, mailbox: str
) -> None:
    bob = portal.browser()
    bob.sign_in(BOB)
    path = bob.give_address("anything@example.org", "/accounts/add")
    number = path.rpartition("/")[2]
    bob.get(f"/accounts/add/{number}/server")
    named = {"host": "imap.example.net", "port": 1, "security": "tls", "username": username}
    bob.post(f"/accounts/add/{number}/server", named)
    guess(portal, bob.address, PER_ACCOUNT_AND_ADDRESS.count, mailbox)
    bob.get(path)
    assert bob.post(f"{path}/credential", {"password": "guess"}).status_code == 429


def test_many_addresses_in_a_row_are_slowed_down_too(portal: Portal) -> None:
    stranger = portal.browser()
    for _ in range(PER_ADDRESS.count):
        portal.here.throttles.count_request(stranger.address, now=portal.clock.now())
    stranger.get("/sign-in")
    assert stranger.post("/sign-in", {"address": ANN}).status_code == 429


def test_a_restart_does_not_forgive(tmp_path: Path) -> None:
    before = build(tmp_path)
    guess(before, "198.51.100.9", PER_ACCOUNT_AND_ADDRESS.count)
    before.here.close()
    after = build(tmp_path)
    assert is_refused(after, "198.51.100.9")
    after.here.close()


def test_the_window_ends(portal: Portal) -> None:
    guess(portal, "198.51.100.9", PER_ACCOUNT_AND_ADDRESS.count)
    assert is_refused(portal, "198.51.100.9")
    portal.clock.advance(15 * MINUTE)
    assert not is_refused(portal, "198.51.100.9")


def test_other_accounts_are_not_concerned(portal: Portal) -> None:
    guess(portal, "198.51.100.9", PER_ACCOUNT_AND_ADDRESS.count)
    assert not is_refused(portal, "198.51.100.9", BOB)


def test_many_guessers_together_reach_the_limit_of_the_account(portal: Portal) -> None:
    for number in range(PER_ACCOUNT.count):
        guess(portal, f"198.51.100.{number}", 1)
    assert is_refused(portal, "203.0.113.5")


def test_the_owner_signs_in_while_others_guess(portal: Portal) -> None:
    ann = portal.browser("192.0.2.7")
    ann.sign_in(ANN)
    for number in range(PER_ACCOUNT.count + 5):
        is_refused(portal, f"198.51.100.{number}")
    assert is_refused(portal, "203.0.113.5")
    again = portal.browser("192.0.2.7")
    path = again.give_address(ANN)
    again.give_password(path, PASSWORDS[ANN])
    assert again.post(f"{path}/finish").headers["Location"] == "/"


@pytest.mark.parametrize(
    ("client", "counts_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
    ],
)
def test_what_an_address_counts_as(client: str, counts_as: str) -> None:
    assert sender(client) == counts_as


def test_the_table_does_not_tell_who_signs_in_from_where(portal: Portal) -> None:
    portal.browser("192.0.2.77").sign_in(ANN)
    assert all(ANN not in row.bucket and "192.0" not in row.bucket for row in portal.rows(Throttle))
