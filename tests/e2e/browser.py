"""Debian's Chromium as a person has it: own home, own profile, our handler registered in it."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import trustme
from playwright.sync_api import BrowserContext, Page, Playwright
from playwright.sync_api import Error as PlaywrightError

from demo.browser import chromium as chromium_browser
from demo.browser import trust_authority
from plugin.registration import chromium

CHROMIUM = "/usr/bin/chromium"
CHROMIUM_BINARY = "/usr/lib/chromium/chromium"
CLOSING_ATTEMPTS = 5
CLOSING_MS = 3_000


@dataclass(frozen=True)
class Machine:
    """A home folder with a browser profile, the device's own folder and a certificate database."""

    home: Path

    @property
    def profile(self) -> Path:
        return self.home / "profile"

    @property
    def device(self) -> Path:
        return self.home / "handfast"

    @property
    def downloads(self) -> Path:
        return self.home / "Downloads"

    @property
    def place(self) -> chromium.Place:
        return chromium.Place.of_profile(self.profile, self.device / "data/registration")

    def environment(self) -> dict[str, str]:
        temporary = self.home / "tmp"
        temporary.mkdir(exist_ok=True)
        return {
            **os.environ,
            "HOME": str(self.home),
            "TMPDIR": str(temporary),
            "HANDFAST_HOME": str(self.device),
            "HANDFAST_SYSTEM_DIR": str(self.home / "etc"),
        }


def new_machine(home: Path, authority: trustme.CA) -> Machine:
    """Lay out a home whose browser trusts `authority` beside the usual ones."""
    certificate = home / "authority.pem"
    authority.cert_pem.write_to_path(str(certificate))
    trust_authority(home, certificate)
    return Machine(home)


@contextmanager
def browser(
    playwright: Playwright,
    machine: Machine,
    extra: Sequence[str] = (),
    *,
    dark: bool = False,
    at_once: bool = False,
) -> Iterator[BrowserContext]:
    """Start the browser, wait until the bridge listens unless `at_once`, close it at the end."""
    with chromium_browser(
        playwright,
        profile=machine.profile,
        environment=machine.environment(),
        extension=machine.place.extension,
        at_once=at_once,
        dark=dark,
        downloads=machine.downloads,
        extra=extra,
    ) as context:
        yield context


def close_what_is_left(context: BrowserContext) -> None:
    """Close the tabs that a test left open: each asks something that nobody will answer."""
    for left in [left for left in context.pages if left.url != "about:blank"]:
        # The browser forgets to close a tab that is on its way to another page; asked again, it
        # does. Without `run_before_unload` the driver asks once only, and waits without end.
        for _attempt in range(CLOSING_ATTEMPTS):
            if left.is_closed():
                break
            closing = left.expect_event("close", timeout=CLOSING_MS)
            # A question closes by itself once its page has gone, and then cannot be asked to.
            with suppress(PlaywrightError), closing, suppress(PlaywrightError):
                left.close(run_before_unload=True)
        if not left.is_closed():
            raise AssertionError(f"the tab {left.url} does not close")


def host_processes(launcher: Path) -> list[int]:
    """Return the ids of the native hosts that run from this launcher's home."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and _belongs_to(entry, launcher):
            found.append(int(entry.name))
    return found


def wait_for_no_host(page: Page, machine: Machine) -> None:
    """Wait until the browser has ended the native hosts."""
    for _attempt in range(100):
        if not host_processes(machine.place.launcher):
            return
        page.wait_for_timeout(50)
    raise AssertionError("a native host is still there")


def _belongs_to(entry: Path, launcher: Path) -> bool:
    try:
        command = (entry / "cmdline").read_bytes()
        environment = (entry / "environ").read_bytes()
    except OSError:
        return False
    home = str(launcher.parents[2]).encode()
    return chromium.EXTENSION_ORIGIN.encode() in command and home in environment


def parent_program(pid: int) -> str:
    """Return the file the parent of `pid` runs from."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    parent = next(line.split()[1] for line in status.splitlines() if line.startswith("PPid:"))
    return str(Path(f"/proc/{parent}/exe").readlink())


def files_holding(markers: Sequence[bytes], folder: Path) -> list[Path]:
    """Return every file below `folder` in which one of the markers stands."""
    files = [Path(root) / name for root, _folders, names in os.walk(folder) for name in names]
    return [file for file in files if any(marker in _content(file) for marker in markers)]


def _content(file: Path) -> bytes:
    # A browser that runs, and a handler that reports, replace files while we look.
    with suppress(FileNotFoundError):
        if file.is_file() and not file.is_symlink():
            return file.read_bytes()
    return b""


def press(context: BrowserContext, page: Page, *, button: str = "Activate this device") -> Page:
    """Press the button and return the consent window."""
    with context.expect_page() as opened:
        page.get_by_role("button", name=button).click()
    return opened.value


def activate(context: BrowserContext, page: Page, *, button: str = "Activate this device") -> Page:
    """Press the button and return the consent window, ready to be answered."""
    consent = press(context, page, button=button)
    consent.locator("#allow[aria-disabled=false]").wait_for()
    return consent


def wait_for_stage(page: Page, stage: str) -> dict[str, str]:
    """Wait until the portal's page is told `stage`, and return what it was told."""
    page.wait_for_function("stage => told.at(-1)?.stage === stage", arg=stage)
    told: dict[str, str] = page.evaluate("told.at(-1)")
    return told


def end_session(process: "subprocess.Popen[bytes]") -> None:
    """End a browser that was started in a session of its own, with all of its helpers."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=10)
    # Helpers may outlive the browser, and would go on writing into its folders.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    while _lives(process.pid):
        time.sleep(0.05)


def _lives(session: int) -> bool:
    """Whether a process of the session is left that is more than its exit status."""
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text(encoding="utf-8").rpartition(")")[2].split()
        except (OSError, UnicodeDecodeError):
            continue
        if int(fields[3]) == session and fields[0] not in "ZX":
            return True
    return False
