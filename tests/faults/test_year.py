"""A year in the life of a device, with the real service and clocks that are told to run."""

import io
import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from wsgiref.util import setup_testing_defaults

import pytest
from sqlalchemy import select

from app.activation.sweep import sweep
from app.clock import DAY, SECOND, FixedClock, seconds
from app.database import Database
from app.exchange.packets import PacketService
from app.exchange.services import ExchangeService
from app.exchange.wsgi import ExchangeListener
from app.keystore.key_sets import publish, rotate
from app.keystore.provider import KeyKind, Published
from app.keystore.rings import ExchangeKeys, PortalKeys
from app.models import Base, KeyState
from app.models.tables import SERVICE_KEY
from plugin.device import Device
from plugin.exchange import contact
from plugin.handler import activate
from plugin.network.http_answer import Answer, TransportError
from plugin.network.transport import Transport
from plugin.paths import Paths
from plugin.trust.issuers import read_bundle
from protocol import media_type
from protocol.channel import read_packet
from tests.app.service_fixtures import NOON, Service, make_service

SERVICES = ("mail", "contacts")


@dataclass
class World:
    """The service, a network that loses what it is told to lose, and the time."""

    service: Service
    clock: FixedClock
    rotate_days: int = 90
    loss: float = 0.0
    chance: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311 - repeatable, not secret
    sent: list[tuple[str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Start the service's processes again, with the signing keys of today."""
        service, now = self.service, self.clock.now()
        publish(
            service.provider,
            issuer=service.config.issuer,
            exchange_url=service.config.exchange_url,
            now=now,
        )
        service.keys = PortalKeys.open(service.provider, entropy=service.entropy, now=now)
        keys = ExchangeKeys.open(service.provider, entropy=service.entropy, now=now)
        config = replace(service.exchange_config, rotate_days=self.rotate_days)
        made = (service.database, keys)
        parts = {"config": config, "clock": self.clock, "entropy": service.entropy}
        self.listener = ExchangeListener(
            ExchangeService(*made, **parts),  # type: ignore[arg-type] # one dict, three types
            PacketService(*made, **parts),  # type: ignore[arg-type] # one dict, three types
        )

    def post(self, path: str, body: bytes) -> Answer:
        """Bring one request to the listener and its answer back, or lose either."""
        if path == "/packet":
            packet = read_packet(body)
            self.sent.append((packet.key, packet.number))
        self._pass()
        status: list[str] = []
        headers: dict[str, str] = {}

        def start(line: str, fields: list[tuple[str, str]], *_rest: object) -> object:
            status.append(line)
            headers.update(fields)
            return None

        environ = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": path,
            "CONTENT_TYPE": media_type.EXCHANGE,
            "CONTENT_LENGTH": str(len(body)),
            "REMOTE_ADDR": "192.0.2.7",
            "wsgi.input": io.BytesIO(body),
        }
        setup_testing_defaults(environ)
        content = b"".join(self.listener(environ, start))  # type: ignore[arg-type] # stands in for a server
        self._pass()
        return Answer(int(status[0][:3]), headers["Content-Type"].partition(";")[0], content)

    def _pass(self) -> None:
        if self.chance.random() < self.loss:
            raise TransportError("lost on the way")

    def wait_until(self, moment: int) -> None:
        """Let time pass."""
        self.clock.advance(moment - self.clock.now())

    def active(self) -> set[str]:
        """Return the ids of the keys that the service takes."""
        with self.service.database.read() as session:
            query = select(SERVICE_KEY.c.id).where(SERVICE_KEY.c.state == KeyState.ACTIVE)
            return set(session.scalars(query))


class Wire(Transport):
    """Stands in for sockets: the listener is called, the key set is read from its folder."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def fetch(self, url: str, *, ca_file: Path | None = None, accept: str) -> Answer:  # noqa: ARG002 - every address has it
        published = self._world.service.provider.read_published(Published.KEY_SET)
        assert published is not None
        return Answer(200, media_type.KEY_SET, published)

    def post(self, url: str, body: bytes, *, ca_file: Path | None = None) -> Answer:  # noqa: ARG002 - plain HTTP
        return self._world.post(url.removeprefix(self._world.service.config.exchange_url), body)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    database = Database(f"sqlite:///{tmp_path / 'handfast.sqlite3'}")
    Base.metadata.create_all(database.engine)
    clock = FixedClock(NOON)
    yield World(make_service(database, clock, tmp_path / "service"), clock)
    database.dispose()


def active_device(world: World, folder: Path) -> Device:
    """A device that holds keys for Ann's services, and is confirmed by a document bound to it."""
    home = {"HANDFAST_HOME": str(folder / "device"), "HANDFAST_SYSTEM_DIR": str(folder / "etc")}
    device = Device.open(
        Paths.from_environment(home),
        clock=lambda: seconds(world.clock.now()),
        sleep=lambda _seconds: None,
        transport=Wire(world),
    )
    provider = world.service.provider
    bundle, key_set = (
        provider.read_published(Published.TRUST),
        provider.read_published(Published.KEY_SET),
    )
    assert bundle is not None
    assert key_set is not None
    device.trust.add(read_bundle(bundle), key_set, ca_file=None)
    issued = world.service.issue(
        world.service.ann,
        *SERVICES,
        bound_jkt=device.identity(world.service.config.issuer).kid,
    )
    activate(
        issued.document,
        device=device,
        origin=None,
        consent=lambda _request: True,
        progress=lambda _stage: None,
    )
    return device


def days_of_new_keys(world: World, device: Device, *, days: int) -> dict[str, list[int]]:
    """Let the days pass; return on which of them each service got a new key."""
    seen = {key.key_id for key in device.store.read().keys}
    new: dict[str, list[int]] = {service: [0] for service in SERVICES}
    issuer = world.service.config.issuer
    for day in range(1, days + 1):
        # The timer comes at some moment of the day.
        world.wait_until(NOON + day * DAY + world.chance.randrange(12 * 3600) * SECOND)
        if day % 30 == 0:
            world.restart()
        device.trust.update_if_old(issuer)
        contact.report_in(device)
        sweep(world.service.database, world.clock)
        held = device.store.read().keys
        for service in SERVICES:
            mine = {key.key_id for key in held if key.service == service}
            assert mine & world.active(), f"day {day}: no working key for {service}"
            if not mine <= seen:
                new[service].append(day)
        seen |= {key.key_id for key in held}
    return new


def gaps(days: list[int]) -> list[int]:
    return [later - earlier for earlier, later in itertools.pairwise(days)]


@pytest.mark.faults
@pytest.mark.parametrize("loss", [0.0, 0.3], ids=["good", "bad"])
def test_in_a_year_keys_are_replaced_every_90_days_and_one_always_works(
    loss: float, world: World, tmp_path: Path
) -> None:
    device = active_device(world, tmp_path)
    world.loss = loss
    new = days_of_new_keys(world, device, days=365)
    for service in SERVICES:
        # 90 days and a tenth, and a day or more where the network was bad on the day itself.
        assert all(81 <= gap <= (100 if loss == 0 else 110) for gap in gaps(new[service]))
        assert len(new[service]) in (4, 5)
    assert len(set(world.sent)) == len(world.sent), "I8: a number was used twice"
    held = device.store.read()
    assert {key.key_id for key in held.keys} == world.active()
    assert all(key.book for key in held.keys)


@pytest.mark.faults
def test_a_service_that_replaces_nothing_is_asked_by_the_device(
    world: World, tmp_path: Path
) -> None:
    world.rotate_days = 3650
    world.restart()
    device = active_device(world, tmp_path)
    new = days_of_new_keys(world, device, days=240)
    for service in SERVICES:
        assert all(90 <= gap <= 111 for gap in gaps(new[service]))
        assert len(new[service]) == 3


@pytest.mark.faults
def test_signing_keys_may_change_in_the_year(world: World, tmp_path: Path) -> None:
    device = active_device(world, tmp_path)
    for kind in (KeyKind.EXCHANGE, KeyKind.DOCUMENTS):
        rotate(world.service.provider, kind, now=world.clock.now(), entropy=world.service.entropy)
    world.restart()
    new = days_of_new_keys(world, device, days=120)
    assert all(len(days) == 2 for days in new.values())


def test_a_device_that_slept_half_a_year_goes_on(world: World, tmp_path: Path) -> None:
    device = active_device(world, tmp_path)
    before = {key.key_id for key in device.store.read().keys}
    world.wait_until(NOON + 180 * DAY)
    world.restart()
    sweep(world.service.database, world.clock)
    contact.report_in(device)
    held = {key.key_id for key in device.store.read().keys}
    assert held == world.active()
    assert not held & before
