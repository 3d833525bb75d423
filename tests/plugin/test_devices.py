"""`handfast devices` where the device that is revoked is the one that the command runs on."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from plugin.errors import ExitCode
from tests.plugin.client import Client
from tests.plugin.loopback_portal import ANN, PASSWORD, SmallPortal, problem
from tests.plugin.loopback_service import Asked, Message, Service

HERE = "--9xKdPq2vWmZr0s_LtBgA"


@dataclass
class RevokingPortal(SmallPortal):
    """It lists the one device that signed in, and ends its keys when it is revoked."""

    jkt: str = ""
    revoked: bool = False

    def __call__(self, asked: Asked) -> Message:
        if asked.method == "POST" and "device" in (told := json.loads(asked.body)):
            if self.revoked:
                return problem(403, "device-revoked")
            self.jkt = told["device"]["jkt"]
        if asked.token in self.tokens and asked.path.startswith("/api/v1/devices"):
            return self._devices(asked)
        return super().__call__(asked)

    def _devices(self, asked: Asked) -> Message:
        if asked.method == "DELETE":
            self.revoked = True
            self.tokens.clear()
            for row in self.service.packets.rows.values():
                row.state = "revoked"
            return 204, "application/json", b""
        here = {"id": HERE, "jkt": self.jkt, "name": "laptop", "state": "active", "keys": 2}
        listed = [{**here, "created_at": 0, "seen_at": 0}]
        return 200, "application/json", json.dumps(listed).encode()


@pytest.fixture
def active(service: Service, tmp_path: Path) -> Client:
    """A device with keys, signed in at the portal."""
    service.api = RevokingPortal(service)
    client = Client(tmp_path)
    by = ("--ca-file", str(service.ca_file), "--fingerprint", service.bundle.fingerprint)
    assert client.run("trust", "add", service.issuer, *by).status == ExitCode.OK
    assert client.run("activate", "--account", ANN, passwords=[PASSWORD]).status == ExitCode.OK
    assert [key.proven is not None for key in client.held()] == [True, True]
    return client


def test_revoking_this_device_warns_and_drops_its_keys(active: Client, service: Service) -> None:
    done = active.run("devices", "revoke", "laptop", "--yes")
    assert done.status == ExitCode.OK, done.stderr
    assert f"{service.issuer}/devices" in done.stderr
    assert active.held() == ()


def test_restoring_from_the_revoked_device_names_the_page(active: Client, service: Service) -> None:
    active.run("devices", "revoke", "laptop", "--yes")
    asked = ("devices", "restore", "laptop", "--yes", "--account", ANN)
    refused = active.run(*asked, passwords=[PASSWORD])
    assert refused.status == ExitCode.REFUSED_BY_SERVICE
    assert f"{service.issuer}/devices" in refused.stderr
