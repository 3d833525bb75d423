"""The overview: what waits and fails in figures that are right, and plots that are tables too."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from sqlalchemy import insert

from app.clock import DAY, HOUR, MINUTE
from app.models import (
    Activation,
    ActivationState,
    CountingState,
    DailyCount,
    GroupMember,
    MailState,
    OutgoingMail,
    Person,
    PersonGroup,
    PresentCount,
    Reach,
    StaffGroup,
    StaffRole,
    WorkerJob,
    new_id,
)
from app.statistics.names import Daily, Present
from app.statistics.present import count_present
from tests.app.portal_fixtures import Browser, Portal
from tests.app.webadmin.desk import at_desk, hire, staff_at_desk


class Tables(HTMLParser):
    """Collects every table's rows, and the rows' cells."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self._in_cell = False

    def handle_starttag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in {"td", "th"}:
            self.tables[-1][-1].append("")
            self._in_cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th"}:
            self._in_cell = False

    def handle_data(self, data: str) -> None:
        if self._in_cell:
            self.tables[-1][-1][-1] += data.strip()


def tables(browser: Browser) -> list[list[list[str]]]:
    reader = Tables()
    reader.feed(browser.text())
    return reader.tables


def add_person(portal: Portal, name: str) -> str:
    with portal.database.write() as session:
        session.add(Person(id=name, created_at=portal.clock.now()))
    return name


def add_waiting(
    portal: Portal,
    person_id: str,
    *,
    since: int,
    left: int = DAY,
    document_left: int | None = None,
    kind: str = "document",
    made_by: str | None = None,
) -> None:
    """Add an open activation; ``left`` and ``document_left`` are until it and its document end."""
    now = portal.clock.now()
    with portal.database.write() as session:
        session.add(
            Activation(
                id=new_id(portal.here.entropy),
                person_id=person_id,
                ticket="T" * 22,
                kind=kind,
                made_by=made_by,
                state=ActivationState.OPEN,
                created_at=now - since,
                expires_at=now + left,
                document_expires_at=None if document_left is None else now + document_left,
            )
        )


def count(portal: Portal, *rows: tuple[int, Daily, str, int]) -> None:
    """Add counts, each with how many days ago it was."""
    today = portal.clock.now() // DAY
    with portal.database.write() as session:
        session.execute(
            insert(DailyCount),
            [
                {"day": today - back, "what": what.value, "label": label, "count": number}
                for back, what, label, number in rows
            ],
        )


def opened(portal: Portal, role: StaffRole = StaffRole.OWNER, path: str = "/admin") -> Browser:
    browser = staff_at_desk(portal.app, role)
    assert browser.get(path).status_code == 200
    return browser


def test_a_new_installation_says_what_to_do_first(portal: Portal) -> None:
    assert "Nobody is set up yet" in opened(portal).text()
    add_person(portal, "ann")
    assert "Nobody is set up yet" not in opened(portal, StaffRole.ADMINISTRATOR).text()


def test_what_waits_is_counted_at_once(portal: Portal) -> None:
    add_person(portal, "ann")
    add_waiting(portal, "ann", since=3 * DAY)
    add_waiting(portal, "ann", since=HOUR)
    text = opened(portal).text()
    tile = text.split("Waiting activations")[1].split("</li>")[0]
    assert "<strong>2</strong>" in tile
    assert "3 days ago" in tile


def test_the_number_of_what_waits_is_that_of_the_list_behind_it(portal: Portal) -> None:
    add_person(portal, "ann")
    add_waiting(portal, "ann", since=2 * HOUR)
    add_waiting(portal, "ann", since=2 * HOUR, document_left=HOUR)
    add_waiting(portal, "ann", since=2 * HOUR, document_left=-HOUR, made_by="staff:ada")
    # Over, though the sweeper has not been there yet; the oldest of all that are open.
    add_waiting(portal, "ann", since=9 * DAY, left=-HOUR)
    add_waiting(portal, "ann", since=9 * DAY, document_left=-HOUR)
    add_waiting(portal, "ann", since=9 * DAY, document_left=-HOUR, kind="code", made_by="staff:ada")
    sam = opened(portal)
    tile = sam.text().split("Waiting activations")[1].split("</li>")[0]
    assert "<strong>3</strong>" in tile
    assert "2 hours ago" in tile
    sam.get("/admin/activations?state=waiting")
    assert len(tables(sam)[0]) == 1 + 3
    now = portal.clock.now()
    with portal.database.write() as session:
        session.add(CountingState(id=1, position=0, looked_at=now, present_at=None))
    count_present(portal.database, now=now)
    with portal.database.read() as session:
        waiting = session.query(PresentCount).filter_by(what=Present.WAITING).all()
    assert sum(row.count for row in waiting) == 3


def test_mail_that_did_not_arrive_lately_is_counted(portal: Portal) -> None:
    now = portal.clock.now()
    with portal.database.write() as session:
        for number, (state, ended_at) in enumerate(
            [
                (MailState.BOUNCED, now - DAY),
                (MailState.FAILED, now - 6 * DAY),
                (MailState.BOUNCED, now - 8 * DAY),
                (MailState.SENT, now - DAY),
                (MailState.WAITING, None),
            ]
        ):
            session.add(
                OutgoingMail(
                    id=str(number),
                    address="ann@example.org",
                    kind="invitation",
                    facts="{}",
                    state=state,
                    created_at=now - 9 * DAY,
                    next_at=now,
                    ended_at=ended_at,
                )
            )
    text = opened(portal).text()
    assert "<strong>2</strong>" in text.split("Mail not delivered")[1].split("</li>")[0]
    waiting = text.split("Mail waiting")[1].split("</li>")[0]
    assert "<strong>1</strong>" in waiting
    assert "the worker is not there" in waiting


@pytest.mark.parametrize(("ago", "said"), [(4 * MINUTE, "not there"), (2 * MINUTE, "at work")])
def test_a_worker_that_is_not_there_is_noticed(portal: Portal, ago: int, said: str) -> None:
    with portal.database.write() as session:
        session.add(WorkerJob(name="mail", ran_at=portal.clock.now() - ago, has_failed=False))
    assert f"<strong>{said}</strong>" in opened(portal).text()


def test_the_course_is_the_same_in_the_table_and_in_the_picture(portal: Portal) -> None:
    count(
        portal,
        (0, Daily.ACTIVATIONS, "issued", 8),
        (0, Daily.ACTIVATIONS, "active", 2),
        (3, Daily.ACTIVATIONS, "issued", 4),
        (6, Daily.ACTIVATIONS, "ended", 1),
        (7, Daily.ACTIVATIONS, "issued", 99),
    )
    sam = opened(portal, path="/admin?days=7")
    table = tables(sam)[0]
    assert [row[1:] for row in table[1:]] == [
        ["0", "8", "2", "0"],
        ["0", "0", "0", "0"],
        ["0", "0", "0", "0"],
        ["0", "4", "0", "0"],
        ["0", "0", "0", "0"],
        ["0", "0", "0", "0"],
        ["0", "0", "0", "1"],
    ]
    drawn = re.findall(r'<polyline class="line" points="([^"]+)"', sam.text())
    heights = [[float(point.split(",")[1]) for point in points.split()] for points in drawn]
    # The second line is of documents, from the oldest day; the frame is 8 high.
    assert heights[1] == [100, 100, 100, 50, 100, 100, 0]


def test_a_long_range_is_told_in_weeks(portal: Portal) -> None:
    count(portal, (0, Daily.ACTIVATIONS, "issued", 1), (6, Daily.ACTIVATIONS, "issued", 2))
    sam = opened(portal, path="/admin?days=365")
    table = tables(sam)[0]
    assert table[0][0] == "Week from"
    assert len(table) == 53
    assert "In 364 days 3 documents" in sam.text()
    assert table[1][2] == "3"


def test_bars_are_tables_with_their_sum_in_a_sentence(portal: Portal) -> None:
    count(
        portal,
        (1, Daily.FAILED, "wrong-credential", 1200),
        (2, Daily.FAILED, "wrong-credential", 34),
        (2, Daily.FAILED, "not-reachable", 100),
        (2, Daily.FAILED_AT, "provider:google", 1000),
        (2, Daily.FAILED_AT, "other", 334),
    )
    with portal.database.write() as session:
        session.add(PresentCount(what=Present.KEYS, label="30d", count=5))
        session.add(PresentCount(what=Present.KEYS, label="longer", count=1))
    sam = opened(portal)
    found = tables(sam)
    assert ["password not accepted", "1,234"] in found[1]
    assert ["Google", "1,000"] in found[2]
    assert ["up to 30 days", "5"] in found[3]
    assert ["older", "1"] in found[3]
    assert "1,334 sign-ins of people known here failed, most often: password not accepted." in (
        sam.text()
    )


@pytest.mark.parametrize("asked", ["8", "x", "-1", ""])
def test_an_unknown_range_is_the_usual_one(portal: Portal, asked: str) -> None:
    text = opened(portal, path=f"/admin?days={asked}").text()
    assert 'href="/admin?days=30" aria-current="true"' in text


def test_who_looks_after_groups_sees_what_waits_in_them_and_no_plots(portal: Portal) -> None:
    for name in ("ann", "bob"):
        add_person(portal, name)
        add_waiting(portal, name, since=DAY)
    olu = hire(portal.app, StaffRole.CUSTOMER_CARE, reach=Reach.GROUPS)
    with portal.database.write() as session:
        session.add(PersonGroup(id="group", name="Sales", created_at=0))
        session.flush()
        session.add(GroupMember(group_id="group", person_id="bob"))
        session.add(StaffGroup(staff_id=olu, group_id="group"))
    browser = at_desk(portal.app, olu)
    browser.get("/admin")
    text = browser.text()
    assert "<strong>1</strong>" in text.split("Waiting activations")[1].split("</li>")[0]
    assert "<figure" not in text
    assert "Mail not delivered" not in text
    assert "for colleagues who look after everybody" in text


def test_nothing_on_the_page_needs_a_laxer_policy(portal: Portal) -> None:
    count(portal, (0, Daily.ACTIVATIONS, "issued", 8))
    sam = opened(portal)
    assert not re.search(r"<style|\sstyle=|<script>|\son[a-z]+=", sam.text())
    assert sam.page is not None
    assert "unsafe" not in sam.page.headers["Content-Security-Policy"]
