"""What an activation, a packet and a rotation cost on the wire: bytes and round trips.

The bound of bytes are the values that cryptography makes, as raw bytes: keys, shares,
ciphertexts, tags, signatures. The bound of round trips are the two of an exchange in which both
sides prove that they know the key, and one for a packet.
"""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from app.activation.services import issue
from app.clock import SystemClock
from app.config import portal_config
from app.keystore.provider import FileKeyProvider
from app.keystore.rings import PortalKeys
from app.models.base import new_id
from bench import servers, world
from bench.counting_proxy import Count, CountingProxy, counting_proxy
from bench.report import Line, note
from bench.run_of_one import RunOfOne
from bench.world import World
from plugin import handler
from plugin.device import Device
from plugin.exchange import contact
from plugin.paths import Paths
from protocol.channel import Report, ReportAnswer, read_packet, seal_packet
from protocol.messages import read_complete, read_confirm, read_init, read_reply
from protocol.session import SessionKey
from protocol.trust import TrustBundle

BYTES_GOAL: Final = 2.0
# The heads of HTTP alone are longer than a packet that has nothing new to say.
PACKET_BYTES_GOAL: Final = 4.0
EXCHANGE: Final = 2
PACKET: Final = 1
# The report that offers it, the exchange, and the report that proves the new key.
ROTATION: Final = PACKET + EXCHANGE + PACKET


def measure() -> Iterator[Line]:
    """Activate a device, report in, and replace the key, over a proxy that counts."""
    with tempfile.TemporaryDirectory() as folder, counting_proxy() as proxy:
        url = f"http://127.0.0.1:{proxy.port}"
        built = world.build(Path(folder) / "world", 1, {"HANDFAST_EXCHANGE_URL": url})
        command = ("granian", "--interface=wsgi", "--host=127.0.0.1", "--no-ws")
        with servers.serving(built, (*command, "--port={port}", "wsgi:exchange")) as server:
            proxy.backend = server.port
            counts = count(built, proxy, Path(folder) / "device")
    yield from lines(*counts)


def count(built: World, proxy: CountingProxy, home: Path) -> tuple[Count, Count, Count]:
    """Return what the three cost."""
    device = trusting(built, home)
    handler.activate(
        document(built, device),
        device=device,
        origin=None,
        consent=lambda _request: True,
        progress=lambda _stage: None,
    )
    activation = proxy.take()
    # The first one brings the service book; after it, a packet says that nothing is new.
    contact.report_in(device)
    proxy.take()
    contact.report_in(device)
    packet = proxy.take()
    (key,) = device.store.read().keys
    contact.report_in(device, rotate={key.key_id})
    (successor,) = device.store.read().keys
    assert successor.key_id != key.key_id
    return activation, packet, proxy.take()


def lines(activation: Count, packet: Count, rotation: Count) -> Iterator[Line]:
    """The figures beside their bounds."""
    note("one grant; HTTP heads are counted, TCP's handshakes are not")
    exchange, one_packet = exchange_bound(), packet_bound()
    yield from compared("an activation", activation, exchange, EXCHANGE)
    yield from compared("a packet and its answer", packet, one_packet, PACKET, PACKET_BYTES_GOAL)
    yield from compared("a rotation", rotation, exchange + 2 * one_packet, ROTATION)


def compared(
    what: str, seen: Count, values: int, round_trips: int, goal: float = BYTES_GOAL
) -> Iterator[Line]:
    """Bytes and round trips of one act."""
    ratio = seen.both / values
    yield Line(
        f"bytes of {what}",
        f"{ratio:.2f} × ({seen.sent} to the service, {seen.received} back)",
        f"the values themselves, {values} bytes",
        f"≤ {goal:g} ×",
        ratio <= goal,
    )
    yield Line(
        f"round trips of {what}",
        f"{seen.round_trips / round_trips:.2f} × ({seen.round_trips})",
        f"the fewest, {round_trips}",
        "1 ×",
        seen.round_trips == round_trips,
    )


def exchange_bound() -> int:
    """Bytes of the values in the four messages of an exchange with one grant."""
    run = RunOfOne()
    return sum(
        values(message)
        for message in (
            read_init(run.init),
            read_reply(run.replied.reply),
            read_confirm(run.confirm),
            read_complete(run.completed.body),
        )
    )


def packet_bound() -> int:
    """Bytes of the sealed values in a report and its answer, when nothing is new."""
    key = SessionKey("A" * 22, "p0@example.org", "mail", "0", os.urandom(32))
    report = Report("Ann's laptop", "Linux", "handfast 0.1", "A" * 43, False)
    answer = ReportAnswer(None, False, None, SystemClock().now() // 1_000_000)
    asked = seal_packet(key, "to-service", 1, report)
    answered = seal_packet(key, "to-device", 1, answer)
    return values(read_packet(asked)) + values(read_packet(answered))


def values(message: msgspec.Struct) -> int:
    """Bytes of the members that are bytes; names, versions and ids are text."""
    members = msgspec.structs.astuple(message)
    return sum(len(member) for member in members if isinstance(member, bytes))


def trusting(built: World, home: Path) -> Device:
    """A device that trusts the service."""
    device = Device.open(Paths.from_environment({"HANDFAST_HOME": str(home)}))
    published = portal_config(built.environment).keys_dir / "published"
    bundle = TrustBundle.from_json((published / "trust.json").read_bytes())
    key_set = (published / "handfast-keys.jwt").read_bytes()
    device.trust.add(bundle, key_set, ca_file=None)
    return device


def document(built: World, device: Device) -> bytes:
    """A document for the one owner, bound to the device so that nobody need confirm it."""
    config = portal_config(built.environment)
    now, (owner,) = SystemClock().now(), built.owners
    with world.database_of(config) as database:
        keys = PortalKeys.open(FileKeyProvider(config.keys_dir), entropy=os.urandom, now=now)
        return issue(
            database,
            person_id=owner.person_id,
            account_service_ids=[owner.service_id],
            ticket=new_id(os.urandom),
            now=now,
            entropy=os.urandom,
            keys=keys,
            config=config,
            bound_jkt=device.identity(config.issuer).kid,
        ).document
