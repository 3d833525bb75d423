"""Right after an activation the new keys report in; the activation never fails because of it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from plugin.device import Device
from plugin.paths import Paths
from tests.plugin.conftest import Run, open_device
from tests.plugin.loopback_service import Service
from tests.plugin.test_faulty_exchange import lose
from tests.plugin.test_native_host import host

Door = Callable[[bytes], None]


@pytest.fixture(params=["open", "native host"])
def activate(
    request: pytest.FixtureRequest,
    device: Device,
    service: Service,
    paths: Paths,
    handfast: Run,
    tmp_path: Path,
) -> Door:
    """Activate with a document, as a file or as the browser does it."""

    def by_file(document: bytes) -> None:
        paths.system_dir.mkdir(exist_ok=True)
        paths.policy.write_text(f'{{"allow_without_consent":["{service.issuer}"]}}')
        file = tmp_path / "activation.handfast"
        file.write_bytes(document)
        done = handfast("open", str(file))
        assert done.returncode == 0, done.stderr

    def by_browser(document: bytes) -> None:
        with host(paths.data_dir.parent) as running:
            running.send(
                {"type": "document", "document": document.decode(), "origin": service.issuer}
            )
            running.receive()
            running.receive()
            running.send({"type": "allow"})
            assert running.receive_all()[-1]["type"] == "done"
            assert running.process.wait(timeout=30) == 0

    return by_file if request.param == "open" else by_browser


def test_the_new_keys_are_proven(activate: Door, service: Service, paths: Paths) -> None:
    activate(service.issue("mail", "contacts"))
    assert [key.proven is not None for key in open_device(paths).store.read().keys] == [True, True]


def test_the_new_key_ends_the_old_one(activate: Door, service: Service, paths: Paths) -> None:
    activate(service.issue())
    activate(service.issue())
    held = {key.key_id for key in open_device(paths).store.read().keys}
    assert held == service.packets.active()
    assert len(held) == 1


def test_without_an_answer_the_device_is_active_all_the_same(
    activate: Door, service: Service, paths: Paths
) -> None:
    service.faults.append(lose("/packet", 99))
    activate(service.issue())
    (key,) = open_device(paths).store.read().keys
    assert key.proven is None
    assert len([path for path, _body in service.requests if path == "/packet"]) == 1
