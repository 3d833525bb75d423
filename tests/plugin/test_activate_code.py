"""`handfast activate --code`: typed, agreed on, asked about, and only then active."""

import json
from dataclasses import replace

import pytest

from plugin.crashpoints import EXIT_STATUS, POINTS
from plugin.device import Device
from plugin.errors import ExitCode, UserError
from plugin.exchange import typed_code
from protocol.codes import read_code
from tests.plugin.client import Client
from tests.plugin.loopback_portal import SmallPortal
from tests.plugin.loopback_service import Service

ANN = "ann@example.org"
pytestmark = pytest.mark.usefixtures("portal")


@pytest.fixture
def portal(service: Service) -> SmallPortal:
    service.api = SmallPortal(service)
    return service.api


def wrong(code: str) -> str:
    """The same handle with another secret, and the check symbol that belongs to it."""
    right = read_code(code)
    other = "0000000" if right.secret != "0000000" else "1111111"
    return type(right)(right.handle, other).text


def paths_of(service: Service) -> list[str]:
    return [path for path, _body in service.requests if not path.startswith("/.well-known")]


def words_of(client: Client) -> set[tuple[str, ...]]:
    return {key.words for key in client.held()}


def test_a_code_is_typed_and_the_person_says_yes(client: Client, service: Service) -> None:
    code = service.add_code("mail", "contacts")
    status, screen = client.type([("Code:", code.lower()), ("Allow?", "y")], "activate", "--code")
    assert status == ExitCode.OK, screen
    assert service.issuer in screen
    assert f"{ANN} (mail, contacts)" in screen
    assert "is active" in screen
    assert words_of(client) == service.words()
    assert len(service.words()) == 2


def test_nothing_is_active_before_the_yes(client: Client, service: Service) -> None:
    """Consent comes after the complete: a no ends the keys that the service has made."""
    status, screen = client.type(
        [("Code:", service.add_code()), ("Allow?", "n")], "activate", "--code"
    )
    assert status == ExitCode.REFUSED_BY_PERSON
    assert "this device keeps no key" in screen
    assert client.held() == ()
    assert client.device().store.read().unwanted == ()
    assert [row.state for row in service.packets.rows.values()] == ["revoked"]


def test_the_service_is_told_of_the_no_when_it_can_be_reached(
    client: Client, service: Service
) -> None:
    service.faults.append(lambda path, message: None if path == "/packet" else message)
    status, screen = client.type(
        [("Code:", service.add_code()), ("Allow?", "n")], "activate", "--code"
    )
    assert status == ExitCode.REFUSED_BY_PERSON
    assert "could not be told yet" in screen
    assert client.held() == ()
    service.faults.clear()
    client.run("refresh")
    assert client.device().store.read().unwanted == ()
    assert [row.state for row in service.packets.rows.values()] == ["revoked"]


def test_a_refused_code_leaves_the_key_from_before(client: Client, service: Service) -> None:
    assert client.run("activate", "--code", "--yes", code=service.add_code()).status == 0
    before = words_of(client)
    client.type([("Code:", service.add_code()), ("Allow?", "n")], "activate", "--code")
    assert words_of(client) == before
    assert client.run("refresh").status == ExitCode.OK


def test_a_script_gives_the_code_by_descriptor_and_reads_json(
    client: Client, service: Service
) -> None:
    done = client.run("activate", "--yes", "--json", code=service.add_code("mail"))
    assert done.status == ExitCode.OK, done.stderr
    assert done.json["portal"] == service.issuer
    (key,) = done.json["keys"]
    assert (key["account"], key["service"]) == (ANN, "mail")
    assert {tuple(key["words"])} == service.words()


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda code: "U" + code[1:], "group 1"),
        (lambda code: code[:-1] + "*", "group 3"),
        (lambda code: code[:-1], "twelve symbols"),
        (lambda code: code[:-1] + ("0" if code[-1] != "0" else "1"), "not right"),
    ],
)
def test_a_slip_is_told_at_once_and_sends_nothing(
    spoil: object, told: str, client: Client, service: Service
) -> None:
    assert callable(spoil)
    before = len(service.requests)
    done = client.run("activate", "--yes", "--json", code=spoil(service.add_code()))
    assert done.status == ExitCode.USAGE
    assert told in json.loads(done.stdout)["error"]["message"]
    assert done.json["error"]["code"] == "mistyped-code"
    assert len(service.requests) == before


def test_a_slip_on_the_terminal_is_asked_again(client: Client, service: Service) -> None:
    code = service.add_code()
    typed = [("Code:", code[:-2]), ("Code:", code), ("Allow?", "y")]
    status, screen = client.type(typed, "activate", "--code")
    assert status == ExitCode.OK, screen
    assert paths_of(service).count("/init") == 1


def test_a_wrong_code_is_one_run_and_the_right_one_goes_on(
    client: Client, service: Service
) -> None:
    code = service.add_code()
    done = client.run("activate", "--yes", code=wrong(code))
    assert done.status == ExitCode.REFUSED_BY_SERVICE
    assert "wrong, too old, used, or was tried too often" in done.stderr
    handle = read_code(code).handle
    assert len(service.activations[handle].runs) == 1
    assert client.held() == ()
    status = client.run("status")
    assert status.status == ExitCode.UNFINISHED
    assert "handfast activate --code" in status.stdout
    assert client.run("activate", "--yes", code=code).status == ExitCode.OK
    assert len(service.activations[handle].runs) == 2
    assert client.device().pending() == ()
    assert words_of(client) == service.words()


def test_five_wrong_ones_use_it_up(device: Device, service: Service) -> None:
    code, trust = service.add_code(), device.trust.get(service.issuer)
    for typed in [wrong(code)] * 5 + [code]:
        with pytest.raises(UserError, match="does not take this code"):
            typed_code.activate(
                read_code(typed), trust=trust, device=device, consent=lambda _request: True
            )
        # Each entry ended the one before it.
        assert len(device.pending()) <= 1
    assert service.words() == set()


def test_a_mistyped_code_is_forgotten_after_a_day(device: Device, service: Service) -> None:
    with pytest.raises(UserError):
        typed_code.activate(
            read_code(wrong(service.add_code())),
            trust=device.trust.get(service.issuer),
            device=device,
            consent=lambda _request: True,
        )
    later = replace(device, clock=lambda: device.clock() + 86_401)
    assert len(device.pending()) == 1
    assert later.pending() == ()


def test_a_code_on_the_command_line_is_refused(client: Client, service: Service) -> None:
    done = client.run("activate", "--code", service.add_code())
    assert done.status == ExitCode.USAGE
    assert "does not belong into the command" in done.stderr
    assert paths_of(service) == []


def test_a_code_names_its_accounts_itself(client: Client) -> None:
    done = client.run("activate", "--code", "--account", ANN)
    assert done.status == ExitCode.USAGE


def test_without_a_terminal_and_a_descriptor_nothing_happens(client: Client) -> None:
    assert client.run("activate", "--code").status == ExitCode.NO_WAY_TO_ASK


def test_nobody_to_ask_leaves_the_code_for_later(client: Client, service: Service) -> None:
    code = service.add_code()
    done = client.run("activate", "--code", code=code)
    assert done.status == ExitCode.NO_WAY_TO_ASK
    assert client.held() == ()
    # The person comes back: the code is not typed again.
    status, screen = client.type([("Allow?", "y")], "activate", "--code")
    assert status == ExitCode.OK, screen
    assert paths_of(service).count("/init") == 1
    assert words_of(client) == service.words()


def test_a_status_does_not_say_yes_for_the_person(client: Client, service: Service) -> None:
    client.run("activate", "--code", code=service.add_code())
    client.run("status")
    client.run("refresh")
    assert client.held() == ()


def test_the_code_is_in_no_output_and_in_no_file(client: Client, service: Service) -> None:
    code = service.add_code()
    done = client.run("activate", "--yes", code=code)
    secret = read_code(code).secret
    assert secret not in done.stdout + done.stderr
    for _path, body in service.requests:
        assert secret.encode() not in body
    stored = client.device().store.read()
    assert secret not in repr([stored.keys, stored.pending, stored.used])


# A yes without a question passes all of these.
ON_THE_WAY = (
    "device.init.sent",
    "device.reply.received",
    "device.pending.stored",
    "device.confirm.sent",
    "device.complete.received",
    "device.active.stored",
)


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("point", ON_THE_WAY)
def test_a_killed_device_ends_with_the_keys_of_the_service(
    point: str, times: int, client: Client, service: Service
) -> None:
    code = service.add_code("mail", "contacts")
    crash = {"HANDFAST_TESTING": "1", "HANDFAST_CRASH_AT": point}
    assert client.run("activate", "--yes", code=code, **crash).status == EXIT_STATUS
    if times == 2:
        client.run("activate", "--yes", code=code, **crash)
    if not client.held():
        assert client.run("activate", "--yes", code=code).status == ExitCode.OK
    assert words_of(client) == service.words()
    assert len(service.words()) == 2
    assert client.device().pending() == ()


@pytest.mark.parametrize("point", ["device.unwanted.stored", "device.packet.sent"])
def test_a_device_killed_after_a_no_still_tells_the_service(
    point: str, client: Client, service: Service
) -> None:
    assert point in POINTS
    status, _screen = client.type(
        [("Code:", service.add_code()), ("Allow?", "n")],
        "activate",
        "--code",
        HANDFAST_TESTING="1",
        HANDFAST_CRASH_AT=point,
    )
    assert status == EXIT_STATUS
    assert client.held() == ()
    client.run("refresh")
    assert client.device().store.read().unwanted == ()
    assert [row.state for row in service.packets.rows.values()] == ["revoked"]
