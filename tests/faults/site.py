"""One installation and one device in a folder of their own, both run as real programs."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from sqlalchemy import select

from app.activation.services import issue
from app.clock import FixedClock, SystemClock
from app.config import PortalConfig, portal_config
from app.database import Database
from app.keystore.provider import FileKeyProvider
from app.keystore.rings import PortalKeys
from app.models import new_id
from app.models.tables import ACCOUNT_SERVICE
from app.schema import upgrade
from plugin.device import Device
from plugin.paths import Paths
from protocol.trust import TrustBundle
from tests.app.service_fixtures import Service
from tests.peers.fault_proxy import FaultProxy

REPOSITORY = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
ISSUER = "https://portal.example.org"
ANN = "person-ann"
HEALTHY_SECONDS = 30
KILLED = -signal.SIGKILL


@dataclass
class Exchange:
    """A running key exchange service: the server program and its worker."""

    process: subprocess.Popen[bytes]
    log: Path
    started_at: int

    @property
    def gone(self) -> bool:
        """Whether it ended by itself."""
        return self.process.poll() is not None

    def crashed_at(self, point: str) -> bool:
        """Whether it died at this crash point, as its log tells."""
        said = self.log.read_bytes()[self.started_at :].decode()
        return f"crash point {point}\n" in said

    def kill(self) -> None:
        """End server and worker as a power cut would."""
        if not self.gone:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@dataclass(frozen=True)
class Site:
    """Ann's installation and her device; `proxy` is where the device finds the exchange."""

    folder: Path
    proxy: FaultProxy
    database_url: str
    device_name: str = "device"

    @property
    def config(self) -> PortalConfig:
        """The settings as the portal has them."""
        return portal_config(self.service_environment())

    @property
    def home(self) -> Path:
        """Ann's device."""
        return self.folder / self.device_name

    def service_environment(self) -> dict[str, str]:
        """The settings of the Internet Service."""
        return {
            "PATH": f"{BIN}{os.pathsep}{os.defpath}",
            "LC_ALL": "C.UTF-8",
            "HANDFAST_ISSUER": ISSUER,
            "HANDFAST_EXCHANGE_URL": f"http://127.0.0.1:{self.proxy.port}",
            "HANDFAST_STATE_DIR": str(self.folder / "service"),
            "DATABASE_URL": self.database_url,
        }

    def device_environment(self, home: Path | None = None) -> dict[str, str]:
        """The settings of a device."""
        return {
            "PATH": os.defpath,
            "LC_ALL": "C.UTF-8",
            "PYTHONPATH": str(REPOSITORY),
            "HANDFAST_HOME": str(home or self.home),
            "HANDFAST_SYSTEM_DIR": str(self.folder / "etc"),
        }

    @contextmanager
    def database(self) -> Iterator[Database]:
        """Open the database as a process of its own would."""
        database = Database(self.database_url)
        try:
            yield database
        finally:
            database.dispose()

    def device(self, home: Path | None = None) -> Device:
        """Look into a device from outside."""
        return Device.open(Paths.from_environment(self.device_environment(home)))

    def with_device(self, name: str) -> "Site":
        """The same installation with a copy of Ann's device in the place of it."""
        shutil.copytree(self.home, self.folder / name)
        return replace(self, device_name=name)

    def new_device(self, name: str) -> Path:
        """Give Ann a further device that trusts the service; return its home."""
        home = self.folder / name
        device = self.device(home)
        device.trust.add(self._bundle(), self._key_set(), ca_file=None)
        device.identity(ISSUER)
        return home

    def issue(self, *services: str) -> Path:
        """Issue a document for Ann, as the portal does, into a file."""
        config = self.config
        now = SystemClock().now()
        with self.database() as database:
            issued = issue(
                database,
                person_id=ANN,
                account_service_ids=[service_id(database, name) for name in services],
                ticket=new_id(os.urandom),
                now=now,
                entropy=os.urandom,
                keys=PortalKeys.open(FileKeyProvider(config.keys_dir), entropy=os.urandom, now=now),
                config=config,
            )
        file = self.folder / f"{issued.activation_id}.handfast"
        file.write_bytes(issued.document)
        return file

    @contextmanager
    def exchange(self, *, crash_at: str | None = None) -> Iterator[Exchange]:
        """Run the key exchange service behind the proxy until the block ends."""
        exchange = self.start_exchange(crash_at=crash_at)
        try:
            yield exchange
        finally:
            exchange.kill()

    def start_exchange(self, *, crash_at: str | None = None) -> Exchange:
        """Start the key exchange service, and return once it answers."""
        port = free_port()
        command = [
            str(BIN / "granian"),
            "--interface=wsgi",
            "--host=127.0.0.1",
            f"--port={port}",
            "--blocking-threads=8",
            "--no-ws",
            "wsgi:exchange",
        ]
        log = self.folder / "exchange.log"
        with log.open("ab") as output:
            began = output.tell()
            process = subprocess.Popen(
                # PostgreSQL's socket is in a folder of its own user, which root enters as root.
                ordinary(command) if self.database_url.startswith("sqlite") else command,
                cwd=REPOSITORY,
                env={**self.service_environment(), **armed(crash_at)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        exchange = Exchange(process, log, began)
        try:
            wait_until_healthy(port, exchange)
        except BaseException:
            exchange.kill()
            raise
        self.proxy.backend = port
        return exchange

    def flask(self, *command: str, crash_at: str | None = None) -> "Done":
        """Run one of the operator's commands."""
        return Done.of(
            [str(BIN / "flask"), "--app", "wsgi", *command],
            {**self.service_environment(), **armed(crash_at)},
        )

    def handfast(
        self, *command: str, crash_at: str | None = None, home: Path | None = None
    ) -> "Done":
        """Run the device's command without terminal or display."""
        with self.handfast_running(*command, crash_at=crash_at, home=home) as running:
            return Done.end_of(running)

    @contextmanager
    def handfast_running(
        self, *command: str, crash_at: str | None = None, home: Path | None = None
    ) -> Iterator[subprocess.Popen[str]]:
        """Start the device's command; it is killed if it outlives the block."""
        with start(
            [sys.executable, "-m", "plugin", *command],
            {**self.device_environment(home), **armed(crash_at)},
        ) as running:
            yield running

    def _bundle(self) -> TrustBundle:
        return TrustBundle.from_json(self._published("trust.json"))

    def _key_set(self) -> bytes:
        return self._published("handfast-keys.jwt")

    def _published(self, name: str) -> bytes:
        return (self.config.keys_dir / "published" / name).read_bytes()


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    output: str
    errors: str

    @classmethod
    def of(cls, command: list[str], environment: Mapping[str, str]) -> "Done":
        """Run a command to its end."""
        with start(command, environment) as running:
            return cls.end_of(running)

    @classmethod
    def end_of(cls, running: "subprocess.Popen[str]") -> "Done":
        """Wait for the end of a command."""
        output, errors = running.communicate(timeout=60)
        return cls(running.returncode, output, errors)


@contextmanager
def start(
    command: list[str], environment: Mapping[str, str], *, given: tuple[int, ...] = ()
) -> Iterator["subprocess.Popen[str]"]:
    """Start a program without terminal or display, and kill it if it outlives the block.

    It has the file descriptors that are ``given`` to it.
    """
    with subprocess.Popen(
        ordinary(command),
        cwd=REPOSITORY,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        pass_fds=given,
        start_new_session=True,
    ) as running:
        try:
            yield running
        finally:
            if running.poll() is None:
                running.kill()


def ordinary(command: list[str]) -> list[str]:
    """The command as somebody runs it whom file modes hold back, also when root runs the tests."""
    if os.geteuid() != 0:
        return command
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *command]


def armed(point: str | None) -> dict[str, str]:
    """The environment that makes a program die at a crash point."""
    return {} if point is None else {"HANDFAST_TESTING": "1", "HANDFAST_CRASH_AT": point}


def wait_for(condition: Callable[[], object], seconds: float = 30) -> None:
    """Return when the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.02)


def children(pid: int) -> list[int]:
    """The process itself and those that it started."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, listed)]


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def wait_until_healthy(port: int, exchange: Exchange) -> None:
    """Return when the exchange answers; raise with the end of its log otherwise."""
    # Not over the proxy: its faults are for the device.
    deadline = time.monotonic() + HEALTHY_SECONDS
    while time.monotonic() < deadline and not exchange.gone:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        except (OSError, HTTPException):
            pass
        finally:
            connection.close()
        time.sleep(0.03)
    raise RuntimeError(exchange.log.read_text()[-2000:])


def build(site: Site) -> None:
    """Make database, keys, Ann and Bob, and Ann's device with a first activation for mail."""
    config = site.config
    config.state_dir.mkdir(mode=0o700, parents=True)
    with site.database() as database:
        upgrade(database)
        Service(
            database,
            FixedClock(SystemClock().now()),
            config,
            FileKeyProvider(config.keys_dir),
            os.urandom,
        )
    policy = site.folder / "etc" / "policy.json"
    policy.parent.mkdir()
    policy.write_text(f'{{"allow_without_consent":["{ISSUER}"]}}')
    site.new_device("device")
    with site.exchange():
        done = site.handfast("open", str(site.issue("mail")))
    if done.code != 0:
        raise RuntimeError(done.errors)


def copy(site: Site, folder: Path, database_url: str | None = None) -> Site:
    """Return a copy of a site in another folder; on SQLite its database is copied as well."""
    shutil.copytree(site.folder, folder)
    return Site(folder, site.proxy, database_url or sqlite_url(folder))


def sqlite_url(folder: Path) -> str:
    """The address of a site's SQLite database."""
    return f"sqlite:///{folder / 'service' / 'handfast.sqlite3'}"


def service_id(database: Database, name: str) -> str:
    """Find one of Ann's services."""
    with database.read_connection() as connection:
        found: str = connection.execute(
            select(ACCOUNT_SERVICE.c.id).where(
                ACCOUNT_SERVICE.c.account_id == "account-ann", ACCOUNT_SERVICE.c.service == name
            )
        ).scalar_one()
    return found
