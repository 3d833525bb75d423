"""Others at the same time: a second device with the same document, and strangers with garbage."""

import json
import shutil
import threading
import time
from http.client import HTTPConnection
from pathlib import Path

from plugin.errors import ExitCode
from protocol.encoding import b64u
from protocol.media_type import EXCHANGE
from tests.faults.site import Done, Site
from tests.faults.witness import Snapshot, Witness

SERVICES = ("mail", "contacts")
GARBAGE = 300


def device_keys(site: Site, home: Path) -> set[str]:
    return {key.key_id for key in site.device(home).store.read().keys}


def owners(now: Snapshot, activation: str) -> set[str]:
    return {key.id for key in now.keys_of(activation)}


def test_of_two_devices_with_one_document_one_wins(site: Site) -> None:
    homes = [site.new_device("first"), site.new_device("second")]
    witness = Witness(site, allowed=(403, 409))
    document = site.issue(*SERVICES)
    copies = [shutil.copy(document, document.with_name(f"{n}.handfast")) for n in range(2)]

    with (
        site.exchange(),
        site.handfast_running("open", str(copies[0]), home=homes[0]) as first,
        site.handfast_running("open", str(copies[1]), home=homes[1]) as second,
    ):
        ends = [Done.end_of(first), Done.end_of(second)]

    assert sorted(end.code for end in ends) == [ExitCode.OK, ExitCode.REFUSED_BY_SERVICE]
    winner = 0 if ends[0].code == ExitCode.OK else 1
    lost = ends[1 - winner].errors
    assert "handfast: error: " in lost
    assert "handfast: hint: " in lost
    now = witness.look()
    assert device_keys(site, homes[winner]) == owners(now, document.stem)
    assert device_keys(site, homes[1 - winner]) == set()
    assert now.activations[document.stem].attempts <= 2


def test_a_late_device_is_told_that_another_one_was_first(site: Site) -> None:
    late = site.new_device("late")
    witness = Witness(site, allowed=(403, 409))
    document = site.issue(*SERVICES)
    copied = shutil.copy(document, document.with_name("copy.handfast"))

    with site.exchange():
        stopped = site.handfast("open", str(copied), home=late, crash_at="device.pending.stored")
        assert stopped.code == 137
        assert site.handfast("open", str(document)).code == 0
        status = site.handfast("status", home=late)

    assert status.code == ExitCode.UNFINISHED
    assert len(owners(witness.look(), document.stem)) == len(SERVICES)
    assert device_keys(site, late) == set()


def test_garbage_neither_uses_up_attempts_nor_holds_the_owner_up(site: Site) -> None:
    witness = Witness(site)
    document = site.issue(*SERVICES)
    witness.look()
    with site.exchange():
        port = site.proxy.backend
        assert port is not None
        stop = threading.Event()
        counts = [0, 0]
        threads = [
            threading.Thread(target=send_garbage, args=(port, document.stem, stop, counts, place))
            for place in range(len(counts))
        ]
        for thread in threads:
            thread.start()
        while min(counts) < GARBAGE // len(counts):
            time.sleep(0.01)
        assert witness.look().activations[document.stem].attempts == 0
        began = time.monotonic()
        done = site.handfast("open", str(document))
        took = time.monotonic() - began
        stop.set()
        for thread in threads:
            thread.join()
    assert done.code == 0, done.errors
    assert took < 10
    witness.check_end(*SERVICES)
    now = witness.look()
    assert now.activations[document.stem].attempts == 1
    assert len([run for run in now.runs if run.activation_id == document.stem]) == 1


def send_garbage(
    port: int, activation: str, stop: threading.Event, counts: list[int], place: int
) -> None:
    """Send inits in the right form with the right activation, by somebody without the document."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    while not stop.is_set():
        number = place * 1_000_000 + counts[place]
        connection.request("POST", "/init", init(activation, number), {"Content-Type": EXCHANGE})
        answer = connection.getresponse()
        assert json.loads(answer.read())["code"] == "refused"
        counts[place] += 1
    connection.close()


def init(activation: str, number: int) -> bytes:
    """One init of a stranger."""
    message = {
        "v": 1,
        "suite": "CPACE-X25519-SHA512+MLKEM768",
        "activation": activation,
        "nonce": b64u(number.to_bytes(32)),
        "share": b64u((9).to_bytes(32, "little")),
        "kem": b64u(bytes(1184)),
        "admission": b64u(number.to_bytes(64)),
    }
    return json.dumps(message, separators=(",", ":")).encode()
