"""Ann's device, the service it talks to, and the command as a program of its own."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from plugin.device import Device
from plugin.errors import ExitCode
from plugin.network.transport import Transport
from plugin.paths import Paths
from tests.plugin.client import Client
from tests.plugin.loopback_portal import SmallPortal
from tests.plugin.loopback_service import Service, running

REPOSITORY = Path(__file__).parents[2]

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    folder = tmp_path / "service"
    folder.mkdir()
    with running(folder) as service:
        yield service


@pytest.fixture
def portal(service: Service) -> SmallPortal:
    """The service's API for clients, which keeps what it was asked."""
    service.api = SmallPortal(service)
    return service.api


@pytest.fixture
def client(service: Service, portal: SmallPortal, tmp_path: Path) -> Client:
    """A device that knows nothing but that it trusts the portal."""
    client = Client(tmp_path)
    by = ("--ca-file", str(service.ca_file), "--fingerprint", service.bundle.fingerprint)
    assert client.run("trust", "add", service.issuer, *by).status == ExitCode.OK
    return client


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    home = {"HANDFAST_HOME": str(tmp_path / "home"), "HANDFAST_SYSTEM_DIR": str(tmp_path / "etc")}
    return Paths.from_environment(home)


def open_device(paths: Paths, *, deadline: float = 5.0) -> Device:
    """Return the device in these folders, as another process would see it, but never waiting."""
    return Device.open(paths, sleep=lambda _seconds: None, transport=Transport(deadline=deadline))


def environment(paths: Paths, **more: str) -> dict[str, str]:
    """Return what the command finds around itself on the device in these folders."""
    return {
        "PATH": os.environ["PATH"],
        "HANDFAST_HOME": str(paths.data_dir.parent),
        "HANDFAST_SYSTEM_DIR": str(paths.system_dir),
        "PYTHONPATH": str(REPOSITORY),
        "LC_ALL": "C.UTF-8",
        **more,
    }


@pytest.fixture
def device(paths: Paths, service: Service) -> Device:
    """A device that trusts the service."""
    device = open_device(paths)
    device.trust.add(service.bundle, service.key_set(), ca_file=service.ca_file)
    device.identity(service.issuer)
    return device


@pytest.fixture
def handfast(paths: Paths, tmp_path: Path) -> Run:
    """Run the command without terminal or display, as a launcher would."""

    def run(*arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "plugin", *arguments],
            cwd=tmp_path,
            env=environment(paths, **more),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            # Without a session of its own the program could find our terminal and ask there.
            start_new_session=True,
        )

    return run
