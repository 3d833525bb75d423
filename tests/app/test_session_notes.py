"""Notes kept with a session: what was taken out stays out, whatever is put in meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts import sessions as portal_sessions
from app.accounts.sessions import Client
from app.database import Database
from app.models import StaffRole, StaffSession, StaffStage, WebSession
from app.session_notes import SessionNotes
from app.staff import sessions as staff_sessions
from tests.app.portal_fixtures import Browser, Portal
from tests.app.service_fixtures import Service
from tests.app.webadmin.desk import staff_at_desk

CLIENT = Client("192.0.2.9", "Firefox/153.0")
LEFT = ["Saved.", False, {}]


def of_staff(session: Session, service: Service) -> str:
    _, row = staff_sessions.start(
        session,
        CLIENT,
        staff_id=None,
        stage=StaffStage.PASSWORD,
        now=service.clock.now(),
        entropy=service.entropy,
    )
    return row.id


def of_portal(session: Session, service: Service) -> str:
    return portal_sessions.start(
        session,
        "t" * portal_sessions.TOKEN_LENGTH,
        CLIENT,
        person_id=None,
        now=service.clock.now(),
        lifetime=portal_sessions.ANONYMOUS,
        entropy=service.entropy,
    ).id


@pytest.mark.parametrize(
    ("notes", "start"),
    [(staff_sessions.NOTES, of_staff), (portal_sessions.NOTES, of_portal)],
    ids=["staff", "portal"],
)
def test_who_puts_a_note_in_waits_for_who_takes_one_out(
    service: Service, notes: SessionNotes, start: Callable[[Session, Service], str]
) -> None:
    with service.database.write() as session:
        session_id = start(session, service)
        notes.put(session, session_id, "challenge", "once")

    def put() -> None:
        with service.database.write() as session:
            notes.put(session, session_id, "notice", LEFT)

    meanwhile = threading.Thread(target=put)
    with service.database.write() as session:
        assert notes.take(session, session_id, "challenge") == "once"
        meanwhile.start()
        meanwhile.join(0.3)
        assert meanwhile.is_alive()
    meanwhile.join()
    with service.database.read() as session:
        assert notes.read(session, session_id, "challenge") is None
        assert notes.read(session, session_id, "notice") == LEFT


@contextmanager
def before_the_next_write(
    monkeypatch: pytest.MonkeyPatch, database: Database, act: Callable[[Session], object]
) -> Iterator[None]:
    """Let somebody else be first to write, once what they overtake has been read."""
    write, pending = database.write, [act]

    @contextmanager
    def overtaken() -> Iterator[Session]:
        if pending:
            first = pending.pop()
            with write() as session:
                first(session)
        with write() as session:
            yield session

    with monkeypatch.context() as patched:
        patched.setattr(database, "write", overtaken)
        yield
    assert not pending


def signed_in_person(portal: Portal) -> tuple[Browser, str]:
    ann = portal.browser()
    ann.sign_in()
    with portal.database.read() as session:
        living = session.scalars(select(WebSession).where(WebSession.ended_at.is_(None))).one()
    return ann, living.id


def signed_in_owner(portal: Portal) -> tuple[Browser, str]:
    sam = staff_at_desk(portal.app, StaffRole.OWNER)
    [row] = portal.rows(StaffSession)
    return sam, row.id


@pytest.mark.parametrize(
    ("notes", "come_in", "page"),
    [
        (staff_sessions.NOTES, signed_in_owner, "/admin/profile"),
        (portal_sessions.NOTES, signed_in_person, "/"),
    ],
    ids=["staff", "portal"],
)
def test_a_page_that_shows_a_message_brings_no_challenge_back(
    portal: Portal,
    monkeypatch: pytest.MonkeyPatch,
    notes: SessionNotes,
    come_in: Callable[[Portal], tuple[Browser, str]],
    page: str,
) -> None:
    browser, session_id = come_in(portal)
    with portal.database.write() as session:
        notes.put(session, session_id, "notice", LEFT)
        notes.put(session, session_id, "challenge", "once")

    def answer_it(session: Session) -> None:
        assert notes.take(session, session_id, "challenge") == "once"

    with before_the_next_write(monkeypatch, portal.database, answer_it):
        browser.get(page)
    assert "Saved." in browser.text()
    with portal.database.read() as session:
        assert notes.read(session, session_id, "challenge") is None
        assert notes.read(session, session_id, "notice") is None
