"""The device is killed at every named point, once and twice; afterwards both sides agree."""

from pathlib import Path

import pytest

from plugin.crashpoints import EXIT_STATUS, POINTS
from plugin.device import Device
from plugin.paths import Paths
from tests.plugin.conftest import Run, open_device
from tests.plugin.loopback_service import Service

# What an activation does not come past is walked in test_rotation_crashes.py, test_removal.py and,
# for codes, in test_activate_code.py.
ELSEWHERE = {
    "device.key.ended",
    "device.unwanted.stored",
    "device.removal.stored",
    "device.removal.sent",
    "device.removal.noted",
}
PASSED = tuple(point for point in POINTS if point not in ELSEWHERE)
# From here on the service may have made the keys active: only the same run may go on.
BOUND = ("device.pending.stored", "device.confirm.sent", "device.complete.received")


@pytest.fixture
def document(paths: Paths, device: Device, service: Service, tmp_path: Path) -> Path:
    """A document that the administrator's policy lets the device take without asking."""
    paths.system_dir.mkdir()
    paths.policy.write_text(f'{{"allow_without_consent":["{service.issuer}"]}}')
    file = tmp_path / "activation.handfast"
    file.write_bytes(service.issue("mail", "contacts"))
    return file


def crash(handfast: Run, point: str, *arguments: str) -> int:
    """Run the command until `point`; return its exit status."""
    crashed = handfast(*arguments, HANDFAST_TESTING="1", HANDFAST_CRASH_AT=point)
    return crashed.returncode


def device_words(paths: Paths) -> list[tuple[str, ...]]:
    return [key.words for key in open_device(paths).store.read().keys]


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("point", PASSED)
def test_a_killed_device_ends_with_the_keys_of_the_service(
    point: str, times: int, document: Path, service: Service, paths: Paths, handfast: Run
) -> None:
    assert crash(handfast, point, "open", "--keep", str(document)) == EXIT_STATUS
    if times == 2:
        crash(handfast, point, "status")
    assert handfast("status").returncode == 0
    if not device_words(paths):
        assert handfast("open", str(document)).returncode == 0
    assert len(device_words(paths)) == 2
    assert set(device_words(paths)) == service.words()
    assert open_device(paths).pending() == ()


@pytest.mark.parametrize("point", BOUND)
def test_what_was_pending_goes_on_with_the_same_bytes(
    point: str, document: Path, service: Service, handfast: Run
) -> None:
    crash(handfast, point, "open", "--keep", str(document))
    handfast("status")
    confirms = {body for path, body in service.requests if path == "/confirm"}
    assert len(confirms) == 1


def test_a_crash_leaves_no_temporary_file_after_the_next_change(
    document: Path, paths: Paths, handfast: Run
) -> None:
    crash(handfast, "store.temp.written", "open", "--keep", str(document))
    assert list(paths.data_dir.glob(".store.*"))
    handfast("open", str(document))
    assert not list(paths.data_dir.glob(".store.*"))


def test_without_the_testing_variable_nothing_crashes(document: Path, handfast: Run) -> None:
    done = handfast("open", str(document), HANDFAST_CRASH_AT="device.init.sent")
    assert done.returncode == 0


def test_a_crash_trace_holds_no_secret(
    document: Path, device: Device, handfast: Run, service: Service
) -> None:
    crashed = handfast(
        "open",
        "--keep",
        str(document),
        HANDFAST_TESTING="1",
        HANDFAST_CRASH_AT="device.pending.stored",
    )
    marker = document.read_text()[200:240]
    assert marker not in crashed.stdout + crashed.stderr
