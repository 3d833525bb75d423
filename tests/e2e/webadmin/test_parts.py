"""The parts that WebAdmin's pages are made of, all on one page, on every screen and on paper."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from flask import render_template_string
from playwright.sync_api import Browser, Page, expect
from wtforms import Form, StringField
from wtforms.validators import InputRequired

from tests.e2e.looking import look
from tests.e2e.webadmin.serving import Office

pytestmark = pytest.mark.browser

HERE = Path(__file__).parent


class ReasonForm(Form):  # type: ignore[misc]  # wtforms comes without types
    reason = StringField("Why", [InputRequired("Say why.")], description="The person reads it.")


def show(page: Page, workplace: Office, name: str) -> None:
    """Put a page of the tests' own where WebAdmin's would be."""
    form = ReasonForm()
    form.validate()
    cookies = "; ".join(f"{one['name']}={one['value']}" for one in page.context.cookies())
    with workplace.served.seeded.app.test_request_context(
        "/admin", base_url=workplace.origin, headers={"Cookie": cookies}
    ):
        workplace.served.seeded.app.preprocess_request()
        html = render_template_string((HERE / name).read_text(encoding="utf-8"), form=form)
    address = workplace.address(f"/admin/{name}")
    page.route(address, lambda route: route.fulfill(body=html, content_type="text/html"))
    page.goto(address)


@pytest.mark.parametrize("width", [320, 800, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["parts.html", "act.html"])
def test_no_part_has_a_finding(
    browser: Browser, workplace: Office, name: str, scheme: Literal["light", "dark"], width: int
) -> None:
    with browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme
    ) as context:
        workplace.sit_down(context, workplace.lived.sam)
        page = context.new_page()
        show(page, workplace, name)
        assert look(page, name) == {}


def test_recovery_codes_are_printed_alone(desk: Page, workplace: Office) -> None:
    show(desk, workplace, "parts.html")
    desk.emulate_media(media="print")
    expect(desk.get_by_role("heading", name="Recovery codes of Sam")).to_be_visible()
    expect(desk.locator(".codes li")).to_have_count(8)
    expect(desk.get_by_role("heading", name="Every part")).to_be_hidden()
    expect(desk.get_by_role("navigation", name="Main")).to_have_count(0)
