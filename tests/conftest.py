"""For every test: a clean environment, a home of its own, and no skip that is not listed."""

import atexit
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.peers import postgresql

ALLOWED_SKIPS = Path(__file__).with_name("allowed_skips.txt")
# Left set, these would let a test pass (or fail) because of the machine it runs on.
FOREIGN = (
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "DATABASE_URL",
    "LANG",
    "LANGUAGE",
    "NO_COLOR",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "DBUS_SESSION_BUS_ADDRESS",
)
FOREIGN_PREFIXES = ("HANDFAST_", "FLASK_", "XDG_", "LC_", "PG")

_unlisted: list[str] = []


def pytest_configure() -> None:
    """Before any module of ours is imported, since some read the environment when they are."""
    for name in list(os.environ):
        proxy = name.lower().endswith("_proxy")
        if name in FOREIGN or name.startswith(FOREIGN_PREFIXES) or proxy:
            del os.environ[name]
    home = tempfile.mkdtemp(prefix="handfast-home-")
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    os.environ["HOME"] = home
    os.environ["LC_ALL"] = "C.UTF-8"
    # Whoever runs the tests in the background may ignore Ctrl-C, and every child would inherit it.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # How long an example takes says how busy the machine is, not whether the code is right.
    settings.register_profile(
        "untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    settings.load_profile("untimed")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note a test that was skipped, or failed as expected, without being listed."""
    if report.skipped:
        note_skip(report.nodeid)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Note a whole file that skipped itself while it was collected."""
    if report.skipped:
        note_skip(report.nodeid)


def note_skip(node: str) -> None:
    """Remember the test unless the list has it."""
    if node not in allowed_skips() and node not in _unlisted:
        _unlisted.append(node)


def allowed_skips() -> set[str]:
    """Read the ids from the list, without their reasons."""
    lines = ALLOWED_SKIPS.read_text(encoding="utf-8").splitlines()
    return {line.rpartition(": ")[0] for line in lines if line and not line.startswith("#")}


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Turn an otherwise good run into a failed one when something unlisted did not run."""
    if _unlisted and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which tests failed the run by not running."""
    if not _unlisted:
        return
    terminalreporter.section("skipped without being listed", red=True)
    for node in _unlisted:
        terminalreporter.line(node)
    terminalreporter.line(f"Make them run, or list them with a reason in {ALLOWED_SKIPS.name}.")


@pytest.fixture(scope="session")
def postgresql_cluster() -> Iterator[postgresql.Cluster]:
    """One throw-away PostgreSQL server for all tests that ask for it."""
    with postgresql.start() as cluster:
        yield cluster


@pytest.fixture
def postgresql_url(postgresql_cluster: postgresql.Cluster) -> Iterator[str]:
    """DATABASE_URL of an empty database that nobody else uses."""
    with postgresql_cluster.database() as url:
        yield url
