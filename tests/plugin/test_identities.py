"""The native host tells which device this is, and neither asks nor makes anything for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugin.device import Device
from plugin.paths import Paths
from tests.e2e.bridge.small_service import SmallService
from tests.plugin.test_native_host import host

FIRST, SECOND = "https://portal.example.org", "https://other.example.org:8443"
QUESTION = {"type": "identities"}


@pytest.fixture
def device(tmp_path: Path) -> Device:
    """A device that trusts two services."""
    device = Device.open(Paths.from_environment({"HANDFAST_HOME": str(tmp_path)}))
    for issuer in (FIRST, SECOND):
        SmallService(issuer, "http://127.0.0.1:9").become_trusted_by(device)
    return device


def ask(folder: Path) -> list[dict[str, object]]:
    """Ask as the bridge does; the host must end by itself."""
    with host(folder) as running:
        running.send(QUESTION)
        answers = running.receive_all()
        assert running.process.wait(10) == 0
    return answers


def test_each_issuer_has_a_name_of_its_own(device: Device, tmp_path: Path) -> None:
    mine, others = (device.identity(issuer).kid for issuer in (FIRST, SECOND))
    assert mine != others
    assert ask(tmp_path) == [{"type": "identities", "identities": {FIRST: mine, SECOND: others}}]


def test_an_issuer_that_is_no_longer_trusted_is_left_out(device: Device, tmp_path: Path) -> None:
    device.trust.remove(SECOND)
    assert device.store.read().identities.keys() == {FIRST, SECOND}
    (answer,) = ask(tmp_path)
    assert answer["identities"] == {FIRST: device.identity(FIRST).kid}


def test_a_store_under_a_passphrase_tells_nothing_and_asks_nothing(
    device: Device, tmp_path: Path
) -> None:
    device.store.set_passphrase("correct horse battery staple")
    assert ask(tmp_path) == [{"type": "identities", "identities": {}}]


def test_a_damaged_store_tells_nothing(device: Device, tmp_path: Path) -> None:
    device.paths.store.write_bytes(b"handfast-store/1 {}\n" + bytes(64))
    assert ask(tmp_path) == [{"type": "identities", "identities": {}}]


def test_a_question_makes_no_store(tmp_path: Path) -> None:
    assert ask(tmp_path) == [{"type": "identities", "identities": {}}]
    assert not Paths.from_environment({"HANDFAST_HOME": str(tmp_path)}).store.exists()


def test_a_question_with_more_in_it_is_none(tmp_path: Path) -> None:
    with host(tmp_path) as running:
        running.send({**QUESTION, "of": FIRST})
        (answer,) = running.receive_all()
    assert answer["code"] == "malformed"
