"""One installation per database, one machine with one browser, for all tests of the main job."""

from __future__ import annotations

import json
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import trustme
from playwright.sync_api import BrowserContext, Page, Playwright, expect

from demo.browser import chromium
from tests.e2e.bridge.registered import handfast
from tests.e2e.browser import (
    Machine,
    browser,
    close_what_is_left,
    new_machine,
    wait_for_no_host,
)
from tests.e2e.main_job.installation import BOB, Installation, Pin, installation
from tests.e2e.main_job.steps import COOKIE, sign_in, use_session
from tests.peers import postgresql
from tests.peers.ca import CertificateAuthority
from tests.peers.dovecot import DovecotServer

PATIENCE = 20_000  # milliseconds


@pytest.fixture(scope="package")
def pin(mail_authority: CertificateAuthority, mail_server: DovecotServer) -> Pin:
    """The operator's word that Dovecot serves example.org."""
    authority = mail_authority.folder / "authority.pem"
    authority.write_text(mail_authority.pem, encoding="ascii")
    return Pin("example.org", mail_server.tls_port, authority)


@pytest.fixture(scope="package")
def silent_server() -> Iterator[int]:
    """The port of a mail server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture(scope="package")
def portal(
    authority: trustme.CA, pin: Pin, silent_server: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """The installation on SQLite, which most tests use."""
    folder = tmp_path_factory.mktemp("sqlite")
    pins = [
        pin,
        # Dovecot's certificate is for the name "localhost" only.
        Pin("other-name.example", pin.port, pin.authority, host="127.0.0.1"),
        Pin("silent.example", silent_server, pin.authority),
    ]
    with installation(folder, authority, None, pins) as portal:
        yield portal


@pytest.fixture(scope="package")
def portal_on_postgresql(
    authority: trustme.CA,
    pin: Pin,
    postgresql_cluster: postgresql.Cluster,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Installation]:
    """Another one, on PostgreSQL."""
    folder = tmp_path_factory.mktemp("postgresql")
    with (
        postgresql_cluster.database() as url,
        installation(folder, authority, url, [pin]) as portal,
    ):
        yield portal


def trusting_machine(
    stack: ExitStack, authority: trustme.CA, portals: list[Installation]
) -> Machine:
    """A device that trusts the portals by their fingerprints."""
    # A short path: below the tests' own folders the browser's socket would have too long a name.
    folder = tempfile.TemporaryDirectory(prefix="hf-", ignore_cleanup_errors=True)
    machine = new_machine(Path(stack.enter_context(folder)), authority)
    for portal in portals:
        by = ("--ca-file", str(portal.certificates.authority), "--fingerprint", portal.fingerprint)
        done = handfast(machine, "trust", "add", portal.issuer, *by)
        assert done.returncode == 0, done.stderr
    # The administrator of this device lets `handfast open` go on where nobody can be asked.
    policy = {"allow_without_consent": [portal.issuer for portal in portals]}
    (machine.home / "etc").mkdir()
    (machine.home / "etc/policy.json").write_text(json.dumps(policy), encoding="utf-8")
    return machine


@pytest.fixture(scope="package")
def machine(
    authority: trustme.CA, portal: Installation, portal_on_postgresql: Installation
) -> Iterator[Machine]:
    """Ann's machine: it trusts both, and the handler is registered with the browser."""
    with ExitStack() as stack:
        machine = trusting_machine(stack, authority, [portal, portal_on_postgresql])
        done = handfast(machine, "register", "--user-data-dir", str(machine.profile))
        assert done.returncode == 0, done.stderr
        yield machine


@pytest.fixture(scope="package")
def context(playwright: Playwright, machine: Machine) -> Iterator[BrowserContext]:
    """Ann's browser."""
    with browser(playwright, machine) as context:
        context.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        yield context
        expect.set_options(timeout=5_000)


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A fresh page; nobody is signed in."""
    context.clear_cookies()
    errors: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    close_what_is_left(context)
    assert errors == []


@pytest.fixture(scope="package")
def ann_session(context: BrowserContext, portal: Installation) -> str:
    """The token of Ann's session: a mail server sees her password once, not in every test."""
    page = context.new_page()
    sign_in(page, portal)
    page.close()
    (token,) = [cookie["value"] for cookie in context.cookies() if cookie["name"] == COOKIE]
    return token


@pytest.fixture
def account_page(page: Page, portal: Installation, ann_session: str, machine: Machine) -> Page:
    """The page "Your account" of Ann, who has signed in; the bridge has asked all it wants."""
    use_session(page.context, portal, ann_session)
    page.goto(portal.issuer)
    wait_for_no_host(page, machine)
    return page


@pytest.fixture(scope="package")
def bobs_machine(authority: trustme.CA, portal: Installation) -> Iterator[Machine]:
    """Bob's machine: it trusts the portal, and no browser knows of the handler."""
    with ExitStack() as stack:
        yield trusting_machine(stack, authority, [portal])


@pytest.fixture(scope="package")
def bobs_browser(playwright: Playwright, bobs_machine: Machine) -> Iterator[BrowserContext]:
    """A browser without any extension."""
    with chromium(
        playwright,
        profile=bobs_machine.profile,
        environment=bobs_machine.environment(),
        downloads=bobs_machine.downloads,
    ) as context:
        context.set_default_timeout(PATIENCE)
        yield context


@pytest.fixture(scope="package")
def bob_session(bobs_browser: BrowserContext, portal: Installation) -> None:
    """Bob has signed in, in his own browser."""
    page = bobs_browser.new_page()
    sign_in(page, portal, BOB)
    page.close()
