"""Error pages: the portal's dress, and a reference that is in the log."""

from __future__ import annotations

import json
import re
import sqlite3

import pytest

from app import logs
from app.clock import MINUTE
from app.extensions import of
from tests.app.portal_fixtures import ANN, ISSUER, Portal


@pytest.fixture
def logged(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The log's lines, as they are written."""
    written: list[str] = []
    (handler,) = [one for one in logs.log.handlers if isinstance(one.formatter, logs.JsonFormatter)]
    monkeypatch.setattr(handler, "emit", lambda record: written.append(handler.format(record)))
    return written


def test_the_reference_on_the_page_is_in_the_log(portal: Portal, logged: list[str]) -> None:
    page = portal.browser().get("/nowhere").get_data(as_text=True)
    found = re.search(r"<code>([\w-]+)</code>", page)
    assert found is not None
    assert [line["status"] for line in map(json.loads, logged) if line["request"] == found[1]] == [
        404
    ]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 429, 500, 503])
def test_each_error_says_what_to_do_and_has_a_reference(portal: Portal, status: int) -> None:
    from app.errors import page

    with portal.app.test_request_context(base_url=ISSUER):
        portal.app.preprocess_request()
        answer = page(status)
    text = answer.get_data(as_text=True)
    assert answer.status_code == status
    assert "<h1>" in text
    assert "Reference:" in text
    assert text.startswith(("\n<!doctype html>", "<!doctype html>"))


def test_programs_get_errors_as_json(portal: Portal) -> None:
    answer = portal.app.test_client().get(
        "/nowhere", base_url=ISSUER, headers={"Accept": "application/json"}
    )
    assert answer.get_json().keys() == {"status", "title", "hint", "id"}


def test_a_bug_is_told_without_its_values(
    portal: Portal, logged: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> str:
        raise ValueError("canary-41f0")

    monkeypatch.setitem(portal.app.view_functions, "accounts.sign_in", broken)
    page = portal.browser().get("/sign-in")
    assert page.status_code == 500
    assert "canary-41f0" not in page.get_data(as_text=True)
    assert not any("canary-41f0" in line for line in logged)
    assert any(json.loads(line).get("error") == "ValueError" for line in logged)


def test_a_locked_database_is_503_and_the_next_request_works(portal: Portal) -> None:
    ann = portal.browser()
    ann.get("/sign-in")
    path = portal.config.state_dir / "handfast.sqlite3"
    of(portal.app).database.dispose()
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    answer = ann.post("/sign-in", {"address": ANN})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    blocker.close()
    assert ann.give_address(ANN)


def test_no_secret_gets_into_the_log_by_its_name() -> None:
    facts = {"password": "a", "csrf_token": "b", "deep": {"session_cookie": "c"}, "fine": "d"}
    assert logs.redact(facts) == {
        "password": "[redacted]",
        "csrf_token": "[redacted]",
        "deep": {"session_cookie": "[redacted]"},
        "fine": "d",
    }


def test_pages_can_be_read_while_nothing_can_be_written(portal: Portal) -> None:
    ann = portal.browser()
    ann.sign_in(ANN)
    portal.clock.advance(2 * MINUTE)
    blocker = sqlite3.connect(portal.config.state_dir / "handfast.sqlite3", isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    assert ann.get("/accounts/add").status_code == 200
    blocker.close()
