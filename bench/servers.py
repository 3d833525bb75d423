"""The two shapes of one service, started as they would be for real."""

import random
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from bench.cpu import cpu_seconds
from bench.world import World
from demo.certificates import Certificates
from demo.house import BIN
from demo.processes import DemoError, started, wait_until_healthy


@dataclass(frozen=True)
class Server:
    """A running server and the world that it serves."""

    port: int
    pid: int
    world: World

    def cpu_seconds(self) -> float:
        """CPU of the whole tree of its processes until now."""
        return cpu_seconds(self.pid)


@contextmanager
def ours(world: World) -> Iterator[Server]:
    """granian with one blocking thread, Core statements."""
    command = ("granian", "--interface=wsgi", "--host=127.0.0.1", "--blocking-threads=1", "--no-ws")
    with serving(world, (*command, "--port={port}", "bench.listener:application")) as server:
        yield server


@contextmanager
def ordinary(world: World) -> Iterator[Server]:
    """gunicorn with sixteen threads, the ORM."""
    command = ("gunicorn", "--worker-class=gthread", "--threads=16", "--workers=1")
    with serving(world, (*command, "--bind=127.0.0.1:{port}", "bench.ordinary")) as server:
        yield server


@contextmanager
def checking(world: World, certificates: Certificates, mail_port: int) -> Iterator[Server]:
    """The portal's shape: granian over TLS, eight threads, a mail check before each document."""
    command = (
        "granian",
        "--interface=wsgi",
        "--host=127.0.0.1",
        "--port={port}",
        "--blocking-threads=8",
        "--no-ws",
        f"--ssl-certificate={certificates.chain}",
        f"--ssl-keyfile={certificates.key}",
        "bench.checked_listener:application",
    )
    settings = {
        "BENCH_MAIL_PORT": str(mail_port),
        "BENCH_MAIL_AUTHORITY": str(certificates.authority),
    }
    with serving(world, command, settings, certificates.authority) as server:
        yield server


@contextmanager
def serving(
    world: World,
    command: Sequence[str],
    settings: Mapping[str, str] = MappingProxyType({}),
    authority: Path | None = None,
) -> Iterator[Server]:
    """Run a command with a free port until the block ends; over TLS if there is an authority."""
    port = free_port()
    log = world.folder / f"{port}.log"
    arguments = [str(BIN / command[0]), *(part.format(port=port) for part in command[1:])]
    origin = f"http://127.0.0.1:{port}" if authority is None else f"https://localhost:{port}"
    with started(arguments, {**world.environment, **settings}, log) as process:
        wait_until_healthy(f"{origin}/healthz", authority, process, log)
        yield Server(port, process.pid, world)


def free_port() -> int:
    """A port that nobody listens on, from where the system takes none for outgoing connections."""
    for port in random.sample(range(20_000, 32_000), 100):
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port
    raise DemoError("no free port between 20000 and 32000")
