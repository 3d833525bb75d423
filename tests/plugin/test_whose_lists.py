"""Whose devices and sessions are listed, on a device that has served more than one person."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from plugin.errors import ExitCode
from tests.plugin.client import Client
from tests.plugin.loopback_portal import ANN, PASSWORD, SmallPortal
from tests.plugin.loopback_service import Asked, Message, Service

BOB = "bob@example.org"
ANN_AT_WORK = "ann@work.example"
LISTS = ("devices", "sessions")


@dataclass
class PeoplesPortal(SmallPortal):
    """It says which accounts the person who is signed in has."""

    own: tuple[str, ...] = (ANN,)

    def __call__(self, asked: Asked) -> Message:
        if asked.token in self.tokens and asked.path.startswith("/api/v1/accounts"):
            found = [{"id": str(number), "address": one} for number, one in enumerate(self.own)]
            return 200, "application/json", json.dumps(found).encode()
        return super().__call__(asked)


@pytest.fixture
def portal(service: Service) -> PeoplesPortal:
    portal = PeoplesPortal(service)
    service.api = portal
    return portal


@pytest.fixture
def active(service: Service, portal: PeoplesPortal, tmp_path: Path) -> Client:
    """A device with keys of Ann's, signed in at the portal."""
    client = Client(tmp_path)
    by = ("--ca-file", str(service.ca_file), "--fingerprint", service.bundle.fingerprint)
    assert client.run("trust", "add", service.issuer, *by).status == ExitCode.OK
    assert client.run("activate", "--account", ANN, passwords=[PASSWORD]).status == ExitCode.OK
    return client


@pytest.mark.parametrize("command", LISTS)
def test_a_list_says_whose_it_is(
    command: str, active: Client, portal: PeoplesPortal, service: Service
) -> None:
    portal.own = (ANN, ANN_AT_WORK)
    done = active.run(command)
    assert done.status == ExitCode.OK, done.stderr
    assert f"{ANN}, {ANN_AT_WORK} at {service.issuer}:" in done.stdout.splitlines()[0]
    assert done.stderr == ""


@pytest.mark.parametrize("command", LISTS)
def test_it_says_whose_it_is_not_and_how_to_see_theirs(
    command: str, active: Client, portal: PeoplesPortal
) -> None:
    portal.own = (BOB,)
    done = active.run(command)
    assert f"{BOB} at " in done.stdout.splitlines()[0]
    assert f"does not tell of {ANN}," in done.stderr
    assert "handfast sessions end current" in done.stderr
    *_above, last = done.stderr.splitlines()
    program, *words = last.split()
    assert program == "handfast"
    # Once the session has ended, the very command that was named shows the other person's list.
    portal.tokens.clear()
    portal.own = (ANN,)
    done = active.run(*words, passwords=[PASSWORD])
    assert done.status == ExitCode.OK, done.stderr
    assert f"{ANN} at " in done.stdout.splitlines()[0]


def test_an_account_that_was_named_but_is_not_signed_in_is_told_of(active: Client) -> None:
    done = active.run("devices", "--account", BOB)
    assert f"does not tell of {BOB}," in done.stderr


@pytest.mark.parametrize("command", LISTS)
def test_programs_get_the_list_alone(command: str, active: Client, portal: PeoplesPortal) -> None:
    portal.own = (BOB,)
    done = active.run(command, "--json")
    assert done.json == []
    assert done.stderr == ""
