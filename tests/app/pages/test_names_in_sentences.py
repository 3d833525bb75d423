"""Names that others chose leave the sentences around them in order, and addresses may wrap."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from sqlalchemy import update

from app.accounts import sessions
from app.clock import HOUR
from app.markup import address, bdi
from app.models import MailAccount
from tests.app.pages.seeded import Seeded

# Written from right to left, and with a bracket and a digit that would jump to the wrong side.
NAME = "حاسوب آن (2"
ADDRESS = "آن.الأولى@example.org"
VOID = {"input", "link", "meta", "br", "use", "wbr"}


class Exposed(HTMLParser):
    """Collects text that has a name in it and stands in no element of its own direction."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.isolated = 0
        self._inside: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self._inside.append((tag, tag == "bdi" or ("dir", "auto") in attrs))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        # A title takes no markup.
        if "title" in [tag for tag, _ in self._inside] or not (NAME in data or ADDRESS in data):
            return
        if any(isolates for _, isolates in self._inside):
            self.isolated += 1
        else:
            self.found.append(data.strip())


@pytest.fixture
def paths(bare: Seeded) -> list[str]:
    """The pages of a person whose address, device and client are named from right to left."""
    service, ann = bare.service, bare.ann
    with service.database.write() as session:
        session.execute(
            update(MailAccount).where(MailAccount.id == ann.account_id).values(address=ADDRESS)
        )
    handset = service.handset(NAME)
    issued = service.issue(ann, "mail", bound_jkt=handset.identity.kid)
    service.activate(handset, issued.document)
    unbound = service.issue(ann, "contacts").document
    service.activate(service.handset(f"{NAME} 3"), unbound)
    with service.database.write() as session:
        client = sessions.start(
            session,
            sessions.new_token(service.entropy),
            sessions.Client("192.0.2.8", "handfast"),
            person_id=ann.person_id,
            now=service.clock.now(),
            lifetime=HOUR,
            entropy=service.entropy,
            device=sessions.ClientDevice(handset.identity.kid, NAME),
        ).id
    browser = bare.browser(ann)
    device = found(browser.get("/devices").get_data(as_text=True), r"/devices/[\w-]{22}")
    key = found(browser.get(device).get_data(as_text=True), r"/keys/[\w-]{22}")
    activation = f"/activations/{issued.activation_id}"
    return [
        *("/", "/devices", "/activations", "/sessions", "/sessions/end-others", "/history"),
        *(device, f"{device}/revoke", f"{device}/restore", key, f"{key}/revoke"),
        *(activation, f"{activation}/revoke", f"/sessions/{client}/end"),
        *(f"/mail-accounts/{ann.account_id}", f"/mail-accounts/{ann.account_id}/remove"),
    ]


def found(html: str, pattern: str) -> str:
    match = re.search(pattern, html)
    assert match is not None
    return match[0]


def test_every_name_on_every_page_has_a_direction_of_its_own(
    bare: Seeded, paths: list[str]
) -> None:
    browser = bare.browser(bare.ann)
    for path in paths:
        reader = Exposed()
        # Where an address may wrap says nothing about its direction.
        reader.feed(browser.get(path).get_data(as_text=True).replace("<wbr>", ""))
        assert reader.found == [], path
        assert reader.isolated, path


def test_a_notice_gives_the_name_a_direction_of_its_own(bare: Seeded, paths: list[str]) -> None:
    browser = bare.browser(bare.ann)
    asked = found(browser.get("/").get_data(as_text=True), r"/devices/[\w-]{22}/confirm")
    html = browser.get(browser.post(asked).headers["Location"]).get_data(as_text=True)
    assert f"<p><bdi>{NAME} 3</bdi> is confirmed as yours.</p>" in html


def test_a_name_in_a_notice_is_text_and_no_pattern(bare: Seeded) -> None:
    name = "<b>%(device)s 100%</b>"
    bare.service.activate(bare.service.handset(name), bare.service.issue(bare.ann).document)
    browser = bare.browser(bare.ann)
    asked = found(browser.get("/").get_data(as_text=True), r"/devices/[\w-]{22}/confirm")
    html = browser.get(browser.post(asked).headers["Location"]).get_data(as_text=True)
    assert "<p><bdi>&lt;b&gt;%(device)s 100%&lt;/b&gt;</bdi> is confirmed as yours.</p>" in html


def test_names_are_escaped_and_addresses_wrap_behind_signs_only() -> None:
    assert bdi("<b>&") == "<bdi>&lt;b&gt;&amp;</bdi>"
    assert address("ann@example.org") == "<bdi>ann@example.org</bdi>"
    long = "ann.without.end@an.example"
    broken = "ann.<wbr>without.<wbr>end@<wbr>an.<wbr>example"
    assert address(long) == f"<bdi>{broken}</bdi>"
    assert address(f"ann@example.org, {long}") == f"<bdi>ann@example.org, {broken}</bdi>"
    hostile = '"<i>."@long.enough.example'
    assert address(hostile).startswith("<bdi>&#34;&lt;i&gt;.<wbr>&#34;@<wbr>long.<wbr>")
    assert address("") == "<bdi></bdi>"
