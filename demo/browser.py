"""Start the distribution's Chromium with the bridge extension in a throw-away profile."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import BrowserContext, Playwright

FLAGS = (
    "--disable-quic",
    "--disable-component-update",
    "--disable-sync",
    "--disable-background-networking",
    "--no-first-run",
    # In a session with D-Bus the browser would wait for somebody to unlock a keyring.
    "--password-store=basic",
)
PROGRAMS = ("chromium", "chromium-browser")


def find() -> str:
    """Return the path of the distribution's Chromium; Playwright brings none of its own."""
    for name in PROGRAMS:
        path = shutil.which(name)
        if path is not None:
            return path
    raise FileNotFoundError("chromium is not installed (make setup installs it)")


def has_display(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a window could be shown to somebody."""
    return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


def trust_authority(home: Path, authority: Path) -> None:
    """Make every Chromium with this home folder accept the authority (a PEM file) as well."""
    database = home / ".pki" / "nssdb"
    database.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = f"sql:{database}"
    certutil("-d", name, "-N", "--empty-password")
    certutil("-d", name, "-A", "-t", "C,,", "-n", "Handfast demo", "-i", str(authority))


def certutil(*arguments: str) -> None:
    """Run the certificate database's own tool."""
    subprocess.run(
        ["certutil", *arguments],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        timeout=30,
    )


@contextmanager
def chromium(
    playwright: Playwright,
    *,
    profile: Path,
    environment: Mapping[str, str],
    extension: Path | None = None,
    at_once: bool = False,
    headless: bool = True,
    dark: bool = False,
    downloads: Path | None = None,
    extra: Sequence[str] = (),
) -> Iterator[BrowserContext]:
    """Yield a browser whose native hosts come from `profile` and whose trust from its HOME.

    `environment` reaches the content handler too, since the browser starts it. With `at_once`
    nobody waits until the extension listens.
    """
    arguments = [*FLAGS, *sandbox_flags(), *extra]
    if headless:
        arguments.append("--disable-gpu")
    if extension is not None:
        arguments += [f"--disable-extensions-except={extension}", f"--load-extension={extension}"]
    context = playwright.chromium.launch_persistent_context(
        profile,
        executable_path=find(),
        headless=headless,
        args=arguments,
        env=dict(environment),
        locale="en-GB",
        color_scheme="dark" if dark else "light",
        downloads_path=downloads,
        # Ctrl-C is for us to handle: the browser is closed after what it is used for.
        handle_sigint=False,
        handle_sigterm=False,
        handle_sighup=False,
    )
    try:
        if extension is not None and not at_once:
            _wait_for_bridge(context)
        yield context
    finally:
        context.close()


def _wait_for_bridge(context: BrowserContext) -> None:
    """Wait until the bridge listens: a document that comes before is a download."""
    workers = context.service_workers or [context.wait_for_event("serviceworker", timeout=15_000)]
    # The worker is there before its script has run.
    for _attempt in range(750):
        if workers[0].evaluate("chrome.webRequest?.onHeadersReceived.hasListeners()"):
            return
        time.sleep(0.02)
    raise TimeoutError("the bridge does not listen")


def sandbox_flags() -> list[str]:
    """Chromium refuses to run as root with its sandbox on."""
    return ["--no-sandbox"] if os.geteuid() == 0 else []
