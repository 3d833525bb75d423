"""Build what the main job needs: a whole service, a device that trusts it, a browser on it."""

from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import BrowserContext, Playwright

from demo import browser, house, mail_out, mail_server, processes
from demo.narrator import Narrator
from demo.processes import Listener
from plugin.registration.chromium import Place


def build_service(
    stack: ExitStack, state: Path, narrator: Narrator
) -> tuple[house.House, tuple[Listener, ...]]:
    """Make certificates, database and keys; start mail server, portal, exchange, worker."""
    with narrator.step("ports, folders and a certificate authority of its own"):
        home = house.build(state)
    with narrator.step("database migrations"):
        processes.flask(home, "db", "upgrade")
    with narrator.step("signing and sealing keys"):
        processes.flask(home, "keys", "init")
    with narrator.step(f"a mail server for {house.MAIL_DOMAIN}"):
        certificates = home.certificates
        mail = stack.enter_context(
            mail_server.serve(certificates.chain, certificates.key, home.passwords)
        )
    with narrator.step(f"the operator pins {house.MAIL_DOMAIN} to it"):
        where = ("--host", mail.host, "--port", str(mail.port))
        authority = ("--ca", str(certificates.authority))
        processes.flask(home, "pins", "add", house.MAIL_DOMAIN, *where, *authority)
    with narrator.step("the client, built for people to download"):
        build_client(home)
    with narrator.step(f"portal at {home.issuer}"):
        portal = stack.enter_context(processes.portal(home))
    with narrator.step(f"key exchange at {home.exchange_url}"):
        exchange = stack.enter_context(processes.exchange(home))
    with narrator.step("the worker, which sends mail and does what nobody waits for"):
        settings = mail_out.serve(certificates, mail, home.passwords, home.mail)
        worker = stack.enter_context(processes.worker(home, stack.enter_context(settings)))
    return home, (portal, exchange, worker)


def build_client(home: house.House) -> None:
    """Build the wheel that the portal offers on its page "Get the client"."""
    script = house.REPOSITORY / "scripts" / "build_wheel.py"
    processes.run(home, "python", str(script), "--into", str(home.client))


def build_device(home: house.House, narrator: Narrator) -> None:
    """Install the trust anchor and register the content handler in a browser profile."""
    with narrator.step("the handler trusts the portal's public key, by its fingerprint"):
        processes.run(home, "handfast", *home.trust_command())
    with narrator.step("the handler registers itself in the browser's profile"):
        profile = ("--user-data-dir", str(home.profile))
        processes.run(home, "handfast", "register", "--browser", "chromium", *profile)
        browser.trust_authority(home.home, home.certificates.authority)


def open_browser(
    stack: ExitStack, playwright: Playwright, home: house.House, *, headless: bool
) -> BrowserContext:
    """Start Chromium in the throw-away profile, with the extension that the handler wrote there."""
    place = Place.of_profile(home.profile, home.device / "data" / "registration")
    return stack.enter_context(
        browser.chromium(
            playwright,
            profile=home.profile,
            environment=home.environment(),
            extension=place.extension,
            headless=headless,
        )
    )
