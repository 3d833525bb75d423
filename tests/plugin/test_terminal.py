"""On a terminal: secrets stay unseen, Ctrl-C leaves nothing half done, narrow ones are served."""

import time
from pathlib import Path

from plugin.errors import ExitCode
from tests.plugin.client import Client
from tests.plugin.loopback_portal import ANN, PASSWORD, SmallPortal
from tests.plugin.loopback_service import Asked, Message, Service, running

INTERRUPTED = 130
CTRL_C = "\x03"


def test_ctrl_c_at_the_password_leaves_nothing(client: Client, portal: SmallPortal) -> None:
    asked = ("activate", "--account", ANN)
    status, shown = client.type([(f"Password of {ANN}: ", CTRL_C)], *asked)
    assert status == INTERRUPTED
    assert "Traceback" not in shown
    assert portal.calls == []
    assert client.held() == ()


def test_ctrl_c_while_the_portal_works_leaves_nothing(
    client: Client, portal: SmallPortal, service: Service
) -> None:
    def slow(asked: Asked) -> Message:
        time.sleep(4)
        return portal(asked)

    service.api = slow
    typed = [(f"Password of {ANN}: ", PASSWORD), ("this may take a minute", CTRL_C)]
    status, shown = client.type(typed, "activate", "--account", ANN)
    assert status == INTERRUPTED
    assert "Traceback" not in shown
    assert client.held() == ()
    assert client.device().pending() == ()
    assert client.run("activate", "--account", ANN, passwords=[PASSWORD]).status == ExitCode.OK


def test_a_long_wait_says_that_it_waits(
    client: Client, portal: SmallPortal, service: Service
) -> None:
    def slow(asked: Asked) -> Message:
        time.sleep(6)
        return portal(asked)

    service.api = slow
    done = client.run("activate", "--account", ANN, passwords=[PASSWORD])
    assert done.status == ExitCode.OK
    assert "still waiting for the portal (5 s)" in done.stderr


def test_of_several_portals_one_is_chosen(client: Client, tmp_path: Path) -> None:
    folder = tmp_path / "another"
    folder.mkdir()
    with running(folder) as another:
        another.api = SmallPortal(another)
        by = ("--ca-file", str(another.ca_file), "--fingerprint", another.bundle.fingerprint)
        client.run("trust", "add", another.issuer, *by)
        number = [trust.issuer for trust in client.device().trust.all()].index(another.issuer) + 1
        typed = [("Which service? [1-2]", str(number)), (f"Password of {ANN}: ", PASSWORD)]
        status, shown = client.type(typed, "activate", "--account", ANN)
        assert status == ExitCode.OK, shown
        assert {key.issuer for key in client.held()} == {another.issuer}


def test_a_narrow_terminal_gets_one_thing_below_the_other(client: Client) -> None:
    client.run("activate", "--account", ANN, passwords=[PASSWORD])
    _status, wide = client.type([], "keys", "list", columns=120)
    _status, narrow = client.type([], "keys", "list", columns=48)
    assert "KEY       ACCOUNT" in wide
    assert "ACCOUNT  ann@example.org" in narrow
    assert max(map(len, narrow.splitlines())) <= 48


def test_no_color_means_none(client: Client) -> None:
    _status, bold = client.type([], "status")
    _status, plain = client.type([], "status", NO_COLOR="1")
    assert "\x1b[1m" in bold
    assert "\x1b" not in plain
