"""Somebody who sets up their sign-in by a one-time link, page by page."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field

import pyotp
from werkzeug.test import TestResponse

from app.clock import SECOND
from app.keystore.key_sets import init_keys
from app.keystore.provider import FileKeyProvider
from app.staff import links
from app.staff.passwords import Hasher
from app.webadmin.here import NAME as HASHER
from tests.app.portal_fixtures import Browser, Portal

PASSWORD = "velvet tractor onion harbour"
STEP = 30 * SECOND


def give_keys(portal: Portal) -> None:
    """Do what an operator does first; passwords are hashed in a moment."""
    portal.app.extensions[HASHER] = Hasher(memory_kib=64)
    init_keys(
        FileKeyProvider(portal.config.keys_dir),
        issuer=portal.config.issuer,
        exchange_url=portal.config.exchange_url,
        now=portal.clock.now(),
        entropy=portal.here.entropy,
    )


def first_link(portal: Portal, reason: str | None = None) -> str:
    """Return the secret of a link for the first owner."""
    with portal.database.write() as session:
        return links.make_first(
            session, reason=reason, now=portal.clock.now(), entropy=portal.here.entropy
        )


@dataclass
class Newcomer:
    """What somebody has in their hands once they are through."""

    portal: Portal
    browser: Browser
    login: str = "sam"
    name: str = "Sam"
    password: str = PASSWORD
    secret: bytes = b""
    codes: list[str] = field(default_factory=list)

    def open(self, link: str) -> TestResponse:
        """Use the link."""
        self.browser.get("/admin/welcome")
        return self.browser.post("/admin/welcome", {"link": link})

    def choose_password(self, **more: str) -> TestResponse:
        """Say who it is, with a password."""
        self.browser.get("/admin/welcome/password")
        form = {"name": self.name, "login": self.login, "password": self.password}
        return self.browser.post(
            "/admin/welcome/password", {**form, "again": self.password, **more}
        )

    def take_app(self, path: str = "/admin/welcome/authenticator") -> TestResponse:
        """Read the secret into an app and give the first code."""
        self.browser.get(path.replace("/welcome/authenticator", "/welcome/factor"))
        found = re.search(
            r'<code translate="no" dir="ltr">([A-Z2-7 ]+)</code>', self.browser.text()
        )
        assert found, self.browser.text()
        self.secret = base64.b32decode(found[1].replace(" ", ""))
        return self.browser.post(path, {"code": self.code()})

    def print_codes(self, path: str = "/admin/welcome/codes") -> list[str]:
        """Print the recovery codes."""
        self.browser.get(path)
        self.browser.post(path)
        self.codes = re.findall(r"<li><code>([^<]+)</code></li>", self.browser.text())
        return self.codes

    def finish(self) -> TestResponse:
        """Come in."""
        return self.browser.post("/admin/welcome/finish")

    def join(self, link: str) -> Newcomer:
        """Go the whole way; the next code of the app is a new one."""
        for answer in (self.open(link), self.choose_password(), self.take_app()):
            assert answer.status_code == 303, self.browser.text()
        assert len(self.print_codes()) == 10
        assert self.finish().headers["Location"] == "/admin"
        self.next_code()
        return self

    def code(self, *, steps: int = 0) -> str:
        """Return what the app shows now, or so many steps from now."""
        text = base64.b32encode(self.secret).decode()
        return pyotp.TOTP(text).generate_otp(self.portal.clock.now() // STEP + steps)

    def next_code(self) -> str:
        """Wait until the app shows another code, and return it."""
        self.portal.clock.advance(STEP)
        return self.code()

    def give_password(self, browser: Browser | None = None, **more: str) -> TestResponse:
        """Give login and password at the sign-in."""
        browser = browser or self.browser
        browser.get(f"/admin/sign-in{more.pop('query', '')}")
        found = re.search(r'name="next" type="hidden" value="([^"]*)"', browser.text())
        form = {"login": self.login, "password": self.password}
        form["next"] = found[1] if found else ""
        return browser.post("/admin/sign-in", {**form, **more})

    def give_code(self, code: str, browser: Browser | None = None) -> TestResponse:
        """Give a code at the second step."""
        browser = browser or self.browser
        browser.get("/admin/sign-in/second")
        return browser.post("/admin/sign-in/second", {"code": code})

    def sign_in(self, browser: Browser | None = None) -> TestResponse:
        """Sign in, with a code that was not used before."""
        assert self.give_password(browser).status_code == 303
        return self.give_code(self.next_code(), browser)


def first_owner(portal: Portal) -> Newcomer:
    """Sam, who owns the installation, signed in."""
    give_keys(portal)
    return Newcomer(portal, portal.browser()).join(first_link(portal))
