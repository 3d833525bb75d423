"""`handfast activate --waiting` with ids as the portal makes them."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from plugin.errors import ExitCode
from tests.plugin.client import Client
from tests.plugin.loopback_portal import ANN, PASSWORD, SmallPortal
from tests.plugin.loopback_service import Asked, Message, Service

HYPHENS = "--9xKdPq2vWmZr0s_LtBgA"
OTHER = "Q7hN-4bYcXe1u8TzAoRfKw"


@dataclass
class WaitingPortal(SmallPortal):
    """Two activations wait for a device; it notes which one was taken."""

    taken: str = ""

    def __call__(self, asked: Asked) -> Message:
        if asked.token in self.tokens and asked.path.startswith("/api/v1/activations"):
            return self._activations(asked)
        return super().__call__(asked)

    def _activations(self, asked: Asked) -> Message:
        answer: object = [waiting(HYPHENS), waiting(OTHER)]
        if asked.method == "POST":
            self.taken = asked.path.split("/")[4]
            answer = {"document": self.service.issue("mail").decode()}
        return 200, "application/json", json.dumps(answer).encode()


def waiting(identifier: str) -> dict[str, object]:
    service = {"account": ANN, "service": "mail"}
    return {"id": identifier, "state": "open", "created_at": 0, "services": [service]}


@pytest.fixture
def portal(service: Service) -> WaitingPortal:
    portal = WaitingPortal(service)
    service.api = portal
    return portal


@pytest.fixture
def client(service: Service, portal: WaitingPortal, tmp_path: Path) -> Client:
    """A device that trusts the portal and is signed in."""
    client = Client(tmp_path)
    by = ("--ca-file", str(service.ca_file), "--fingerprint", service.bundle.fingerprint)
    assert client.run("trust", "add", service.issuer, *by).status == ExitCode.OK
    client.run("sessions", "--account", ANN, passwords=[PASSWORD])
    return client


def test_an_id_that_begins_with_hyphens_is_typed_as_it_is_shown(
    client: Client, portal: WaitingPortal
) -> None:
    listed = client.run("activate", "--waiting")
    assert listed.status == ExitCode.USAGE
    shown = [line.split()[0] for line in listed.stderr.splitlines() if "begun" in line]
    assert shown == ["9xKdPq2v", "Q7hN-4bY"]
    done = client.run("activate", "--waiting", shown[0])
    assert done.status == ExitCode.OK, done.stderr
    assert portal.taken == HYPHENS


@pytest.mark.parametrize("words", [(f"--waiting={HYPHENS}",), ("--waiting", HYPHENS)])
def test_the_whole_id_is_taken_too(
    client: Client, portal: WaitingPortal, words: tuple[str, ...]
) -> None:
    done = client.run("activate", *words)
    assert done.status == ExitCode.OK, done.stderr
    assert portal.taken == HYPHENS


def test_hyphens_alone_name_nothing(client: Client, portal: WaitingPortal) -> None:
    assert client.run("activate", "--waiting=--").status == ExitCode.USAGE
    assert portal.taken == ""
