"""Paging by key: every row once and none left out, forwards and backwards, however it is found."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import insert, update

from app.clock import DAY
from app.database import Database
from app.models import Person, Reach, Staff, StaffGroup, StaffRole, StaffState
from app.people import paging, subjects, things
from app.people.conditions import PeopleState
from app.people.listing import BY_ADDRESS, Wanted, list_people
from app.people.paging import Page, Place, parse_place
from app.staff.reach import Actor
from tests.app.people.crowd import ADA, crowd, group, olu
from tests.app.service_fixtures import NOON

COUNT = 60
Ask = Callable[[Place | None, Place | None], Page]


@pytest.fixture(params=["few", "many"])
def small_limits(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of reading a list, with limits that sixty people reach."""
    monkeypatch.setattr(paging, "FEW", 500 if request.param == "few" else 2)
    monkeypatch.setattr(paging, "MOST_LOOKED_AT", 12)
    monkeypatch.setattr(paging, "FIRST_LOOK", 3)
    monkeypatch.setattr(paging, "COUNTED", 40)
    return str(request.param)


@pytest.fixture
def people(database: Database) -> list[str]:
    return crowd(database, COUNT, now=NOON)


def asking(database: Database, actor: Actor, limit: int = paging.PER_PAGE, **wanted: object) -> Ask:
    def ask(after: Place | None, before: Place | None) -> Page:
        asked = Wanted(**wanted, after=after, before=before)  # type: ignore[arg-type]  # given by name
        with database.read() as session:
            page, lines = list_people(session, actor, asked, now=NOON, limit=limit)
        assert [line.id for line in lines] == list(page.ids)
        return page

    return ask


def walk(ask: Ask) -> list[str]:
    """Go to the end and back again, and return what was seen on the way there."""
    seen: list[str] = []
    page = ask(None, None)
    pages = [page]
    seen += page.ids
    while page.older is not None:
        page = ask(parse_place(str(page.older)), None)
        pages.append(page)
        seen += page.ids
        assert len(pages) < 200
    back = list(page.ids)
    while page.newer is not None:
        page = ask(None, parse_place(str(page.newer)))
        back = [*page.ids, *(each for each in back if each not in page.ids)]
    assert back == seen
    assert len(set(seen)) == len(seen)
    return seen


@pytest.mark.parametrize("limit", [1, 4, 7, 59, 60, 61])
def test_everybody_is_seen_once(database: Database, people: list[str], limit: int) -> None:
    seen = walk(asking(database, ADA, limit))
    assert sorted(seen) == people
    order = [(-(people.index(each) // 4), each) for each in seen]
    assert order == sorted(order, reverse=True)


@pytest.mark.parametrize("limit", [1, 7])
@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"text": "ann"}, lambda number: number % 5 == 0),
        ({"text": "ANN num"}, lambda number: number % 5 == 0),
        ({"text": "number crowd.ex"}, lambda _: True),
        ({"text": "number5"}, lambda number: number == 5 or 50 <= number < 60),
        ({"text": "other.9@elsewhere.example"}, lambda number: number == 9),
        ({"text": "nobody"}, lambda _: False),
        ({"text": "ann bob"}, lambda _: False),
        ({"state": PeopleState.UNPROVEN}, lambda number: number % 3 == 0),
        ({"state": PeopleState.UNPROVEN, "text": "ann"}, lambda number: number % 15 == 0),
        ({"state": PeopleState.DISABLED}, lambda number: number % 7 == 0),
        ({"state": PeopleState.NO_KEY, "text": "dora"}, lambda number: number % 5 == 3),
        ({"state": PeopleState.ACTIVE}, lambda _: False),
        ({"sort": BY_ADDRESS}, lambda _: True),
        ({"sort": BY_ADDRESS, "text": "eve"}, lambda number: number % 5 == 4),
        ({"group_id": "half"}, lambda number: number % 2 == 0),
        ({"group_id": "half", "state": PeopleState.DISABLED}, lambda number: number % 14 == 0),
        ({"group_id": "nowhere"}, lambda _: False),
    ],
)
def test_a_search_finds_each_once(
    database: Database,
    people: list[str],
    small_limits: str,
    limit: int,
    wanted: dict[str, object],
    expected: Callable[[int], bool],
) -> None:
    group(database, "half", people[::2], now=NOON)
    with database.write() as session:
        session.execute(
            update(Person).where(Person.id.in_(people[::7])).values(disabled_at=NOON - DAY)
        )
    seen = walk(asking(database, ADA, limit, **wanted))
    assert sorted(seen) == [each for number, each in enumerate(people) if expected(number)]


def test_who_has_groups_sees_their_people_only(
    database: Database, people: list[str], small_limits: str
) -> None:
    group(database, "quarter", people[::4], now=NOON)
    group(database, "foreign", people[1::4], now=NOON)
    with database.write_connection() as connection:
        connection.execute(
            insert(Staff).values(
                id="olu",
                login="olu",
                name="Olu",
                role=StaffRole.CUSTOMER_CARE,
                reach=Reach.GROUPS,
                state=StaffState.ACTIVE,
                created_at=NOON,
            )
        )
        connection.execute(insert(StaffGroup).values(staff_id="olu", group_id="quarter"))
    assert sorted(walk(asking(database, olu()))) == people[::4]
    assert walk(asking(database, olu(), text="number1")) == [people[12], people[16]]
    assert walk(asking(database, olu(), group_id="foreign")) == []


@pytest.mark.parametrize(
    ("state", "text", "expected"),
    [("", "", 80), ("unproven", "", 20), ("proven", "ann", 12), ("unproven", "number9", 1)],
)
def test_lists_of_what_people_have_are_walked_the_same_way(
    database: Database,
    people: list[str],
    monkeypatch: pytest.MonkeyPatch,
    small_limits: str,
    state: str,
    text: str,
    expected: int,
) -> None:
    def ask(after: Place | None, before: Place | None) -> Page:
        wanted = things.Wanted(text, state, after=after, before=before)
        with database.read() as session:
            page = things.read_things(session, ADA, subjects.ACCOUNTS, wanted, now=NOON, limit=7)
            assert len(things.account_lines(session, page.ids, now=NOON)) == len(page.ids)
        return page

    assert len(walk(ask)) == expected


def test_rows_that_come_while_somebody_pages_shift_nothing(
    database: Database, people: list[str]
) -> None:
    ask = asking(database, ADA, 10)
    first = ask(None, None)
    with database.write_connection() as connection:
        connection.execute(insert(Person).values(id="late", name="Late", created_at=NOON + DAY))
    second = ask(first.older, None)
    assert not set(second.ids) & set(first.ids)
    # Back at the beginning there is a whole page, with who has come.
    assert ask(None, second.newer).newer is not None
    assert len(ask(None, ask(None, second.newer).newer).ids) == 10


def test_a_long_list_is_not_counted_to_its_end(
    database: Database, people: list[str], small_limits: str
) -> None:
    page = asking(database, ADA)(None, None)
    assert (page.total, page.is_more) == (40, True)


def test_a_search_that_stops_says_so_and_goes_on(
    database: Database, people: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "FEW", 2)
    monkeypatch.setattr(paging, "MOST_LOOKED_AT", 12)
    monkeypatch.setattr(paging, "FIRST_LOOK", 3)
    with database.write() as session:
        session.execute(update(Person).where(Person.id.in_(people[50:])).values(name="Zoë"))
    # Everybody lacks a key, so no index helps; the last ones are far from the first.
    ask = asking(database, ADA, state=PeopleState.ACTIVE)
    page = ask(None, None)
    assert page.is_cut
    assert page.ids == ()
    assert page.older is not None


@pytest.mark.parametrize(
    "odd",
    ["", "x", "%00", "W10", "WzEsMiwzXQ", "WyJuZXdlc3QiLCJhIiwiYiJd", "é", "A" * 5000, "W" * 1200],
)
def test_an_odd_place_is_the_first_page(database: Database, people: list[str], odd: str) -> None:
    with database.read() as session:
        page, _ = list_people(session, ADA, Wanted(after=parse_place(odd)), now=NOON)
    assert page.newer is None
    assert people[3] in page.ids


@pytest.mark.parametrize("first", [-1, 2**63, True, 1.5, None, "\0", "a\nb", [1]])
def test_a_place_that_no_database_could_compare_is_none(first: object) -> None:
    assert parse_place(str(Place("newest", first, "tie"))) is None  # type: ignore[arg-type]  # as a stranger writes it
