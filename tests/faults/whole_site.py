"""A whole installation, portal and mail server with it, of which devices see two bad lines only."""

import itertools
import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import ScalarSelect, delete, select

from app.database import Database
from app.models import Throttle
from app.models.tables import ACTIVATION, SERVICE_KEY
from demo import mail_server, processes
from demo.certificates import provide
from demo.house import ANN, MAIL_DOMAIN, House
from plugin.device import Device
from plugin.paths import Paths
from protocol.trust import TrustBundle
from tests.faults.site import REPOSITORY, Done, free_port, ordinary
from tests.peers.fault_proxy import FaultProxy, Tls, fault_proxy

PATIENCE = 110


@dataclass
class WholeSite:
    """The running installation; `portal` and `exchange` are the lines to it."""

    house: House
    portal: FaultProxy
    exchange: FaultProxy
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def new_device(self) -> "Laptop":
        """A device of Ann's that trusts the service and has done nothing yet."""
        home = self.house.folder / f"device-{next(self._numbers)}"
        shutil.copytree(self.house.device, home)
        # Every device has an identity of its own.
        shutil.rmtree(home / "data")
        device = Device.open(Paths.from_environment({"HANDFAST_HOME": str(home)}))
        device.identity(self.house.issuer)
        # All devices are at one address, which would soon have had its share of attempts.
        with self.database() as database, database.write_connection() as connection:
            connection.execute(delete(Throttle))
        return Laptop(self, home)

    def heal(self) -> None:
        """Let everything pass."""
        for line in (self.portal, self.exchange):
            line.heal()
            line.passed.clear()

    @contextmanager
    def database(self) -> Iterator[Database]:
        """Look into the service from outside."""
        database = Database(f"sqlite:///{self.house.service / 'handfast.sqlite3'}")
        try:
            yield database
        finally:
            database.dispose()


@dataclass
class Laptop:
    """One device, as the person in front of it uses it."""

    site: WholeSite
    home: Path

    def handfast(self, *command: str, password: bool = False) -> Done:
        """Run the device's command without terminal or display."""
        with ExitStack() as stack:
            given: list[int] = []
            if password:
                given = [stack.enter_context(_line(self.site.house.passwords[ANN]))]
                command = (*command, "--account", ANN, "--password-fd", str(given[0]))
            done = subprocess.run(
                ordinary([sys.executable, "-m", "plugin", *command]),
                cwd=REPOSITORY,
                env={**self.site.house.environment(), **self._environment()},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=PATIENCE,
                pass_fds=given,
                start_new_session=True,
            )
        return Done(done.returncode, done.stdout, done.stderr)

    def activate(self, *services: str) -> None:
        """Get keys while the network is good."""
        self.site.heal()
        named = [part for service in services for part in ("--service", service)]
        done = self.handfast("activate", *named, password=True)
        assert done.code == 0, done.errors
        self.site.heal()

    def device(self) -> Device:
        """Look into the device from outside."""
        return Device.open(Paths.from_environment({"HANDFAST_HOME": str(self.home)}))

    def held(self) -> list[dict[str, str]]:
        """The keys that the device has, as it lists them."""
        listed: list[dict[str, str]] = json.loads(self.handfast("keys", "list", "--json").output)
        return listed

    def _environment(self) -> dict[str, str]:
        return {
            "HANDFAST_HOME": str(self.home),
            "PYTHONPATH": str(REPOSITORY),
            "HANDFAST_SYSTEM_DIR": str(self.home / "etc"),
        }


def keys_at_service(site: WholeSite, key_id: str) -> dict[str, str]:
    """The keys of the device that has this one, as the service knows them: id and state."""
    with site.database() as database, database.read_connection() as connection:
        found = connection.execute(
            select(SERVICE_KEY.c.id, SERVICE_KEY.c.state).where(
                SERVICE_KEY.c.device_id == _device_of(key_id)
            )
        )
        return {row.id: str(row.state) for row in found}


def activations(site: WholeSite, key_id: str) -> list[tuple[str, str]]:
    """Kind and state of all that was redeemed by the device that has this key."""
    with site.database() as database, database.read_connection() as connection:
        found = connection.execute(
            select(ACTIVATION.c.kind, ACTIVATION.c.state).where(
                ACTIVATION.c.device_id == _device_of(key_id)
            )
        )
        return [(str(row.kind), str(row.state)) for row in found]


def _device_of(key_id: str) -> ScalarSelect[str]:
    return select(SERVICE_KEY.c.device_id).where(SERVICE_KEY.c.id == key_id).scalar_subquery()


@contextmanager
def _line(text: str) -> Iterator[int]:
    reading, writing = os.pipe()
    os.write(writing, text.encode() + b"\n")
    os.close(writing)
    try:
        yield reading
    finally:
        os.close(reading)


@contextmanager
def running(folder: Path) -> Iterator[WholeSite]:
    """Start everything, and let a device trust it that others are copies of."""
    certificates = provide(folder / "certificates")
    tls = Tls(certificates.chain, certificates.key, certificates.authority)
    with ExitStack() as stack:
        portal, exchange = (
            stack.enter_context(fault_proxy(tls)),
            stack.enter_context(fault_proxy()),
        )
        house = House(
            portal.port, exchange.port, folder, certificates, {ANN: secrets.token_urlsafe(12)}
        )
        for part in (house.service, house.device, house.home):
            part.mkdir(mode=0o700)
        processes.flask(house, "db", "upgrade")
        processes.flask(house, "keys", "init")
        mail = stack.enter_context(
            mail_server.serve(certificates.chain, certificates.key, house.passwords)
        )
        where = ("--host", mail.host, "--port", str(mail.port), "--ca", str(tls.authority))
        processes.flask(house, "pins", "add", MAIL_DOMAIN, *where)
        options = ("--ssl-certificate", str(tls.chain), "--ssl-keyfile", str(tls.key))
        for name, line, more in (("portal", portal, options), ("exchange", exchange, ())):
            line.backend = free_port()
            stack.enter_context(processes.granian(house, name, line.backend, more))
        trust(house)
        yield WholeSite(house, portal, exchange)


def trust(house: House) -> None:
    """Let the device that all others are copies of trust the service, by its fingerprint."""
    published = house.service / "keys" / "published" / "trust.json"
    fingerprint = TrustBundle.from_json(published.read_bytes()).fingerprint
    by = ("--ca-file", str(house.certificates.authority), "--fingerprint", fingerprint)
    processes.run(house, "handfast", "trust", "add", house.issuer, *by)
