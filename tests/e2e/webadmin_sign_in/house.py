"""A portal nobody works in yet, over real TLS, and somebody who comes in by a link."""

from __future__ import annotations

from dataclasses import dataclass

import pyotp
from playwright.sync_api import CDPSession, Page

from app.staff import links, totp
from tests.e2e.looking import look
from tests.e2e.pages.serving import Served

PASSWORD = "velvet tractor onion harbour"


@dataclass
class Way:
    """The way in, one page after the other; every page is looked at on the way."""

    page: Page
    served: Served
    secret: str = ""

    def __post_init__(self) -> None:
        self.found: dict[str, object] = {}
        self.codes: list[str] = []
        self.seen: list[str] = []

    def open_first_link(self) -> None:
        """Open a link that the operator's command printed, and begin."""
        service = self.served.seeded.service
        with service.database.write() as session:
            token = links.make_first(
                session, reason=None, now=service.clock.now(), entropy=service.entropy
            )
        self.page.goto(links.address_of(self.served.origin, token))
        self.look("welcome")
        assert token not in self.page.url
        self.page.get_by_role("button", name="Begin").click()

    def say_who(self) -> None:
        """Give a name, a login and a password."""
        self.page.get_by_label("Name").fill("Sam")
        self.page.get_by_label("Login").fill("sam")
        self.page.get_by_label("New password").fill(PASSWORD)
        self.page.get_by_label("The same once more").fill(PASSWORD)
        self.look("password")
        self.page.get_by_role("button", name="Continue").click()

    def take_app(self) -> None:
        """Type the secret into an app, so to speak, and its first code into the page."""
        assert self.page.get_by_role("img", name="Picture for an authenticator app").is_visible()
        self.look("second step")
        self.page.get_by_text("The app cannot read the picture").click()
        self.secret = self.page.locator(".copyable code").inner_text().replace(" ", "")
        self.page.get_by_label("Code").fill(self.code())
        self.page.get_by_role("button", name="Use this app").click()

    def keep_codes(self) -> None:
        """Let the recovery codes be shown, and go on."""
        self.look("before the codes")
        self.page.get_by_role("button", name="Show my recovery codes").click()
        self.codes = self.page.locator(".codes code").all_inner_texts()
        self.look("codes")
        self.page.get_by_role("button", name="I have kept them").click()
        self.page.get_by_role("heading", name="Overview").wait_for()

    def sign_out(self) -> None:
        """Leave."""
        self.page.get_by_role("button", name="Sign out").click()
        self.page.get_by_role("heading", name="Sign in to WebAdmin").wait_for()

    def give_password(self) -> None:
        """Begin to sign in."""
        self.look("sign in")
        self.page.get_by_label("Login").fill("sam")
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Continue").click()

    def code(self) -> str:
        """Return what the app shows now."""
        step = self.served.seeded.service.clock.now() // totp.STEP
        return pyotp.TOTP(self.secret).generate_otp(step)

    def wait_for_next_code(self) -> None:
        """Let half a minute pass."""
        self.served.seeded.service.clock.advance(totp.STEP)

    def look(self, name: str) -> None:
        """Note what is wrong with how the page that is open is built."""
        self.seen.append(name)
        self.found |= look(self.page, name)


def plug_in_authenticator(page: Page) -> tuple[CDPSession, str]:
    """Give the browser an authenticator that is unlocked whenever it is asked."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    added = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return session, str(added["authenticatorId"])
