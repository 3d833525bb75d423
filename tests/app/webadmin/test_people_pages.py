"""People's pages in WebAdmin: what is found, what is shown, and to whom."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import insert, update

from app.clock import HOUR
from app.models import (
    Device,
    GroupMember,
    MailAccount,
    Person,
    PersonGroup,
    Reach,
    ServiceKey,
    Staff,
    StaffGroup,
    StaffRole,
    WebSession,
)
from app.people import terms
from protocol.encoding import b64u
from tests.app.pages.seeded import UNPROVEN, Seeded, bare_portal, live_in
from tests.app.portal_fixtures import ANN, BOB, Browser
from tests.app.webadmin.desk import at_desk, hire, staff_at_desk

LISTS = ("people", "accounts", "devices", "activations?state=", "keys", "sessions")
# Every page about one thing of Ann's, and every page that asks before an act on one.
PAGES = (
    "people/{ann.person_id}",
    "devices/{laptop}",
    "keys/{key}",
    "activations/{waiting}",
    "devices/{laptop}/revoke",
    "devices/{laptop}/wipe",
    "keys/{key}/revoke",
    "keys/{key}/replace",
    "activations/{waiting}/end",
    "sessions/{session}/end",
    "people/{ann.person_id}/activation",
    "people/{ann.person_id}/name",
    "accounts/{ann.account_id}/services",
    "accounts/{ann.account_id}/change",
)


def addresses(seeded: Seeded, session: str = "") -> list[str]:
    """Return the pages' addresses; a class of attributes stands in for ``format``."""
    facts = {**vars(seeded), "ann": seeded.ann, "session": session}
    return [f"/admin/{page.format(**facts)}" for page in PAGES]


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seeded]:
    with bare_portal(tmp_path_factory.mktemp("people")) as seeded:
        live_in(seeded)
        with seeded.service.database.write() as session:
            for owner in (seeded.ann, seeded.service.bob):
                terms.refresh(session, owner.person_id)
            session.add(PersonGroup(id="bobs", name="Bobs", created_at=0))
            session.flush()
            session.execute(
                insert(GroupMember).values(group_id="bobs", person_id=seeded.service.bob.person_id)
            )
        yield seeded


@pytest.fixture
def olu(lived_in: Seeded) -> Browser:
    return at_desk(lived_in.app, _staff(lived_in, StaffRole.CUSTOMER_CARE))


def _staff(seeded: Seeded, role: StaffRole, reach: Reach = Reach.EVERYONE) -> str:
    login = f"{role}-{b64u(seeded.service.entropy(6))}".lower().replace("_", "-")
    return hire(seeded.app, role, reach=reach, login=login)


def _limited(seeded: Seeded) -> Browser:
    """Return customer care that looks after Bob's group only."""
    staff_id = _staff(seeded, StaffRole.CUSTOMER_CARE, Reach.GROUPS)
    with seeded.service.database.write() as session:
        session.execute(insert(StaffGroup).values(staff_id=staff_id, group_id="bobs"))
    return at_desk(seeded.app, staff_id)


@pytest.mark.parametrize(
    ("asked", "is_found"),
    [
        ("", True),
        ("q=ann", True),
        ("q=ANN@EXAMPLE.ORG", True),
        ("q=ann+example", True),
        ("q=accounts.dep", True),
        ("q=bob", False),
        ("q=ann+bob", False),
        ("q=%25", False),
        ("q=ann'--", False),
        ("state=active", True),
        ("state=waiting", True),
        ("state=unproven", True),
        ("state=disabled", False),
        ("state=invited", False),
        ("state=no-key", False),
        ("state=nonsense", True),
        ("group=bobs", False),
        ("group=nowhere", False),
        ("sort=address", True),
        ("after=nonsense&before=nonsense", True),
    ],
)
def test_search_and_filters_of_people(olu: Browser, asked: str, is_found: bool) -> None:
    assert olu.get(f"/admin/people?{asked}").status_code == 200
    assert ('href="/admin/people/person-ann"' in olu.text()) is is_found


@pytest.mark.parametrize("what", ["laptop", "key", "waiting", "used"])
def test_a_whole_id_finds_whose_it_is(lived_in: Seeded, olu: Browser, what: str) -> None:
    olu.get(f"/admin/people?q={getattr(lived_in, what)}")
    assert "1 person" in olu.text()
    assert 'href="/admin/people/person-ann"' in olu.text()


def test_the_whole_id_of_a_thing_finds_it_alone_in_its_own_list(
    lived_in: Seeded, olu: Browser
) -> None:
    olu.get(f"/admin/devices?q={lived_in.laptop}")
    assert "1 in all" in olu.text()
    olu.get("/admin/devices?q=ann")
    assert "3 in all" in olu.text()


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("accounts?state=unproven", 1),
        ("accounts?state=proven", 2),
        ("accounts?state=bounced", 0),
        ("devices?state=active", 2),
        ("devices?state=revoked", 1),
        ("devices?state=unconfirmed", 1),
        ("devices?state=wiping", 0),
        ("devices?platform=Linux", 3),
        ("devices?platform=Windows", 0),
        ("activations", 2),
        ("activations?state=used", 3),
        ("activations?state=ended", 0),
        ("activations?state=code", 0),
        ("activations?state=", 5),
        ("keys?state=active", 3),
        ("keys?state=revoked", 3),
        ("keys?state=unproven", 3),
        ("keys?state=retired", 0),
        ("keys?state=due", 0),
        ("sessions", 1),
        ("sessions?state=client", 0),
        ("sessions?state=nonsense", 1),
        ("keys?person=person-ann", 6),
        ("keys?person=person-bob", 0),
    ],
)
def test_lists_of_things_are_filtered(olu: Browser, path: str, shown: int) -> None:
    olu.get(f"/admin/{path}")
    assert olu.text().count("data-line") == shown


def test_the_activations_that_wait_come_first(olu: Browser) -> None:
    olu.get("/admin/activations")
    assert re.search(r'<option value="waiting" selected>', olu.text())
    assert "waiting for device" in olu.text()


def test_a_persons_page_has_everything(lived_in: Seeded, olu: Browser) -> None:
    assert olu.get("/admin/people/person-ann").status_code == 200
    text = olu.text()
    told = (
        ANN,
        UNPROVEN,
        "Ann's laptop",
        "Old tablet",
        "Ann's new phone",
        "not confirmed",
        "Safari on iOS",
        "Sign-in failed",
        "Device revoked",
        "proven",
        "unproven",
    )
    assert [each for each in told if each not in text] == []
    # Each key is recognised by its four words; nothing else of it is there.
    assert len(re.findall(r'class="words"', text)) == 6


@pytest.mark.parametrize("role", list(StaffRole))
def test_no_page_of_staff_has_anything_of_a_key_but_its_words(
    lived_in: Seeded, role: StaffRole
) -> None:
    browser = at_desk(lived_in.app, _staff(lived_in, role))
    with lived_in.service.database.read() as session:
        keys = session.query(ServiceKey).all()
    secrets = [key.key_sealed for key in keys if key.key_sealed]
    assert secrets
    for page in (*addresses(lived_in)[:4], *(f"/admin/{each}" for each in LISTS)):
        html = browser.get(page).get_data(as_text=True)
        for secret in secrets:
            assert secret.hex() not in html
            assert b64u(secret) not in html


def test_who_is_out_of_reach_is_missing(lived_in: Seeded) -> None:
    una = _limited(lived_in)
    _, session_id = lived_in.start_session(lived_in.ann)
    for listed in LISTS:
        una.get(f"/admin/{listed}")
        assert ANN not in una.text()
        assert "Ann's laptop" not in una.text()
    assert una.get("/admin/people?q=ann").status_code == 200
    assert "Nothing found" in una.text()
    una.get(f"/admin/people/{'x' * 22}")
    missing = _bare(una.text())
    for page in addresses(lived_in, session_id):
        assert una.get(page).status_code == 404, page
        assert _bare(una.text()) == missing
        if page.count("/") > 3:
            assert una.post(page, {"reason": "out of reach"}).status_code == 404, page
    assert una.get("/admin/people/person-bob").status_code == 200


def _bare(html: str) -> str:
    return re.sub(r"<code>[^<]*</code>|data-now=\"[^\"]*\"|value=\"[^\"]*\"", "", html)


def test_a_colleague_is_seen_but_not_touched(lived_in: Seeded) -> None:
    hired = _staff(lived_in, StaffRole.CUSTOMER_CARE)
    olu, ada = at_desk(lived_in.app, hired), staff_at_desk(lived_in.app, StaffRole.ADMINISTRATOR)
    _, session_id = lived_in.start_session(lived_in.ann)
    with lived_in.service.database.write() as session:
        session.execute(update(Staff).where(Staff.id == hired).values(address=ANN))
    try:
        assert olu.get("/admin/people/person-ann").status_code == 200
        assert "This person works here." in olu.text()
        assert "/activation" not in olu.text().replace("/admin/activations", "")
        for page in addresses(lived_in, session_id)[4:]:
            assert olu.get(page).status_code == 403, page
            assert olu.post(page, {"reason": "a joke"}).status_code == 403, page
        with lived_in.service.database.read() as session:
            assert session.get_one(Device, lived_in.laptop).state == "active"
        assert ada.get(f"/admin/devices/{lived_in.laptop}/revoke").status_code == 200
    finally:
        with lived_in.service.database.write() as session:
            session.execute(update(Staff).where(Staff.id == hired).values(address=None))


def test_auditors_see_and_have_nothing_to_press(lived_in: Seeded) -> None:
    uma = at_desk(lived_in.app, _staff(lived_in, StaffRole.AUDITOR))
    for page in addresses(lived_in)[:4]:
        html = uma.get(page).get_data(as_text=True)
        main = html.partition("<main")[2]
        assert 'class="button' not in re.sub(r'class="[^"]*copy"', "", main), page
    for page in addresses(lived_in, "x" * 22)[4:]:
        assert uma.get(page).status_code == 403, page


HOSTILE = (
    "<img src=x onerror=alert(1)>",
    '"><script>alert(1)</script>',
    "'{{ 7 * 7 }}%(name)s{laptop}%s",
    "</title><svg onload=alert(1)>",
    "\u202egnp.exe\u2066 \u0627\u0644\u0633\u0644\u0627\u0645",
    "line\nbreak\r\x1b[31m",
)


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_people_and_devices_are_called_is_text(
    lived_in: Seeded, olu: Browser, name: str
) -> None:
    _, session_id = lived_in.start_session(lived_in.ann)
    with lived_in.service.database.write() as session:
        was = session.get_one(Device, lived_in.laptop).name
        session.execute(update(Person).where(Person.id == "person-ann").values(name=name))
        session.execute(update(Device).where(Device.id == lived_in.laptop).values(name=name))
    try:
        pages = (*addresses(lived_in, session_id), *(f"/admin/{each}" for each in LISTS))
        for page in pages:
            answer = olu.get(page)
            html = answer.get_data(as_text=True)
            assert answer.status_code == 200, page
            assert "<img src=x" not in html
            assert "<script>" not in html
            assert "<svg onload" not in html
            # It stands in an element that keeps its direction to itself.
            if "\u202e" in name and "<main" in html:
                assert f"<bdi>{name}</bdi>" in html, page
    finally:
        with lived_in.service.database.write() as session:
            session.execute(update(Person).where(Person.id == "person-ann").values(name=""))
            session.execute(update(Device).where(Device.id == lived_in.laptop).values(name=was))


def test_mail_that_came_back_is_seen_in_list_and_page(lived_in: Seeded, olu: Browser) -> None:
    with lived_in.service.database.write() as session:
        session.execute(
            update(MailAccount)
            .where(MailAccount.address == BOB)
            .values(bounced_at=lived_in.service.clock.now() - HOUR)
        )
    olu.get("/admin/people?state=bounced")
    assert "1 person" in olu.text()
    assert "mail came back" in olu.text()
    olu.get("/admin/people/person-bob")
    assert "mail came back" in olu.text()


def test_ended_sessions_are_in_no_list(lived_in: Seeded, olu: Browser) -> None:
    _, session_id = lived_in.start_session(lived_in.service.bob)
    olu.get("/admin/sessions?q=bob")
    assert f"/admin/sessions/{session_id}/end" in olu.text()
    with lived_in.service.database.write() as session:
        session.execute(update(WebSession).where(WebSession.id == session_id).values(ended_at=1))
    olu.get("/admin/sessions?q=bob")
    assert "Nothing found" in olu.text()
    assert olu.get(f"/admin/sessions/{session_id}/end").status_code == 404


def test_an_address_that_another_claims_too_is_told_with_what_can_be_done(
    lived_in: Seeded,
) -> None:
    ada = at_desk(lived_in.app, _staff(lived_in, StaffRole.ADMINISTRATOR))
    olu = at_desk(lived_in.app, _staff(lived_in, StaffRole.CUSTOMER_CARE))
    with lived_in.service.database.write() as session:
        session.add(
            MailAccount(
                id="claimed",
                person_id="person-ann",
                address=BOB,
                vouched_by="manual",
                created_at=lived_in.service.clock.now(),
            )
        )
    try:
        for browser, may in ((ada, True), (olu, False)):
            browser.get("/admin/people/person-bob")
            assert "Another person has entered this address, too:" in browser.text()
            assert ("/admin/accounts/account-bob/keep" in browser.text()) is may
            assert ("/admin/accounts/account-bob/release" in browser.text()) is may
    finally:
        with lived_in.service.database.write() as session:
            session.delete(session.get_one(MailAccount, "claimed"))
