"""The telephone case: Olu reads a code out, Ann types it, and both see what became of it."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import select

from app.accounts.sessions import Client as BrowserClient
from app.clock import SystemClock
from app.models import Reach, Staff, StaffRole, StaffStage, StaffState, new_id
from app.models.tables import MAIL_ACCOUNT
from app.staff import sessions
from app.webadmin.gate import COOKIE
from plugin.errors import ExitCode
from tests.e2e.looking import look
from tests.e2e.main_job.installation import ANN, PASSWORDS, Installation
from tests.e2e.thick_client.conftest import new_client
from tests.plugin.client import Client

pytestmark = [pytest.mark.browser, pytest.mark.dovecot, pytest.mark.timeout(300)]


def sit_down(portal: Installation, context: BrowserContext) -> None:
    """Hire Olu, and give her browser a session."""
    now = SystemClock().now()
    with portal.database() as database, database.write() as session:
        olu = Staff(
            id=new_id(os.urandom),
            login=f"olu.{new_id(os.urandom)[:6].lower()}",
            name="Olu",
            address=None,
            role=StaffRole.CUSTOMER_CARE,
            reach=Reach.EVERYONE,
            state=StaffState.ACTIVE,
            created_at=now,
        )
        session.add(olu)
        session.flush()
        token, _ = sessions.start(
            session,
            BrowserClient("127.0.0.1", "Chromium"),
            staff_id=olu.id,
            stage=StaffStage.FULL,
            now=now,
            entropy=os.urandom,
        )
    domain = urlsplit(portal.issuer).hostname or ""
    context.add_cookies(
        [
            {
                "name": COOKIE,
                "value": token,
                "domain": domain,
                "path": "/",
                "secure": True,
                "httpOnly": True,
                "sameSite": "Lax",
            }
        ]
    )


def ann_in(portal: Installation) -> str:
    with portal.database() as database, database.read_connection() as connection:
        query = select(MAIL_ACCOUNT.c.person_id).where(MAIL_ACCOUNT.c.address == ANN)
        return str(connection.execute(query).scalar_one())


def made_code(page: Page, portal: Installation) -> str:
    """Olu fills in the form and reads the code off the page."""
    page.goto(f"{portal.issuer}/admin/people/{ann_in(portal)}/code")
    page.get_by_label("Why").fill("called because the laptop is new")
    page.get_by_role("button", name="Make the code").click()
    return page.locator(".spoken").inner_text().replace("\n", " ")


@pytest.fixture
def known(client: Client) -> Client:
    """A device with which Ann has signed in once, so that the portal knows her."""
    asked = ("--account", ANN, "--service", "mail")
    assert client.run("activate", *asked, passwords=[PASSWORDS[ANN]]).status == ExitCode.OK
    return client


@pytest.mark.usefixtures("known")
def test_a_code_is_read_out_typed_and_seen_to_be_used(
    portal: Installation, browser: Browser, tmp_path: Path
) -> None:
    laptop = new_client(portal, tmp_path / "new laptop")
    errors: list[str] = []
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        sit_down(portal, context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        code = made_code(page, portal)
        assert look(page, "the code") == {}
        expect(page.locator(".standing-text")).to_have_text("Waiting for somebody to type it.")
        expect(page.locator(".countdown")).to_contain_text("9:")
        status, screen = laptop.type(
            [("Code:", code.lower()), ("Allow?", "y")], "activate", "--code"
        )
        assert status == ExitCode.OK, screen
        expect(page.locator(".standing-text")).to_contain_text("Used by the device", timeout=15_000)
        expect(page.locator(".spoken")).to_have_count(0)
        assert look(page, "the code was used") == {}
        page.get_by_role("link", name="The caller knows this device").click()
        page.get_by_label("Why").fill("she told me its name")
        page.get_by_role("button", name="Yes, it is theirs").click()
        expect(page.get_by_text("The device is confirmed.")).to_be_visible()
    assert errors == []
    # The keys are the same on both sides, and work.
    on_device = {service: each for (_account, service), each in laptop.words().items()}
    assert set(on_device) == {"mail", "contacts", "calendar"}
    assert on_device == portal.active_words(ANN)
    refreshed = laptop.run("refresh")
    assert refreshed.status == ExitCode.OK, refreshed.stdout


@pytest.mark.usefixtures("known")
def test_a_wrong_code_is_seen_on_the_page(
    portal: Installation, browser: Browser, tmp_path: Path
) -> None:
    laptop = new_client(portal, tmp_path / "new laptop")
    with browser.new_context(viewport={"width": 320, "height": 800}) as context:
        sit_down(portal, context)
        page = context.new_page()
        code = made_code(page, portal)
        assert look(page, "the code on a telephone") == {}
        swapped = code.replace(code[5], "X" if code[5] != "X" else "Y", 1)
        assert laptop.run("activate", "--yes", code=swapped).status == ExitCode.USAGE
        done = laptop.run("activate", "--yes", code=code)
        assert done.status == ExitCode.OK, done.stderr
        again = new_client(portal, tmp_path / "another").run("activate", "--yes", code=code)
        assert again.status == ExitCode.REFUSED_BY_SERVICE
