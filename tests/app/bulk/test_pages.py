"""The pages of lists: upload, problems, taking, export."""

from __future__ import annotations

import io
from typing import Any

import pytest
from sqlalchemy import select

from app.bulk.checking import check_some
from app.bulk.services import KEPT, forget_lines
from app.bulk.taking import Worker, take_one
from app.models import ImportJob, ImportLine, ImportState, Person, StaffRole
from app.security import LARGEST, MAX_BODY
from app.staff.sessions import FRESH
from tests.app.portal_fixtures import ISSUER, Browser, Portal
from tests.app.webadmin.desk import staff_at_desk

REASON = "the new members of the choir"


@pytest.fixture
def ada(portal: Portal) -> Browser:
    """Ada's desk."""
    return staff_at_desk(portal.app, StaffRole.ADMINISTRATOR)


def upload(desk: Browser, octets: bytes | str, **more: Any) -> Any:
    """Upload a file in the form of the page; a file without a name is none."""
    octets = octets if isinstance(octets, bytes) else octets.encode()
    desk.get("/admin/imports")
    form = {"reason": REASON, "stock": "0", "file": (io.BytesIO(octets), "list.csv"), **more}
    return desk.post("/admin/imports", form, content_type="multipart/form-data")


def work(portal: Portal) -> None:
    """Let the worker do what waits."""
    here = portal.here
    while check_some(here.database, here.clock):
        pass
    while take_one(Worker(here.database, here.config, here.clock, here.entropy)):
        pass


def test_a_list_is_uploaded_checked_and_taken(portal: Portal, ada: Browser) -> None:
    path = upload(ada, "address,name\ncarla@example.org,Carla\n").headers["Location"]
    ada.get(path)
    assert "Every line is being checked." in ada.text()
    work(portal)
    ada.get(path)
    assert "Nothing is wrong with this list." in ada.text()
    assert ada.post(f"{path}/take").status_code == 303
    status = ada.get(f"{path}/status").get_json()
    assert (status["state"], status["working"]) == ("importing", True)
    work(portal)
    ada.get(path)
    assert "1 person was invited." in ada.text()
    ada.get("/admin/people?q=carla")
    assert "Carla" in ada.text()


def test_a_large_list_is_taken_in_and_a_large_form_elsewhere_is_not(
    portal: Portal, ada: Browser
) -> None:
    people = "".join(f"person.number.{number}@example.org\n" for number in range(5000))
    assert len(people) > MAX_BODY
    assert upload(ada, "address\n" + people).status_code == 303
    ada.get("/admin/tokens")
    assert ada.post("/admin/tokens", {"name": "x" * MAX_BODY}).status_code == 413


def test_more_than_the_limit_is_refused(portal: Portal, ada: Browser) -> None:
    ada.get("/admin/imports")
    fields = {"csrf_token": ada.token(), "reason": REASON, "stock": "0"}
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    file = '--b\r\nContent-Disposition: form-data; name="file"; filename="list.csv"\r\n\r\n'
    body = "".join([*parts, file, "address\n"]).encode() + b"x" * LARGEST["webadmin.upload_list"]
    answer = ada.client.post(
        "/admin/imports",
        base_url=ISSUER,
        data=body,
        content_type="multipart/form-data; boundary=b",
        headers={"Origin": ISSUER},
    )
    assert answer.status_code == 413
    assert portal.rows(ImportJob) == []


def test_who_may_not_import_cannot_even_send_a_list(portal: Portal) -> None:
    olu = staff_at_desk(portal.app, StaffRole.CUSTOMER_CARE)
    olu.get("/admin")
    form = {"reason": REASON, "file": (io.BytesIO(b"x" * (2 * MAX_BODY)), "list.csv")}
    answer = olu.post("/admin/imports", form, content_type="multipart/form-data")
    assert answer.status_code == 403


def test_a_list_can_be_pasted(portal: Portal, ada: Browser) -> None:
    pasted = "address\tname\ncarla@example.org\tCarla\n"
    assert upload(ada, b"", file=(io.BytesIO(b""), ""), pasted=pasted).status_code == 303
    assert [line.name for line in portal.rows(ImportLine)] == ["Carla"]


@pytest.mark.parametrize(
    ("octets", "sentence"),
    [
        (b"", "The list is empty."),
        ("address\nx@example.org".encode("utf-16"), "This is not UTF-8 but UTF-16"),
        (b"address,tele%phone\n", "names the column “tele%phone”"),
        (b"name\n", "names no column “address”"),
    ],
)
def test_what_is_no_list_is_refused_in_words(
    portal: Portal, ada: Browser, octets: bytes, sentence: str
) -> None:
    assert upload(ada, octets).status_code == 400
    assert sentence in ada.text()
    assert portal.rows(ImportJob) == []


def test_a_reason_is_asked(portal: Portal, ada: Browser) -> None:
    assert upload(ada, "address\nx@example.org\n", reason="no").status_code == 400
    assert "Give a reason of 3 to 200 letters" in ada.text()
    assert portal.rows(ImportJob) == []


def test_every_problem_is_shown_page_by_page_and_as_a_file(portal: Portal, ada: Browser) -> None:
    lines = "".join(f"bad{number},=Name{number}\n" for number in range(250))
    path = upload(ada, "address,name\n" + lines).headers["Location"]
    work(portal)
    shown: list[int] = []
    way = path
    while way:
        page = ada.get(way)
        shown += [one for one in range(250) if f">bad{one}<" in page.get_data(as_text=True)]
        marked = ada.text().partition('rel="next" href="')[2]
        way = marked.partition('"')[0]
    assert shown == list(range(250))
    ada.get(path)
    assert "250 lines have problems, so nobody was invited." in ada.text()
    file = ada.get(f"{path}/problems.csv")
    assert file.mimetype == "text/csv"
    assert "attachment" in file.headers["Content-Disposition"]
    rows = file.get_data(as_text=True).splitlines()
    assert len(rows) == 251
    assert rows[1] == '"2","bad0","\'=Name0","this is no mail address"'
    ada.get(path)
    assert ada.post(f"{path}/take").status_code == 303
    with portal.database.read() as session:
        assert session.scalars(select(Person)).all() == []


def test_a_list_is_cancelled(portal: Portal, ada: Browser) -> None:
    path = upload(ada, "address\ncarla@example.org\n").headers["Location"]
    ada.get(path)
    ada.post(f"{path}/cancel")
    work(portal)
    assert [job.state for job in portal.rows(ImportJob)] == [ImportState.CANCELLED]
    ada.get(path)
    ada.post(f"{path}/cancel")
    ada.get(path)
    assert "It was too late to cancel the list" in ada.text()


def test_anothers_list_is_missing(portal: Portal, ada: Browser) -> None:
    path = upload(ada, "address\ncarla@example.org\n").headers["Location"]
    with portal.database.write() as session:
        session.scalars(select(ImportJob)).one().made_by = "staff:somebody"
    # Ada manages staff, so she sees what others do.
    assert ada.get(path).status_code == 200
    assert ada.get("/admin/imports/AAAAAAAAAAAAAAAAAAAAAA").status_code == 404


def test_lines_are_forgotten_after_seven_days(portal: Portal, ada: Browser) -> None:
    upload(ada, "address\ncarla@example.org\n")
    work(portal)
    portal.clock.advance(KEPT - 1)
    forget_lines(portal.database, portal.clock)
    assert len(portal.rows(ImportLine)) == 1
    portal.clock.advance(1)
    forget_lines(portal.database, portal.clock)
    assert portal.rows(ImportLine) == []
    (job,) = portal.rows(ImportJob)
    assert job.state == ImportState.CANCELLED


def test_people_are_exported_by_who_has_just_shown_who_they_are(
    portal: Portal, ada: Browser
) -> None:
    upload(ada, "address,name\ncarla@example.org,Carla\ndora@example.org,Dora\n")
    work(portal)
    (job,) = portal.rows(ImportJob)
    ada.get(f"/admin/imports/{job.id}")
    ada.post(f"/admin/imports/{job.id}/take")
    work(portal)
    ada.get("/admin/people/export?q=dora")
    file = ada.post("/admin/people/export", {"q": "dora", "reason": REASON})
    assert file.headers["Content-Disposition"] == 'attachment; filename="people.csv"'
    assert file.headers["Cache-Control"] == "no-store"
    text = file.get_data(as_text=True)
    assert "dora@example.org" in text
    assert "carla" not in text
    assert portal.acts()[-1] == "people-exported"
    portal.clock.advance(FRESH)
    ada.get("/admin/people/export")
    assert ada.page is not None
    assert "confirm-it-is-you" in ada.page.headers["Location"]


def test_an_export_without_a_reason_is_none(portal: Portal, ada: Browser) -> None:
    ada.get("/admin/people/export")
    assert ada.post("/admin/people/export", {"reason": ""}).status_code == 400
    assert "people-exported" not in portal.acts()
