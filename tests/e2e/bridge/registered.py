"""Ann's machine, ready to activate."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme

from plugin.registration import chromium
from tests.e2e.bridge.small_service import SmallService
from tests.e2e.browser import Machine, new_machine


@contextmanager
def registered_machine(authority: trustme.CA, service: SmallService) -> Iterator[Machine]:
    """Ann's machine: it trusts the service, and the handler is registered with the browser."""
    # A short path: below the tests' own folders the browser's socket would have too long a name.
    with tempfile.TemporaryDirectory(prefix="hf-", ignore_cleanup_errors=True) as folder:
        machine = new_machine(Path(folder), authority)
        service.become_trusted(machine.device)
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("HANDFAST_HOME", str(machine.device))
            chromium.register(machine.place, [service.issuer])
        yield machine
