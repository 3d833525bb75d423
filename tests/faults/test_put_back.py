"""An older copy of the device's store or of the service's database is put back."""

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from app.clock import DAY
from plugin.device import Device
from plugin.exchange import contact
from plugin.exchange.contact import Contact
from plugin.network.http_answer import Answer
from protocol.channel import read_packet
from tests.app.service_fixtures import NOON
from tests.faults.test_year import SERVICES, Wire, World, active_device
from tests.faults.test_year import world as world

pytestmark = pytest.mark.faults


class Recorder(Wire):
    """The wire, with somebody on it who keeps everything."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.packets: list[tuple[bytes, Answer]] = []

    def post(self, url: str, body: bytes, *, ca_file: Path | None = None) -> Answer:
        answer = super().post(url, body, ca_file=ca_file)
        if url.endswith("/packet"):
            self.packets.append((body, answer))
        return answer

    def assert_one_text_per_nonce(self) -> None:
        """Two different packets of one key and direction have two nonces."""
        seen: dict[tuple[str, str, bytes], bytes] = {}
        for request, answer in self.packets:
            bodies = [("to-service", request)]
            if answer.status == 200:
                bodies.append(("to-device", answer.untrusted_body))
            for direction, body in bodies:
                packet = read_packet(body)
                name = (packet.key, direction, packet.sealed[:12])
                assert seen.setdefault(name, body) == body


def days(world: World, device: Device, first: int, last: int) -> tuple[Contact, ...]:
    """Report once on each of these days; return how it went on the last of them."""
    for day in range(first, last + 1):
        world.wait_until(NOON + day * DAY)
        if day % 30 == 0:
            world.restart()
        device.trust.update_if_old(world.service.config.issuer)
        contacts = contact.report_in(device)
    return contacts


def recorded(world: World, folder: Path) -> tuple[Device, Recorder]:
    """A device on whose line everything is kept."""
    recorder = Recorder(world)
    return replace(active_device(world, folder), transport=recorder), recorder


def put_back(folder: Path) -> None:
    """Put the copy of the device's store into its place."""
    shutil.rmtree(folder / "device")
    shutil.move(folder / "copy", folder / "device")


def copy(source: Path, target: Path) -> None:
    """Copy a database as `sqlite3 .backup` does."""
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


def outcomes(contacts: tuple[Contact, ...]) -> set[str]:
    return {one.outcome for one in contacts}


@pytest.mark.parametrize("age", [1, 3, 70])
def test_a_device_gets_ahead_of_its_old_store_in_one_report(
    age: int, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device, recorder = recorded(world, tmp_path)
    days(world, device, 1, 1)
    shutil.copytree(tmp_path / "device", tmp_path / "copy")
    days(world, device, 2, 1 + age)
    put_back(tmp_path)

    before = len(recorder.packets)
    # So that other texts come under the numbers of before.
    monkeypatch.setattr("platform.node", lambda: "put back")
    assert outcomes(days(world, device, 2 + age, 2 + age)) == {"answered"}

    assert len(recorder.packets) - before <= 4 * len(SERVICES)
    assert len(world.sent) > len(set(world.sent)), "no number was given out again"
    recorder.assert_one_text_per_nonce()
    before = len(recorder.packets)
    assert outcomes(days(world, device, 3 + age, 3 + age)) == {"answered"}
    assert len(recorder.packets) - before == len(SERVICES)


def test_an_old_store_whose_keys_were_replaced_meanwhile_is_told_so(
    world: World, tmp_path: Path
) -> None:
    device, _recorder = recorded(world, tmp_path)
    shutil.copytree(tmp_path / "device", tmp_path / "copy")
    days(world, device, 1, 100)
    put_back(tmp_path)

    assert outcomes(days(world, device, 101, 101)) == {"retired"}
    assert device.store.read().keys == ()


def test_a_service_with_its_old_database_goes_on_at_once(world: World, tmp_path: Path) -> None:
    device, recorder = recorded(world, tmp_path)
    days(world, device, 1, 5)
    copy(tmp_path / "handfast.sqlite3", tmp_path / "copy.sqlite3")
    days(world, device, 6, 20)
    world.service.database.engine.dispose()
    copy(tmp_path / "copy.sqlite3", tmp_path / "handfast.sqlite3")
    world.wait_until(NOON + 21 * DAY)

    url = world.service.config.exchange_url + "/packet"
    request, first = recorder.packets[-1]
    second = recorder.post(url, request)
    assert second.status == 200, "16.3 says that such a packet is taken once more"
    assert second.untrusted_body != first.untrusted_body
    recorder.assert_one_text_per_nonce()

    before = len(recorder.packets)
    assert outcomes(days(world, device, 21, 21)) == {"answered"}
    assert len(recorder.packets) - before == len(SERVICES)
    assert recorder.post(url, request).status == 409
