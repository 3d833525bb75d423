"""Way C: keys for several accounts in one call, without any browser."""

import pytest

from plugin.errors import ExitCode
from tests.e2e.main_job.installation import ANN, ANN_AT_WORK, PASSWORDS, Installation
from tests.plugin.client import Client

pytestmark = [pytest.mark.dovecot, pytest.mark.timeout(300)]


def test_two_accounts_in_one_call_get_all_their_keys(client: Client, portal: Installation) -> None:
    asked = ("--account", ANN, "--account", ANN_AT_WORK)
    done = client.run("activate", *asked, passwords=[PASSWORDS[ANN], PASSWORDS[ANN_AT_WORK]])
    assert done.status == ExitCode.OK, done.stderr
    words = client.words()
    assert {account for account, _service in words} == {ANN, ANN_AT_WORK}
    for address in (ANN, ANN_AT_WORK):
        on_device = {
            service: each for (account, service), each in words.items() if account == address
        }
        assert on_device == portal.active_words(address)
        assert f"\N{CHECK MARK} {address}" in done.stdout
    for four in words.values():
        assert four in done.stdout


def test_one_wrong_password_leaves_the_other_account_its_keys(client: Client) -> None:
    asked = ("--account", ANN, "--account", ANN_AT_WORK, "--service", "mail")
    done = client.run("activate", *asked, passwords=[PASSWORDS[ANN], "wrong"])
    assert done.status == ExitCode.PARTLY, done.stderr
    assert set(client.words()) == {(ANN, "mail")}
    assert f"\N{BALLOT X} {ANN_AT_WORK}: " in done.stdout


def test_on_a_terminal_addresses_and_passwords_are_asked_for(client: Client) -> None:
    typed = [
        ("Your mail address: ", ANN),
        ("Another address (Enter for none): ", ""),
        (f"Password of {ANN}: ", PASSWORDS[ANN]),
    ]
    status, shown = client.type(typed, "activate")
    assert status == ExitCode.OK, shown
    assert PASSWORDS[ANN] not in shown
    assert {account for account, _service in client.words()} == {ANN}
