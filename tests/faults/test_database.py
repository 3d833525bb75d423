"""A database that cannot: 503 and when to come back, nothing changed, and no restart needed."""

import os
import resource
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from plugin.errors import ExitCode
from tests.faults.site import Done, Exchange, Site, children, wait_for
from tests.faults.witness import Snapshot, Witness

SERVICES = ("mail", "contacts")
DISK = "2m"
DatabaseFault = Callable[[Site, Exchange], AbstractContextManager[None]]


def file_of(site: Site) -> Path:
    return site.folder / "service" / "handfast.sqlite3"


@contextmanager
def locked(site: Site, _exchange: Exchange) -> Iterator[None]:
    """Another process holds the write lock for longer than the exchange waits."""
    with closing(sqlite3.connect(file_of(site), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def no_writing(_site: Site, exchange: Exchange) -> Iterator[None]:
    """The system refuses every write to a file of the running exchange."""
    workers = children(exchange.process.pid)
    limits = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in workers}
    for pid, (_soft, hard) in limits.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
    yield
    for pid, limit in limits.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, limit)


@contextmanager
def full_disk(site: Site, _exchange: Exchange) -> Iterator[None]:
    """Somebody else's file takes all the room there is."""
    filler = site.folder / "service" / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
        yield
    filler.unlink()


@contextmanager
def forbidden_until_now(site: Site) -> Iterator[None]:
    """The file's modes forbade writing when the exchange opened it, and then no more."""
    yield
    set_modes(site, 0o600)


def set_modes(site: Site, mode: int) -> None:
    for file in file_of(site).parent.glob("handfast.sqlite3*"):
        file.chmod(mode)


def state(now: Snapshot) -> tuple[Any, ...]:
    """Everything that a failed request may not change."""
    return (
        {row.id: tuple(row) for row in now.activations.values()},
        [tuple(row) for row in now.grants],
        [tuple(row) for row in now.runs],
        {row.id: tuple(row) for row in now.keys.values()},
        now.audit,
    )


def unavailable_seen(site: Site) -> bool:
    return any(one.status == 503 for one in site.proxy.passed)


def leave_pending(site: Site) -> None:
    """Leave the device as it is between reply and confirm."""
    stopped = site.handfast("open", str(site.issue(*SERVICES)), crash_at="device.pending.stored")
    assert stopped.code == 137


def refuse_then_recover(site: Site, witness: Witness, fault: AbstractContextManager[None]) -> None:
    """A confirm during the fault, and one after it; nobody restarts anything in between."""
    before = state(witness.look())
    with fault:
        during = site.handfast("status")
        assert during.code == ExitCode.UNFINISHED, during.errors
        assert unavailable_seen(site)
    assert state(witness.look()) == before
    after = site.handfast("status")
    assert after.code == 0, after.errors
    witness.check_repeated()


@pytest.mark.parametrize("fault", [pytest.param(locked, marks=pytest.mark.faults), no_writing])
def test_a_confirm_is_unavailable_and_later_done(
    fault: DatabaseFault, site: Site, witness: Witness
) -> None:
    with site.exchange() as exchange:
        leave_pending(site)
        refuse_then_recover(site, witness, fault(site, exchange))
    witness.check_end(*SERVICES)
    witness.check_secrets_gone()


@pytest.mark.faults
@pytest.mark.parametrize("fault", [locked, no_writing])
def test_an_init_is_unavailable_and_counted_once(
    fault: DatabaseFault, site: Site, witness: Witness
) -> None:
    document = site.issue(*SERVICES)
    before = state(witness.look())
    with site.exchange() as exchange, site.handfast_running("open", str(document)) as opening:
        # The device is still starting.
        with fault(site, exchange):
            wait_for(lambda: unavailable_seen(site))
            assert state(witness.look()) == before
        done = Done.end_of(opening)
        assert done.code == 0, done.errors
        witness.check_repeated()
    assert witness.look().activations[document.stem].attempts == 1
    witness.check_end(*SERVICES)
    witness.check_secrets_gone()


@pytest.mark.faults
def test_a_file_that_could_not_be_written_needs_no_restart(site: Site, witness: Witness) -> None:
    with site.exchange():
        leave_pending(site)
    set_modes(site, 0o400)
    with site.exchange():
        refuse_then_recover(site, witness, forbidden_until_now(site))
    witness.check_end(*SERVICES)
    witness.check_secrets_gone()


def can_mount() -> bool:
    """Whether a disk of our own can be had: only root may, and not in every container."""
    with tempfile.TemporaryDirectory() as folder:
        if os.geteuid() != 0 or not mount(Path(folder)):
            return False
        unmount(Path(folder))
        return True


def mount(folder: Path) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=700", "handfast-test", str(folder)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def unmount(folder: Path) -> None:
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def disk_of_its_own(folder: Path) -> Iterator[None]:
    """Put a small disk under a folder, with what is in it."""
    content = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    modes = {path: path.stat().st_mode & 0o777 for path in folder.rglob("*")}
    assert mount(folder)
    try:
        for path, mode in sorted(modes.items()):
            if path in content:
                path.write_bytes(content[path])
            else:
                path.mkdir()
            path.chmod(mode)
        yield
    finally:
        unmount(folder)


# Where no disk can be had the refused writes above show the same; so this is no skipped test.
@pytest.mark.faults
@pytest.mark.parametrize("fault", [full_disk] if can_mount() else [no_writing])
def test_a_full_disk_is_survived(fault: DatabaseFault, site: Site, witness: Witness) -> None:
    with ExitStack() as stack:
        if fault is full_disk:
            stack.enter_context(disk_of_its_own(site.folder / "service"))
        exchange = stack.enter_context(site.exchange())
        leave_pending(site)
        refuse_then_recover(site, witness, fault(site, exchange))
        witness.check_end(*SERVICES)
        witness.check_secrets_gone()
