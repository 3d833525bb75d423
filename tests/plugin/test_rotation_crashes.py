"""The device is killed at every named point of a rotation, once and twice; no key is ever lost."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from plugin.crashpoints import EXIT_STATUS, POINTS
from plugin.device import Device
from plugin.keystore.records import KeyRecord
from plugin.paths import Paths
from protocol.channel import read_packet
from tests.plugin.conftest import REPOSITORY, Run, open_device
from tests.plugin.loopback_service import Service
from tests.plugin.test_contact import activated

ELSEWHERE = {
    "device.key.ended",
    "device.unwanted.stored",
    "device.removal.stored",
    "device.removal.sent",
    "device.removal.noted",
}
PASSED = tuple(point for point in POINTS if point not in ELSEWHERE)


@pytest.fixture
def key(device: Device, service: Service) -> KeyRecord:
    (key,) = activated(device, service)
    return key


def killed(handfast: Run, point: str, *arguments: str) -> int:
    return handfast(*arguments, HANDFAST_TESTING="1", HANDFAST_CRASH_AT=point).returncode


def check_a_key_works(paths: Paths, service: Service) -> None:
    """I7: whatever happened, the device holds a key that the service takes."""
    held = {key.key_id for key in open_device(paths).store.read().keys}
    assert held & service.packets.active()


def check_end(paths: Paths, service: Service, old: KeyRecord) -> None:
    contents = open_device(paths).store.read()
    assert contents.pending == ()
    assert {key.key_id for key in contents.keys} == service.packets.active()
    (key,) = contents.keys
    assert key.key_id != old.key_id
    assert key.proven is not None
    assert service.packets.rows[old.key_id].state == "retired"
    # I8: no number was used twice, in no process.
    sent = [read_packet(body) for path, body in service.requests if path == "/packet"]
    assert len({(one.key, one.number) for one in sent}) == len(sent)


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("point", PASSED)
def test_a_killed_rotation_goes_on(
    point: str, times: int, key: KeyRecord, service: Service, paths: Paths, handfast: Run
) -> None:
    assert killed(handfast, point, "keys", "rotate", "--all") == EXIT_STATUS
    check_a_key_works(paths, service)
    service.packets.rows[key.key_id].due = True
    if times == 2:
        killed(handfast, point, "refresh")
        check_a_key_works(paths, service)
    done = handfast("refresh")
    assert done.returncode == 0, done.stderr
    check_end(paths, service, key)


@pytest.mark.parametrize("seed", range(8))
def test_a_rotation_killed_at_any_moment_goes_on(
    seed: int, key: KeyRecord, service: Service, paths: Paths, handfast: Run
) -> None:
    service.packets.rows[key.key_id].due = True
    environment = {
        "HANDFAST_HOME": str(paths.data_dir.parent),
        "HANDFAST_SYSTEM_DIR": str(paths.system_dir),
    }
    chance = random.Random(seed)  # noqa: S311 - a seed, so that a failure can be repeated.
    with subprocess.Popen(
        [sys.executable, "-m", "plugin", "refresh"],
        cwd=REPOSITORY,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as running:
        wait_for_a_request(service, running)
        try:
            running.wait(timeout=chance.uniform(0, 0.08))
        except subprocess.TimeoutExpired:
            running.kill()
    check_a_key_works(paths, service)
    assert handfast("refresh").returncode == 0
    check_end(paths, service, key)


def wait_for_a_request(service: Service, running: "subprocess.Popen[bytes]") -> None:
    """Return once the first packet was asked for: everything that matters comes soon after."""
    before = len(service.requests)
    while len(service.requests) == before and running.poll() is None:
        pass


@pytest.mark.parametrize("point", ["device.packet.sent", "device.key.ended", "store.renamed"])
def test_a_killed_revocation_goes_on(
    point: str, key: KeyRecord, service: Service, paths: Paths, handfast: Run
) -> None:
    revoke = ("keys", "revoke", "--yes", key.key_id.lstrip("-"))
    assert killed(handfast, point, *revoke) == EXIT_STATUS
    if open_device(paths).store.read().keys:
        assert handfast(*revoke).returncode == 0
    assert open_device(paths).store.read().keys == ()
    assert service.packets.rows[key.key_id].state == "revoked"


def test_a_killed_refresh_learns_of_a_revocation_again(
    key: KeyRecord, service: Service, paths: Paths, handfast: Run, tmp_path: Path
) -> None:
    service.packets.rows[key.key_id].state = "revoked"
    assert killed(handfast, "device.packet.sent", "refresh") == EXIT_STATUS
    assert len(open_device(paths).store.read().keys) == 1
    assert handfast("refresh").returncode == 6
    assert open_device(paths).store.read().keys == ()
