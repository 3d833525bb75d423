"""Ann's machine, ready to activate."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import trustme

from tests.e2e.bridge.small_service import SmallService
from tests.e2e.browser import Machine, new_machine

SOURCE = Path(__file__).resolve().parents[3]


@contextmanager
def registered_machine(authority: trustme.CA, service: SmallService) -> Iterator[Machine]:
    """Ann's machine: it trusts the service, and the handler is registered with the browser."""
    # A short path: below the tests' own folders the browser's socket would have too long a name.
    with tempfile.TemporaryDirectory(prefix="hf-", ignore_cleanup_errors=True) as folder:
        machine = new_machine(Path(folder), authority)
        service.become_trusted(machine.device)
        handfast(machine, "register", "--user-data-dir", str(machine.profile))
        yield machine


def handfast(
    machine: Machine, *arguments: str, environment: Mapping[str, str] = MappingProxyType({})
) -> "subprocess.CompletedProcess[str]":
    """Run the command as Ann does on her machine."""
    return subprocess.run(
        [sys.executable, "-m", "plugin", *arguments],
        env={**machine.environment(), "PYTHONPATH": str(SOURCE), **environment},
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
    )
