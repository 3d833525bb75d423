"""A throw-away PostgreSQL server on a Unix socket in a temporary folder, ready in a second."""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

START_SECONDS = 30
# Speed before durability: the folder is deleted at the end whatever happens.
SETTINGS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=60")


@dataclass(frozen=True)
class Cluster:
    """A running server: makes databases, empty ones or copies of a prepared one."""

    folder: Path
    pid: int

    @contextmanager
    def database(self, template: str = "template0") -> Iterator[str]:
        """Yield the URL of a new database; it is dropped afterwards, connections and all."""
        name = "test_" + secrets.token_hex(8)
        self._execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield self.url(name)
        finally:
            self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    def template(self, name: str, prepare: Callable[[str], None]) -> str:
        """Prepare a database once (migrations, say) and return its name for `database`.

        `prepare` gets its URL and must have closed its connections when it returns.
        """
        with self._connect() as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
            if found.fetchone() is not None:
                return name
        self._execute(f"CREATE DATABASE {name} TEMPLATE template0")
        prepare(self.url(name))
        return name

    def url(self, database: str) -> str:
        """The address as DATABASE_URL has it."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.folder}"

    def _execute(self, statement: str) -> None:
        with self._connect() as connection:
            connection.execute(statement.encode())

    def _connect(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host=str(self.folder), user="postgres", dbname="postgres", autocommit=True
        )


@contextmanager
def start() -> Iterator[Cluster]:
    """Make a cluster, run its server, and end it by its own process id."""
    # Not in pytest's own folder: its name is too long for a socket, and closed to other users.
    folder = Path(tempfile.mkdtemp(prefix="handfast-pg-"))
    try:
        owner = unprivileged_user()
        if owner is not None:
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        make_files(folder, owner)
        yield from serve(folder, owner)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def serve(folder: Path, owner: pwd.struct_passwd | None) -> Iterator[Cluster]:
    """Run the server for as long as the caller uses it."""
    options = [part for setting in SETTINGS for part in ("-c", setting)]
    command = [program("postgres"), "-D", f"{folder}/data", "-k", str(folder), "-h", "", *options]
    with (folder / "log").open("wb") as log:
        server = spawn(command, owner, log.fileno())
    try:
        cluster = Cluster(folder, server.pid)
        wait_until_ready(cluster, server)
        yield cluster
    finally:
        # A fast shutdown: open connections are cut, nothing is written back.
        server.send_signal(signal.SIGQUIT)
        server.wait(timeout=START_SECONDS)


def make_files(folder: Path, owner: pwd.struct_passwd | None) -> None:
    """Run initdb: everybody who may enter the folder may connect, which is the owner and root."""
    options = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync"]
    with (folder / "initdb.log").open("wb") as log:
        command = [program("initdb"), f"--pgdata={folder}/data", *options]
        code = spawn(command, owner, log.fileno()).wait(timeout=START_SECONDS)
    if code != 0:
        raise RuntimeError((folder / "initdb.log").read_text(encoding="utf-8"))


def spawn(
    command: list[str], owner: pwd.struct_passwd | None, output: int
) -> subprocess.Popen[bytes]:
    """Start a program of the server as its owner: PostgreSQL refuses to run as root."""
    return subprocess.Popen(
        command,
        user=None if owner is None else owner.pw_uid,
        group=None if owner is None else owner.pw_gid,
        extra_groups=None if owner is None else [],
        cwd="/",
        env={"PATH": os.defpath, "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
    )


def unprivileged_user() -> pwd.struct_passwd | None:
    """Who the server runs as when root starts it; None where we are an ordinary user already."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def program(name: str) -> str:
    """Find a server program: Debian keeps a folder of them per version, off PATH."""
    found = Path("/usr/lib/postgresql").glob(f"*/bin/{name}")
    newest = max(found, key=lambda path: float(path.parts[4]), default=None)
    path = shutil.which(name) if newest is None else str(newest)
    if path is None:
        raise FileNotFoundError(f"{name}: install the PostgreSQL server (make setup does)")
    return path


def wait_until_ready(cluster: Cluster, server: subprocess.Popen[bytes]) -> None:
    """Return when the server takes connections; raise with its log when it ends instead."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        try:
            cluster._connect().close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError((cluster.folder / "log").read_text(encoding="utf-8"))
