"""The way in for the first owner: a link, a password, a second factor, printed codes."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.clock import MINUTE
from app.models import Staff, StaffLink, StaffState
from app.staff import links
from tests.app.portal_fixtures import Portal
from tests.app.webadmin.newcomer import Newcomer, first_link, first_owner, give_keys


@pytest.fixture
def sam(portal: Portal) -> Newcomer:
    give_keys(portal)
    return Newcomer(portal, portal.browser())


def test_the_first_owner_comes_in_by_a_link(portal: Portal, sam: Newcomer) -> None:
    sam.join(first_link(portal))
    assert sam.browser.get("/admin").status_code == 200
    assert [(row.role, row.state) for row in portal.rows(Staff)] == [("owner", "active")]
    assert portal.acts()[-6:] == [
        "staff-link-made",
        "staff-link-opened",
        "staff-factor-added",
        "staff-recovery-codes-made",
        "staff-joined",
        "staff-signed-in",
    ]


def test_looking_at_the_page_uses_nothing_up(portal: Portal, sam: Newcomer) -> None:
    link = first_link(portal)
    portal.browser().get("/admin/welcome")
    assert portal.rows(StaffLink)[0].used_at is None
    assert sam.open(link).status_code == 303


def test_a_link_works_once(portal: Portal, sam: Newcomer) -> None:
    link = first_link(portal)
    assert sam.open(link).status_code == 303
    assert Newcomer(portal, portal.browser()).open(link).status_code == 400


def test_a_link_has_its_time(portal: Portal, sam: Newcomer) -> None:
    link = first_link(portal)
    portal.clock.advance(30 * MINUTE)
    assert sam.open(link).status_code == 400
    assert portal.rows(Staff) == []


def test_a_new_first_link_is_the_end_of_the_one_before(portal: Portal, sam: Newcomer) -> None:
    before, link = first_link(portal), first_link(portal)
    assert sam.open(before).status_code == 400
    assert sam.open(link).status_code == 303


def test_and_of_who_had_not_got_to_the_end(portal: Portal, sam: Newcomer) -> None:
    sam.open(first_link(portal))
    sam.choose_password()
    link = first_link(portal)
    assert portal.rows(Staff) == []
    assert sam.browser.get("/admin/welcome/factor").headers["Location"] == "/admin/sign-in"
    Newcomer(portal, portal.browser()).join(link)


def test_while_there_is_an_owner_another_one_takes_a_reason(portal: Portal) -> None:
    first_owner(portal)
    with pytest.raises(links.OwnerExistsError):
        first_link(portal)
    other = Newcomer(portal, portal.browser(), login="ada", name="Ada")
    other.join(first_link(portal, "Sam left us"))
    assert [row.role for row in portal.rows(Staff)] == ["owner", "owner"]


def test_a_password_alone_opens_nothing(portal: Portal, sam: Newcomer) -> None:
    sam.open(first_link(portal))
    sam.choose_password()
    assert sam.browser.get("/admin").status_code == 303
    assert sam.browser.get("/admin/welcome/codes").headers["Location"].endswith("/factor")
    sam.browser.get("/admin/welcome/factor")
    assert sam.finish().headers["Location"].endswith("/factor")
    assert sam.take_app().status_code == 303
    # The codes were not shown yet.
    sam.browser.get("/admin/welcome/codes")
    assert sam.finish().headers["Location"].endswith("/codes")
    assert portal.rows(Staff)[0].state == StaffState.INVITED


def test_the_wrong_first_code_of_an_app_is_said_so(portal: Portal, sam: Newcomer) -> None:
    sam.open(first_link(portal))
    sam.choose_password()
    sam.browser.get("/admin/welcome/factor")
    answer = sam.browser.post("/admin/welcome/authenticator", {"code": "000000"})
    assert answer.status_code == 400
    assert "not the code that the app shows" in sam.browser.text()


@pytest.mark.parametrize(
    ("password", "problem"),
    [
        ("short1!", "at least 8"),
        ("password123", "easily guessed"),
        ("samsam sam", "easily guessed"),
        ("handfast1", "easily guessed"),
        ("x" * 257, "at most 256"),
    ],
)
def test_what_is_easily_guessed_is_no_password(
    portal: Portal, sam: Newcomer, password: str, problem: str
) -> None:
    sam.open(first_link(portal))
    answer = sam.choose_password(password=password, again=password)
    assert answer.status_code == 400
    assert problem in sam.browser.text()
    assert portal.rows(Staff) == []


def test_a_long_password_counts_to_its_last_letter(portal: Portal, sam: Newcomer) -> None:
    sam.password = "velvet tractor onion harbour " * 8 + "end"
    sam.join(first_link(portal))
    elsewhere = portal.browser()
    assert sam.give_password(elsewhere, password=sam.password[:-1]).status_code == 400
    assert sam.give_password(elsewhere).status_code == 303


def test_two_different_ones_are_a_mistake(portal: Portal, sam: Newcomer) -> None:
    sam.open(first_link(portal))
    assert sam.choose_password(again="another one altogether").status_code == 400


def test_no_secret_of_the_link_is_in_the_database(portal: Portal, sam: Newcomer) -> None:
    link = first_link(portal)
    sam.open(link)
    with portal.database.read() as session:
        rows = session.execute(select(StaffLink.token_hash)).scalars().all()
    assert link.encode() not in b"".join(rows)


def test_the_link_keeps_its_secret_out_of_what_servers_see() -> None:
    address = links.address_of("https://portal.example.test", "secret")
    assert address == "https://portal.example.test/admin/welcome#secret"
