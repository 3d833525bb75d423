"""Lists of the portal that are longer than one page, and links that lead elsewhere."""

import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from plugin.errors import ExitCode
from plugin.limits import MOST_PAGES
from tests.plugin.client import Client
from tests.plugin.loopback_portal import ANN, PASSWORD, SmallPortal
from tests.plugin.loopback_service import Asked, Message, Service

PAGE = 100
MANY = PAGE + 3


@dataclass
class LongPortal(SmallPortal):
    """It has more of everything than one page holds; `next_page` replaces where a list goes on."""

    next_page: str | None = None
    pages: int = 0

    def __call__(self, asked: Asked) -> Message:
        parts = urlsplit(asked.path)
        kind = parts.path.rpartition("/")[2]
        if asked.method != "GET" or asked.token not in self.tokens or kind not in LISTED:
            return super().__call__(asked)
        self.pages += 1
        query = parse_qs(parts.query)
        assert query["limit"] == [str(PAGE)]
        first = int(query.get("cursor", ["0"])[0])
        last = min(first + PAGE, MANY)
        if self.next_page is not None:
            self.service.link = f'<{self.next_page}>; rel="next"'
        elif last < MANY:
            self.service.link = f'<{parts.path}?limit={PAGE}&cursor={last}>; rel="next"'
        found = [{**LISTED[kind], "id": f"{number:022}"} for number in range(first, last)]
        return 200, "application/json", json.dumps(found).encode()


LISTED: dict[str, dict[str, object]] = {
    "devices": {
        "jkt": "",
        "name": "laptop",
        "state": "active",
        "keys": 0,
        "created_at": 0,
        "seen_at": 0,
    },
    "sessions": {
        "kind": "client",
        "name": "laptop",
        "address": "",
        "started_at": 0,
        "seen_at": 0,
        "expires_at": 0,
        "current": False,
    },
    "activations": {"state": "open", "created_at": 0, "services": []},
}


@pytest.fixture
def portal(service: Service) -> LongPortal:
    portal = LongPortal(service)
    service.api = portal
    return portal


@pytest.fixture
def client(service: Service, portal: LongPortal, tmp_path: Path) -> Client:
    """A device that trusts the portal and is signed in."""
    client = Client(tmp_path)
    by = ("--ca-file", str(service.ca_file), "--fingerprint", service.bundle.fingerprint)
    assert client.run("trust", "add", service.issuer, *by).status == ExitCode.OK
    client.run("sessions", "--account", ANN, passwords=[PASSWORD])
    portal.pages = 0
    return client


@pytest.mark.parametrize("command", [("devices",), ("sessions",), ("activate", "--waiting")])
def test_every_page_is_read(client: Client, portal: LongPortal, command: tuple[str, ...]) -> None:
    listed = client.run(*command, "--json")
    assert listed.status == ExitCode.OK, listed.stderr
    found = json.loads(listed.stdout)
    if isinstance(found, dict):
        found = found["waiting"]
    assert [one["id"] for one in found] == [f"{number:022}" for number in range(MANY)]
    assert portal.pages == 2


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://elsewhere.example/api/v1/devices?cursor=1",
        "//elsewhere.example/api/v1/devices?cursor=1",
        "/api/v1/sessions?cursor=1",
        "https://[/api/v1/devices",
    ],
)
def test_a_list_goes_on_nowhere_else(client: Client, portal: LongPortal, elsewhere: str) -> None:
    portal.next_page = elsewhere
    assert client.run("devices").status == ExitCode.UNFINISHED
    assert portal.pages == 1


def test_a_list_without_an_end_ends(client: Client, portal: LongPortal) -> None:
    portal.next_page = f"/api/v1/devices?limit={PAGE}"
    assert client.run("devices", "--json").status == ExitCode.OK
    assert portal.pages == MOST_PAGES
