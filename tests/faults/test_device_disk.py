"""The device's disk is full or closed: said clearly, nothing lost, and repeated with success."""

import sys
from collections.abc import Callable

import pytest

from plugin.errors import ExitCode
from tests.faults.site import Done, Site, start
from tests.faults.test_database import SERVICES, leave_pending
from tests.faults.witness import Witness

Run = Callable[..., Done]
# Every write to a file is refused, as on a full disk, before the command itself begins.
FULL_DISK = (
    "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0));"
    " sys.argv[0] = 'handfast'; runpy.run_module('plugin', run_name='__main__', alter_sys=True)"
)


def on_full_disk(site: Site, *command: str) -> Done:
    """Run the device's command where nothing can be written."""
    with start([sys.executable, "-c", FULL_DISK, *command], site.device_environment()) as running:
        return Done.end_of(running)


def in_closed_folder(site: Site, *command: str) -> Done:
    """Run the device's command where the folder of its store may not be changed."""
    data = site.home / "data"
    data.chmod(0o500)
    try:
        return site.handfast(*command)
    finally:
        data.chmod(0o700)


@pytest.mark.parametrize(
    "run", [on_full_disk, pytest.param(in_closed_folder, marks=pytest.mark.faults)]
)
def test_what_the_service_agreed_to_is_stored_later(run: Run, site: Site, witness: Witness) -> None:
    with site.exchange():
        leave_pending(site)
        store = (site.home / "data" / "store").read_bytes()
        failed = run(site, "status")
        check_told(failed)
        assert (site.home / "data" / "store").read_bytes() == store
        witness.look()
        again = site.handfast("status")
        assert again.code == 0, again.errors
        witness.check_repeated()
    witness.check_end(*SERVICES)


@pytest.mark.faults
@pytest.mark.parametrize("run", [on_full_disk, in_closed_folder])
def test_a_run_that_cannot_be_stored_is_never_confirmed(
    run: Run, site: Site, witness: Witness
) -> None:
    document = site.issue(*SERVICES)
    with site.exchange():
        failed = run(site, "open", "--keep", str(document))
        check_told(failed)
        assert not [one for one in site.proxy.passed if one.path == "/confirm"]
        witness.look()
        again = site.handfast("open", str(document))
        assert again.code == 0, again.errors
    witness.check_end(*SERVICES)


def check_told(done: Done) -> None:
    """The person reads what is wrong and what to do, and a script sees the store's status."""
    assert done.code == ExitCode.STORE, done.errors
    assert "handfast: error: " in done.errors
    assert "handfast: hint: " in done.errors
    assert "Traceback" not in done.errors
