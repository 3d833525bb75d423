"""Start the real programs, wait until they answer, and end them by their own process ids."""

import os
import signal
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from demo.house import BIN, REPOSITORY, House

HEALTHY_SECONDS = 30
GRACE_SECONDS = 5


class DemoError(Exception):
    """Something the demo needs did not work: says what, and where to look."""


def run(house: House, *command: str) -> str:
    """Run a program of ours to its end and return what it printed, or raise with its words."""
    program = BIN / command[0]
    done = subprocess.run(
        [str(program), *command[1:]],
        cwd=REPOSITORY,
        env=house.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if done.returncode != 0:
        words = (done.stderr or done.stdout).strip()
        raise DemoError(f"{' '.join(command)} ended with {done.returncode}:\n{words}")
    return done.stdout


def flask(house: House, *command: str) -> str:
    """Run one of the operator's commands."""
    return run(house, "flask", "--app", "wsgi", *command)


@dataclass(frozen=True)
class Listener:
    """One of the two listeners while it runs."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path


@contextmanager
def portal(house: House) -> Iterator[Listener]:
    """Serve the portal over TLS."""
    tls = (
        "--ssl-certificate",
        str(house.certificates.chain),
        "--ssl-keyfile",
        str(house.certificates.key),
    )
    with granian(house, "portal", house.portal_port, tls) as listener:
        yield listener


@contextmanager
def exchange(house: House) -> Iterator[Listener]:
    """Serve the key exchange over plain HTTP, in a process without the portal's secrets."""
    with granian(house, "exchange", house.exchange_port, ()) as listener:
        yield listener


@contextmanager
def worker(house: House, mail_out: Mapping[str, str]) -> Iterator[Listener]:
    """Run the worker, which listens to nobody, and alone knows how mail goes out."""
    command = [str(BIN / "flask"), "--app", "wsgi", "worker"]
    log = house.folder / "worker.log"
    with started(command, {**house.environment(), **mail_out}, log) as process:
        yield Listener("worker", process, log)


@contextmanager
def granian(house: House, name: str, port: int, options: Sequence[str]) -> Iterator[Listener]:
    """Run one of the two listeners until the block ends."""
    command = [
        str(BIN / "granian"),
        "--interface=wsgi",
        "--host=127.0.0.1",
        f"--port={port}",
        # They wait more than they work; with a few, slow senders keep everybody else out.
        "--blocking-threads=128",
        "--no-ws",
        *options,
        f"wsgi:{name}",
    ]
    log = house.folder / f"{name}.log"
    with started(command, house.environment(), log) as process:
        origin = house.issuer if options else house.exchange_url
        wait_until_healthy(f"{origin}/healthz", house.certificates.authority, process, log)
        yield Listener(name, process, log)


@contextmanager
def started(
    command: Sequence[str], environment: Mapping[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program in a group of its own, and end the whole group afterwards."""
    with log.open("ab") as output:
        # A group of its own, or Ctrl-C would end it before we could end things in order.
        process = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask the process to end; after a few seconds insist, with all that it started."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_until_healthy(
    url: str, authority: Path | None, process: subprocess.Popen[bytes], log: Path
) -> None:
    """Return when the address answers 200; raise with the last words of the log otherwise."""
    context = ssl.create_default_context(cafile=authority)
    handlers = (urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    opener = urllib.request.build_opener(*handlers)
    deadline = time.monotonic() + HEALTHY_SECONDS
    why = "no answer"
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with opener.open(url, timeout=2):
                return
        except urllib.error.HTTPError as error:
            error.close()
            why = f"HTTP {error.code}"
        except OSError as error:
            why = str(error)
        time.sleep(0.05)
    if process.poll() is not None:
        why = f"it ended with {process.returncode}"
    tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
    raise DemoError(f"{url} is not healthy ({why}); the end of {log}:\n{tail}")
