"""What nobody may read in a log or a table: links, passwords, secrets, codes, cookies."""

from __future__ import annotations

import base64
import io
import logging
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from app import logs
from app.models import Base
from tests.app.portal_fixtures import Portal
from tests.app.webadmin.newcomer import Newcomer, first_link, give_keys
from tests.app.webadmin.test_sign_in import cookie


@pytest.fixture
def logged(portal: Portal) -> Iterator[io.StringIO]:
    """All that is logged from now on, as it is written."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logs.JsonFormatter())
    logs.log.addHandler(handler)
    yield written
    logs.log.removeHandler(handler)


@pytest.fixture
def secrets(portal: Portal, logged: io.StringIO) -> dict[str, str]:
    """Everything secret of somebody who came in, went wrong, and signed in again."""
    give_keys(portal)
    sam, link = Newcomer(portal, portal.browser()), first_link(portal)
    found = {"link": link}
    sam.join(link)
    found["cookie"] = cookie(sam.browser) or ""
    sam.browser.get("/admin")
    sam.browser.post("/admin/sign-out")
    sam.give_password(password="guess-that-somebody-made")
    sam.give_password()
    sam.give_code(sam.codes[0])
    found["cookie now"] = cookie(sam.browser) or ""
    sam.browser.get(f"/admin/welcome?link={link}")
    return {
        **found,
        "password": sam.password,
        "guess": "guess-that-somebody-made",
        "secret": base64.b32encode(sam.secret).decode(),
        "recovery code": sam.codes[1],
        "plain recovery code": sam.codes[1].replace("-", ""),
    }


def test_no_secret_is_logged(secrets: dict[str, str], logged: io.StringIO) -> None:
    told = logged.getvalue()
    assert "/admin/welcome" in told
    assert [name for name, secret in secrets.items() if secret in told] == []


def test_no_secret_is_in_the_database(portal: Portal, secrets: dict[str, str]) -> None:
    with portal.database.read_connection() as connection:
        rows = [
            bytes(value) if isinstance(value, bytes) else str(value).encode()
            for table in Base.metadata.sorted_tables
            for row in connection.execute(select(table))
            for value in row
        ]
    kept = b"\n".join(rows)
    assert [name for name, secret in secrets.items() if secret.encode() in kept] == []
    assert base64.b32decode(secrets["secret"]) not in kept


def test_pages_of_the_way_in_are_kept_nowhere_and_told_to_nobody(portal: Portal) -> None:
    answer = portal.browser().get("/admin/welcome")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "same-origin"
