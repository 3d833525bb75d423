"""A list of people in a real browser: uploaded, mended, taken, and its people found."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from app.bulk.checking import check_some
from app.bulk.taking import Worker, take_one
from app.extensions import of
from tests.e2e.looking import look
from tests.e2e.webadmin.serving import Office

pytestmark = pytest.mark.browser

REASON = "the new members of the choir"
GOOD = [f"member{number}@choir.example,Member {number},mail,Sales," for number in range(1500)]
BAD = ["carla@choir.example,Carla,mail telex,Sales,", "no address,Dora,,Nowhere,"]
MENDED = ["carla@choir.example,Carla Ríos,mail,Sales,es", "dora@choir.example,Dora,,,"]
PICTURES = os.environ.get("PICTURES", "")


def list_of(lines: list[str]) -> FilePayload:
    text = "\r\n".join(["address,name,services,groups,language", *lines])
    return FilePayload(name="choir.csv", mimeType="text/csv", buffer=text.encode("utf-8-sig"))


def upload(desk: Page, workplace: Office, lines: list[str]) -> None:
    desk.goto(workplace.address("/admin/imports"))
    desk.get_by_label("File").set_input_files(list_of(lines))
    desk.get_by_label("Reason").fill(REASON)
    desk.get_by_role("button", name="Check the list").click()
    expect(desk.get_by_role("heading", name="List of people")).to_be_visible()


def seen(page: Page, name: str) -> None:
    """Look at a state of the page: nothing is wrong with how it is built, wide or narrow."""
    found: dict[str, object] = {}
    for width in (1280, 320):
        for scheme in ("light", "dark"):
            page.set_viewport_size({"width": width, "height": 800})
            page.emulate_media(color_scheme=scheme)
            found |= look(page, f"{name}, {width} px, {scheme}")
            if PICTURES:
                path = Path(PICTURES, f"{name}-{width}-{scheme}.png")
                page.screenshot(path=path, full_page=True)
    page.set_viewport_size({"width": 1280, "height": 800})
    assert found == {}


def worker_of(workplace: Office) -> Worker:
    here = of(workplace.served.seeded.app)
    return Worker(here.database, here.config, here.clock, here.entropy)


def test_a_list_is_uploaded_mended_and_taken(desk: Page, workplace: Office) -> None:
    worker = worker_of(workplace)
    upload(desk, workplace, [*GOOD, *BAD])
    expect(desk.get_by_text("Every line is being checked.")).to_be_visible()
    assert check_some(worker.database, worker.clock)
    # The page moves by itself: first its bar, then to what was found.
    expect(desk.get_by_text("1,000 of 1,502")).to_be_visible()
    seen(desk, "checking")
    while check_some(worker.database, worker.clock):
        pass
    expect(desk.get_by_text("2 lines have problems, so nobody was invited.")).to_be_visible()
    table = desk.get_by_role("table", name="What is wrong")
    expect(table.get_by_role("row").filter(has_text="1,502")).to_contain_text(
        "there is no service “telex”; there are mail, contacts and calendar"
    )
    dora = table.get_by_role("row").filter(has_text="1,503")
    expect(dora.get_by_role("listitem")).to_have_text(
        [re.compile("this is no mail address"), re.compile("there is no group “Nowhere”")]
    )
    seen(desk, "problems")
    with desk.expect_download() as downloaded:
        desk.get_by_role("link", name="Download all problems as CSV").click()
    assert downloaded.value.path().read_text(encoding="utf-8-sig").count("\n") == 4

    upload(desk, workplace, [*GOOD, *MENDED])
    while check_some(worker.database, worker.clock):
        pass
    expect(desk.get_by_text("Nothing is wrong with this list.")).to_be_visible()
    seen(desk, "checked")
    desk.get_by_role("button", name="Take the whole list").click()
    expect(desk.get_by_text("The list is being taken.", exact=False)).to_be_visible()
    assert take_one(worker)
    expect(desk.get_by_text("1,502 people were invited.")).to_be_visible()
    seen(desk, "done")

    desk.get_by_role("link", name="See the people").click()
    desk.get_by_label("Search people").fill("carla ríos")
    desk.get_by_role("button", name="Search", exact=True).click()
    desk.get_by_role("link", name="Carla Ríos").click()
    expect(desk.get_by_role("heading", name="Carla Ríos")).to_be_visible()
    expect(desk.get_by_text(REASON).first).to_be_visible()


def test_without_scripts_the_page_is_loaded_again(browser: Browser, workplace: Office) -> None:
    worker = worker_of(workplace)
    with browser.new_context(java_script_enabled=False) as context:
        workplace.sit_down(context, workplace.lived.ada)
        page = context.new_page()
        upload(page, workplace, ["erin@choir.example,Erin,,,"])
        while check_some(worker.database, worker.clock):
            pass
        page.get_by_role("link", name="Reload to see how far it is").click()
        page.get_by_role("button", name="Take the whole list").click()
        assert take_one(worker)
        page.get_by_role("link", name="Reload to see how far it is").click()
        expect(page.get_by_text("1 person was invited.")).to_be_visible()


def test_a_token_is_made_shown_once_and_ended(desk: Page, workplace: Office) -> None:
    desk.goto(workplace.address("/admin/tokens"))
    desk.get_by_label("Name", exact=True).fill("the personnel system")
    desk.get_by_role("checkbox", name="see people and what they have").check()
    desk.get_by_role("button", name="Make the token").click()
    text = desk.locator(".secret code").inner_text()
    assert re.fullmatch(r"hfa_[\w-]{43}", text)
    seen(desk, "token")
    assert "hfa_" not in desk.url + desk.title()
    desk.get_by_role("link", name="I have put it away").click()
    expect(desk.get_by_text("the personnel system").first).to_be_visible()
    assert text not in desk.content()
    desk.get_by_role("link", name="End the personnel system").click()
    desk.get_by_role("button", name="End the token").click()
    expect(desk.get_by_text("The token the personnel system was ended.")).to_be_visible()


def test_people_are_exported(desk: Page, workplace: Office) -> None:
    desk.goto(workplace.address("/admin/people?q=ann"))
    desk.get_by_role("link", name="Export").click()
    desk.get_by_label("Reason").fill("for the annual letter")
    with desk.expect_download() as downloaded:
        desk.get_by_role("button", name="Export as CSV").click()
    assert downloaded.value.suggested_filename == "people.csv"
    assert "ann@example.org" in downloaded.value.path().read_text(encoding="utf-8-sig")
