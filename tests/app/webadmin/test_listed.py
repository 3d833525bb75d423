"""The list of WebAdmin's pages is whole, every page on it is there, and each keeps the policy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from app.security import POLICY
from tests.app.pages.pseudo_locale import LANGUAGE, translate, unmarked
from tests.app.pages.seeded import bare_portal, live_in
from tests.app.portal_fixtures import Browser
from tests.app.webadmin.desk import at_desk
from tests.app.webadmin.listed import NOT_LISTED, PAGES
from tests.app.webadmin.lived_in import Lived, work_in

MISSING = {"a missing page": 404, "not allowed": 403}
# What is data and stays as it is; what has no letter of ours is a number or a date.
DATA = re.compile(
    r"English|Handfast|WebAdmin|Handfast WebAdmin|Windows|Linux|macOS|iOS|Google"
    r"|Safari|Firefox|Sam|Ada|Olu|Uma|Carol|Dave|Erin|sam|ada|olu|uma|olu\.of\.a\.group"
    r"|Ann's (laptop|new phone)|Old tablet|Key on the ring|Mail gateway|Ticket system|Sales|Nowhere"
    r"|handfast 0\.1|telephone|a new class|starts on Monday|[jk]|\S+@\S+|[a-z.-]+:993|example\.org"
)
LETTER = re.compile("[A-Za-z]")


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    folder: Path = tmp_path_factory.mktemp("portal")
    with bare_portal(folder) as seeded:
        live_in(seeded)
        yield work_in(seeded, folder)


@pytest.fixture(scope="module")
def translated(lived: Lived, tmp_path_factory: pytest.TempPathFactory) -> Lived:
    translate(lived.seeded.app, tmp_path_factory.mktemp("translations"))
    return lived


def visitor(lived: Lived, name: str) -> Browser:
    app: Flask = lived.seeded.app
    who = PAGES[name].who
    return at_desk(app, getattr(lived, who)) if who else Browser(app.test_client())


def path_of(lived: Lived, name: str) -> str:
    return PAGES[name].path.format_map(lived.places)


def test_no_page_is_left_out(lived: Lived) -> None:
    address = lived.seeded.app.url_map.bind("portal.example.test")
    listed = {
        address.match(path_of(lived, name).partition("?")[0], method="GET")[0]
        for name in PAGES
        if name != "a missing page"
    }
    there_are = {
        rule.endpoint
        for rule in lived.seeded.app.url_map.iter_rules()
        if rule.rule.startswith("/admin") and "GET" in (rule.methods or ())
    }
    assert there_are - listed - NOT_LISTED == set()
    assert there_are >= NOT_LISTED


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_there_and_needs_no_laxer_policy(lived: Lived, name: str) -> None:
    browser = visitor(lived, name)
    answer = browser.get(path_of(lived, name))
    assert answer.status_code == MISSING.get(name, 200)
    assert not re.search(r"<style|\sstyle=|<script>|\son[a-z]+=\"", browser.text())
    assert answer.headers["Content-Security-Policy"] == "; ".join(
        f"{part} {value}" for part, value in POLICY.items()
    )
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Frame-Options"] == "DENY"


def test_titles_name_the_thing_and_the_area(lived: Lived) -> None:
    titles: dict[str, str] = {}
    for name in PAGES:
        browser = visitor(lived, name)
        browser.get(path_of(lived, name))
        found = re.search(r"<title>\s*(.*?)\s*</title>", browser.text(), re.S)
        assert found is not None
        titles[path_of(lived, name).partition("?")[0]] = found[1]
    assert all(title.endswith(" · Handfast WebAdmin") for title in titles.values())
    doubles = {title for title in titles.values() if list(titles.values()).count(title) > 1}
    # Two activations share an account.
    assert doubles == {"Activation for ann@example.org · Handfast WebAdmin"}


@pytest.mark.parametrize("name", PAGES)
def test_every_text_of_a_page_can_be_translated(translated: Lived, name: str) -> None:
    browser = visitor(translated, name)
    answer = browser.get(path_of(translated, name), headers={"Accept-Language": LANGUAGE})
    html = answer.get_data(as_text=True)
    assert f'lang="{LANGUAGE}" dir="rtl"' in html
    found = {text for text in unmarked(html) if LETTER.search(text) and not DATA.fullmatch(text)}
    assert found == set()
