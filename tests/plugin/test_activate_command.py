"""`handfast activate` against a portal that loses answers, lies, is busy, or knows nobody."""

import json
from pathlib import Path

import pytest

from plugin.crashpoints import EXIT_STATUS
from plugin.errors import ExitCode
from tests.plugin.client import Client
from tests.plugin.conftest import Run
from tests.plugin.loopback_portal import ANN, PASSWORD, SmallPortal, problem
from tests.plugin.loopback_service import Asked, Message, Service, running
from tests.plugin.test_crash_points import PASSED

ASKED = ("activate", "--account", ANN)


def lose(service: Service, times: int) -> None:
    """Have the first answers with a document get lost."""
    lost = iter([True] * times)

    def fault(asked: str, answer: Message) -> Message | None:
        return None if asked == "/api/v1/activations" and next(lost, False) else answer

    service.faults.append(fault)


def test_a_lost_answer_is_asked_for_again_under_the_same_ticket(
    client: Client, portal: SmallPortal, service: Service
) -> None:
    lose(service, 2)
    done = client.run(*ASKED, passwords=[PASSWORD])
    assert done.status == ExitCode.OK, done.stderr
    bodies = [json.loads(call.body) for call in portal.calls]
    assert len(bodies) == 3
    assert len({body["ticket"] for body in bodies}) == 1
    assert {key.words for key in client.held()} == service.words()


def test_whoever_is_signed_in_gets_the_accounts_of_the_next_call(
    client: Client, portal: SmallPortal
) -> None:
    client.run(*ASKED, passwords=[PASSWORD])
    (token,) = portal.tokens
    client.run(*ASKED, passwords=[PASSWORD])
    assert [call.token for call in portal.calls] == [None, token]


def test_a_token_that_is_over_is_dropped(client: Client, portal: SmallPortal) -> None:
    client.run(*ASKED, passwords=[PASSWORD])
    portal.tokens.clear()
    assert client.run(*ASKED, passwords=[PASSWORD]).status == ExitCode.OK
    assert [call.token is None for call in portal.calls] == [True, False, True]


def test_two_commands_have_two_tickets(client: Client, portal: SmallPortal) -> None:
    for _time in range(2):
        client.run(*ASKED, passwords=[PASSWORD])
    assert len({json.loads(call.body)["ticket"] for call in portal.calls}) == 2


def test_when_every_answer_is_lost_it_is_unfinished_and_can_be_run_again(
    client: Client, service: Service
) -> None:
    lose(service, 3)
    done = client.run(*ASKED, passwords=[PASSWORD])
    assert done.status == ExitCode.UNFINISHED
    assert "run the same command again" in done.stderr
    assert client.run(*ASKED, passwords=[PASSWORD]).status == ExitCode.OK


def test_a_busy_portal_is_asked_again_when_it_says_so(
    client: Client, portal: SmallPortal, service: Service
) -> None:
    service.retry_after = 1
    busy = iter([problem(503, "unavailable")])
    service.api = lambda asked: next(busy, None) or portal(asked)
    done = client.run(*ASKED, passwords=[PASSWORD])
    assert done.status == ExitCode.OK, done.stderr
    assert "the portal cannot do this now: trying again" in done.stderr


def test_nobody_waits_for_an_hour(client: Client, service: Service) -> None:
    service.retry_after = 3600
    service.api = lambda _asked: problem(429, "too-many")
    done = client.run(*ASKED, passwords=[PASSWORD])
    assert done.status == ExitCode.UNFINISHED
    assert "try again in 60 minutes" in done.stderr


def test_a_document_for_another_account_is_refused(
    client: Client, portal: SmallPortal, service: Service
) -> None:
    def lie(asked: Asked) -> Message:
        return portal(Asked(asked.method, asked.path, asked.body.replace(b"bob", b"ann"), None))

    service.api = lie
    done = client.run("activate", "--account", "bob@example.org", passwords=[PASSWORD])
    assert done.status == ExitCode.UNTRUSTED
    assert f"you did not ask for: {ANN}" in done.stderr
    assert client.held() == ()
    assert not [path for path, _body in service.requests if path == "/init"]


def test_a_document_for_another_service_is_refused(client: Client) -> None:
    done = client.run(*ASKED, "--service", "calendar", passwords=[PASSWORD])
    assert done.status == ExitCode.UNTRUSTED
    assert client.held() == ()


def test_a_document_that_nobody_trusted_signed_is_refused(
    client: Client, portal: SmallPortal, service: Service
) -> None:
    with_other_key = Service(service.ca, service.ca_file, issuer=service.issuer)
    with_other_key.exchange = service.exchange
    portal.service = with_other_key
    done = client.run(*ASKED, passwords=[PASSWORD])
    assert done.status == ExitCode.UNTRUSTED
    assert client.held() == ()


def test_an_answer_that_cannot_be_read_ends_plainly(client: Client, service: Service) -> None:
    for body in (b"", b"[]", b"{", b'{"token": 1}', b"\xff"):
        service.api = lambda _asked, body=body: (200, "application/json", body)
        done = client.run(*ASKED, passwords=[PASSWORD])
        assert done.status == ExitCode.UNFINISHED, done.stderr
        assert "Traceback" not in done.stderr


def test_nothing_is_active_when_no_account_was_accepted(client: Client) -> None:
    done = client.run(*ASKED, passwords=["wrong"])
    assert done.status == ExitCode.REFUSED_BY_SERVICE
    assert f"\N{BALLOT X} {ANN}: the mail server did not accept this password" in done.stdout
    assert f"then: handfast activate --account {ANN}" in done.stdout


def test_json_says_how_each_account_ended(client: Client) -> None:
    asked = (*ASKED, "--account", "bob@example.org", "--json")
    done = client.run(*asked, passwords=[PASSWORD, "wrong"])
    assert done.status == ExitCode.PARTLY
    assert set(done.json) == {"portal", "device", "accounts"}
    ann, bob = done.json["accounts"]
    assert set(ann) == set(bob) == {"address", "outcome", "proven", "problem", "keys"}
    assert {*ann["keys"][0]} == {"key_id", "service", "service_uid", "words"}
    assert (ann["outcome"], ann["problem"]) == ("active", None)
    assert [key["words"] for key in ann["keys"]] == [list(key.words) for key in client.held()]
    assert (bob["outcome"], bob["keys"]) == ("refused", [])
    assert bob["problem"]["code"] == "wrong-credential"


def test_one_descriptor_holds_the_passwords_of_all_accounts(client: Client) -> None:
    asked = (*ASKED, "--account", "bob@example.org", "--json")
    done = client.run(*asked, passwords=[f"{PASSWORD}\nwrong"])
    assert done.status == ExitCode.PARTLY
    outcomes = [account["outcome"] for account in done.json["accounts"]]
    assert outcomes == ["active", "refused"]


@pytest.mark.parametrize(
    ("arguments", "passwords", "exit_code"),
    [
        (("activate", "--json"), [], ExitCode.NO_WAY_TO_ASK),
        (("activate", "--json", "--account", ANN), [], ExitCode.NO_WAY_TO_ASK),
        (("activate", "--json", "--account", ANN), ["one", "two"], ExitCode.USAGE),
        (("activate", "--json", "--account", ANN), [""], ExitCode.USAGE),
        (("activate", "--json", "--account", "ann"), ["one"], ExitCode.USAGE),
        (("activate", "--json", "--account", ANN, "--account", ANN.upper()), [], ExitCode.USAGE),
        (("activate", "--json", "--account", ANN, "--server", "x:1"), ["x"], ExitCode.USAGE),
        (("activate", "--json", "--account", ANN, "--server", f"{ANN}=x"), ["x"], ExitCode.USAGE),
        (("activate", "--json", "https://other.example", "--account", ANN), [], ExitCode.USAGE),
        (("activate", "--json", "--nonsense"), [], ExitCode.USAGE),
    ],
    ids=str,
)
def test_errors_are_json_too(
    arguments: tuple[str, ...], passwords: list[str], exit_code: ExitCode, client: Client
) -> None:
    done = client.run(*arguments, passwords=passwords)
    assert done.status == exit_code
    error = done.json["error"]
    assert set(error) == {"code", "message", "hint", "exit"}
    assert error["exit"] == exit_code


def test_what_the_person_says_about_a_server_reaches_the_portal(
    client: Client, portal: SmallPortal
) -> None:
    said = ("--server", f"{ANN}=imap.example.org:993", "--user", f"{ANN}=ann.x")
    client.run(*ASKED, *said, passwords=[PASSWORD])
    (account,) = json.loads(portal.calls[0].body)["accounts"]
    assert account["server"] == {"host": "imap.example.org", "port": 993, "security": "tls"}
    assert account["username"] == "ann.x"
    assert "services" not in account


@pytest.mark.parametrize("point", PASSED)
def test_killed_anywhere_the_next_run_resumes(
    point: str, client: Client, service: Service, portal: SmallPortal
) -> None:
    crash = {"HANDFAST_TESTING": "1", "HANDFAST_CRASH_AT": point}
    assert client.run(*ASKED, passwords=[PASSWORD], **crash).status == EXIT_STATUS
    done = client.run(*ASKED, passwords=[PASSWORD])
    assert done.status == ExitCode.OK, done.stderr
    assert {key.words for key in client.held()} <= service.words()
    assert {key.service for key in client.held()} == {"mail", "contacts"}
    assert client.device().pending() == ()


def cut(client: Client, *arguments: str) -> None:
    crash = {"HANDFAST_TESTING": "1", "HANDFAST_CRASH_AT": "device.pending.stored"}
    client.run(*arguments, passwords=[PASSWORD], **crash)


def test_what_was_cut_is_finished_without_the_password(client: Client, portal: SmallPortal) -> None:
    asked = (*ASKED, "--service", "mail", "--service", "contacts")
    cut(client, *asked)
    done = client.run(*asked)
    assert done.status == ExitCode.OK, done.stderr
    assert len(portal.calls) == 1
    assert len(client.held()) == 2
    assert all(key.proven is not None for key in client.held())


def test_all_services_are_still_asked_for_after_one_alone_was_cut(
    client: Client, portal: SmallPortal
) -> None:
    portal.services = ("mail",)
    cut(client, *ASKED, "--service", "mail")
    portal.services = ("mail", "contacts")
    done = client.run(*ASKED, passwords=[PASSWORD])
    assert done.status == ExitCode.OK, done.stderr
    assert {key.service for key in client.held()} == {"mail", "contacts"}


def test_without_any_trust_it_says_how_to_begin(handfast: Run) -> None:
    done = handfast("activate")
    assert done.returncode == ExitCode.USAGE
    assert "handfast trust add" in done.stderr


def test_of_several_portals_one_is_named(
    client: Client, portal: SmallPortal, tmp_path: Path
) -> None:
    folder = tmp_path / "another"
    folder.mkdir()
    with running(folder) as another:
        by = ("--ca-file", str(another.ca_file), "--fingerprint", another.bundle.fingerprint)
        client.run("trust", "add", another.issuer, *by)
        done = client.run(*ASKED, passwords=[PASSWORD])
        assert done.status == ExitCode.USAGE
        assert another.issuer in done.stderr
        assert portal.service.issuer in done.stderr
        named = ("activate", portal.service.issuer, "--account", ANN)
        assert client.run(*named, passwords=[PASSWORD]).status == ExitCode.OK


def test_no_password_is_kept_or_shown(client: Client, tmp_path: Path) -> None:
    done = client.run(*ASKED, passwords=[PASSWORD])
    assert PASSWORD not in done.stdout + done.stderr
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert files
    assert not [file for file in files if PASSWORD.encode() in file.read_bytes()]
    contents = client.device().store.read()
    assert "token-0" in contents.tokens.values()
    assert PASSWORD not in str(contents.tokens)
    assert not [file for file in files if b"token-0" in file.read_bytes()]


def test_a_wrong_password_for_signing_in_is_told_as_that(client: Client) -> None:
    done = client.run("devices", "--account", ANN, passwords=["wrong"])
    assert done.status == ExitCode.REFUSED_BY_SERVICE
    said = f"handfast: error: {ANN}: the mail server did not accept this password\n"
    assert said in done.stderr


def test_a_token_that_is_refused_is_replaced_by_signing_in_again(
    client: Client, portal: SmallPortal, service: Service
) -> None:
    client.run(*ASKED, passwords=[PASSWORD])
    portal.tokens.clear()
    refused = client.run("devices", "list")
    assert refused.status == ExitCode.NO_WAY_TO_ASK
    assert client.device().store.read().tokens == {}
    portal.tokens.add("old")
    done = client.run("devices", "list", "--account", ANN, passwords=[PASSWORD])
    assert done.status == ExitCode.OK, done.stderr
    assert list(client.device().store.read().tokens.values()) == ["token-1"]
