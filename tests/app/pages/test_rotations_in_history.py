"""Rotations of one device that follow each other are one line of the history, which opens."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from app.audit import Act, record
from app.clock import DAY
from app.history import services
from app.history.entries import Entry
from app.history.services import Page, read_history
from app.models import AuditEntry
from tests.app.exchange.reporting import Line
from tests.app.pages.seeded import Seeded


def lines_of(seeded: Seeded, name: str, *of: str, called: str = "") -> list[Line]:
    """Activate services on a device of Ann's, and let it use each key once."""
    service, handset = seeded.service, seeded.service.handset(name)
    handset.name = called or name
    issued = service.issue(seeded.ann, *of, bound_jkt=handset.identity.kid)
    established = service.activate(handset, issued.document)
    lines = [Line(service, handset, key, seeded.ann.person_id) for key in established.keys]
    for line in lines:
        line.send()
    return lines


def rotate(line: Line) -> Line:
    """Have the key replaced, and the new one proven."""
    rotation = line.send(rotate=True).rotation
    assert rotation is not None
    successor = line.replace(rotation)
    successor.send()
    return successor


def note(seeded: Seeded, text: str) -> None:
    """Let something else happen."""
    with seeded.service.database.write() as session:
        record(
            session,
            at=seeded.service.clock.now(),
            actor="operator",
            act=Act.STOCK_MADE,
            subject=seeded.ann.person_id,
            detail={"account": text},
        )


def history(seeded: Seeded, *, limit: int = 30, before: int | None = None) -> Page:
    with seeded.service.database.read() as session:
        return read_history(session, seeded.ann.person_id, limit=limit, before=before)


def shape(entries: tuple[Entry, ...]) -> list[tuple[str, int]]:
    return [(entry.events[0].act, len(entry.events)) for entry in entries]


def shown(html: str) -> str:
    """Return the sentences and times of a page without their elements."""
    return " ".join(re.sub(r"<[^>]*>", "", html).split())


def test_what_one_device_replaced_in_a_row_is_one_line_that_opens(bare: Seeded) -> None:
    for line in lines_of(bare, "Ann's laptop", "mail", "contacts", "calendar"):
        rotate(line)
    ann = bare.browser(bare.ann)
    ann.get("/history")
    html = ann.text()
    assert html.count("<details") == 1
    fold = html.split("<details", 1)[1].split("</details>")[0]
    assert shown(fold.split("<summary>")[1].split("</summary>")[0]) == (
        "3 keys of Ann's laptop were replaced. your device · just now"
    )
    # Four steps of each key stand inside, each with the link to its key.
    assert fold.count("<li>") == fold.count('href="/keys/') == 12
    assert fold.count("made way for a newer one") == 3
    # That a key was used which came with a document is no step of a rotation.
    assert fold.count("for the first time") == 3
    assert html.count("for the first time") == 6


def test_another_event_and_another_device_begin_a_line_of_their_own(bare: Seeded) -> None:
    (laptop,) = lines_of(bare, "Ann's laptop", "mail")
    (namesake,) = lines_of(bare, "another", "mail", called="Ann's laptop")
    note(bare, "before")
    laptop = rotate(laptop)
    rotate(namesake)
    note(bare, "between")
    bare.service.clock.advance(DAY)
    laptop = rotate(laptop)
    bare.service.clock.advance(DAY)
    rotate(laptop)
    page = history(bare, limit=5)
    assert shape(page.entries) == [
        (Act.KEY_RETIRED, 8),
        (Act.STOCK_MADE, 1),
        (Act.KEY_RETIRED, 4),
        (Act.KEY_RETIRED, 4),
        (Act.STOCK_MADE, 1),
    ]
    ann = bare.browser(bare.ann)
    text = shown(ann.get("/history").get_data(as_text=True))
    assert "2 keys of Ann&#39;s laptop were replaced. your device · 1 day ago to just now" in text
    assert text.count("1 key of Ann&#39;s laptop was replaced. your device · 2 days ago") == 2


def test_a_rotation_under_way_is_told_as_such(bare: Seeded) -> None:
    ann = bare.browser(bare.ann)
    (line,) = lines_of(bare, "Ann's laptop", "mail")
    rotation = line.send(rotate=True).rotation
    ann.get("/history")
    assert "<details" not in ann.text()
    assert "on Ann's laptop is being replaced." in ann.text()
    assert rotation is not None
    line.replace(rotation)
    ann.get("/history")
    assert "1 key of Ann's laptop is being replaced." in ann.text()


def test_a_key_that_made_way_for_a_document_is_no_rotation(bare: Seeded) -> None:
    lines_of(bare, "Ann's laptop", "mail")
    (line,) = lines_of(bare, "Ann's laptop", "mail")
    rotate(line)
    assert shape(history(bare).entries)[:3] == [
        (Act.KEY_RETIRED, 4),
        (Act.KEY_RETIRED, 1),
        (Act.KEY_PROVEN, 1),
    ]


def test_a_device_page_and_an_account_page_fold_them_and_a_key_page_does_not(bare: Seeded) -> None:
    for line in lines_of(bare, "Ann's laptop", "mail", "contacts"):
        rotate(line)
    ann = bare.browser(bare.ann)
    device = re.findall(r"/devices/[\w-]{22}", ann.get("/devices").get_data(as_text=True))[0]
    for path in (device, f"/mail-accounts/{bare.ann.account_id}"):
        ann.get(path)
        assert "2 keys of Ann's laptop were replaced." in ann.text()
    ann.get(f"/keys/{line.key.key_id}")
    assert "made way for a newer one" in ann.text()
    assert "<details" not in ann.text()
    assert ann.get(f"/mail-accounts/{bare.service.bob.account_id}").status_code == 404


@pytest.mark.parametrize(("chunk", "most"), [(100, 500), (3, 500), (3, 6), (1, 1)])
@pytest.mark.parametrize("limit", [1, 2, 30])
def test_page_by_page_every_event_is_there_once_in_its_order(
    bare: Seeded, monkeypatch: pytest.MonkeyPatch, limit: int, chunk: int, most: int
) -> None:
    monkeypatch.setattr(services, "CHUNK", chunk)
    monkeypatch.setattr(services, "MOST_EVENTS", most)
    note(bare, "the first")
    for line in lines_of(bare, "Ann's laptop", "mail", "contacts", "calendar"):
        rotate(line)
    note(bare, "the last")
    seen: list[int] = []
    page = history(bare, limit=limit)
    for _ in range(100):
        seen += [event.id for entry in page.entries for event in entry.events]
        if page.older_before is None:
            break
        page = history(bare, limit=limit, before=page.older_before)
        assert page.entries
    with bare.service.database.read() as session:
        ids = session.scalars(select(AuditEntry.id)).all()
    assert seen == sorted(ids, reverse=True)


@pytest.mark.parametrize("chunk", [3, 100])
def test_an_entry_is_cut_by_no_page_that_has_room(
    bare: Seeded, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(services, "CHUNK", chunk)
    for line in lines_of(bare, "Ann's laptop", "mail", "contacts", "calendar"):
        rotate(line)
    note(bare, "the last")
    page = history(bare, limit=2)
    assert shape(page.entries) == [(Act.STOCK_MADE, 1), (Act.KEY_RETIRED, 12)]
    assert page.older_before == page.entries[-1].events[-1].id
