"""What the API refuses: cookies, other sites, loose JSON; and how every error looks."""

from __future__ import annotations

import json
import sqlite3

import pytest

from app import logs
from app.models import MailCheck, WebSession
from tests.app.api.caller import LAPTOP, Caller, account, client_of
from tests.app.pages.seeded import Seeded
from tests.app.portal_fixtures import ANN, ISSUER, Portal

GOOD = {"accounts": [account()], "device": LAPTOP}
GOOD_JSON = json.dumps(GOOD)


def test_a_browsers_cookie_means_nothing_to_the_api(portal: Portal) -> None:
    ann = portal.browser()
    ann.sign_in(ANN)
    assert ann.get("/devices").status_code == 200
    answer = ann.get("/api/v1/devices")
    assert (answer.status_code, answer.get_json()["code"]) == (401, "sign-in-needed")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    bearing = Caller(portal.app, token=ann.cookie())
    assert bearing.call("GET", "/devices").status_code == 401


def test_a_clients_token_is_no_cookie_and_opens_no_page(caller: Caller, signing: Portal) -> None:
    caller.sign_in()
    assert caller.token is not None
    browser = signing.browser()
    browser.client.set_cookie(
        "__Host-handfast", caller.token, domain="portal.example.test", path="/", secure=True
    )
    assert browser.get("/devices").status_code == 303
    with_header = signing.app.test_client().get(
        "/devices", base_url=ISSUER, headers={"Authorization": f"Bearer {caller.token}"}
    )
    assert with_header.status_code == 303


def test_no_answer_sets_a_cookie_or_lets_another_site_read(caller: Caller) -> None:
    answers = [caller.sign_in(), caller.call("GET", "/keys", Origin="https://evil.example")]
    for answer in answers:
        assert "Set-Cookie" not in answer.headers
        assert not any(name.startswith("Access-Control") for name, _ in answer.headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
def test_another_site_changes_nothing(
    caller: Caller, signing: Portal, headers: dict[str, str]
) -> None:
    answer = caller.call("POST", "/sessions", GOOD, **headers)
    assert (answer.status_code, answer.get_json()["code"]) == (403, "not-allowed")
    assert signing.rows(WebSession) == []
    assert caller.call("POST", "/sessions", GOOD).status_code == 200


def test_another_site_reads_nothing(caller: Caller) -> None:
    caller.sign_in()
    assert caller.call("GET", "/keys", **{"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert caller.call("GET", "/keys", **{"Sec-Fetch-Site": "same-origin"}).status_code == 200


@pytest.mark.parametrize(
    "kind",
    [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain",
        "application/jsonx",
        "",
    ],
)
def test_what_a_form_can_send_is_not_read(caller: Caller, signing: Portal, kind: str) -> None:
    answer = caller.call("POST", "/sessions", GOOD_JSON, **{"Content-Type": kind})
    assert (answer.status_code, answer.get_json()["code"]) == (415, "not-json")
    assert signing.rows(WebSession) == []


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "null",
        "{}",
        GOOD_JSON[:-1],
        GOOD_JSON + "x",
        GOOD_JSON[:-1] + ', "more": 1}',
        GOOD_JSON[:-1] + ', "device": ' + json.dumps(LAPTOP) + "}",
        GOOD_JSON.replace('"password"', '"address": "a@b.test", "password"'),
        GOOD_JSON.replace(LAPTOP["jkt"], LAPTOP["jkt"] + "="),
        GOOD_JSON.replace("Ann's laptop", "two\\nlines"),
        GOOD_JSON.replace("Ann's laptop", "\\ud800"),
        GOOD_JSON.replace('"correct horse"', "7"),
        '{"a":' + "[" * 10_000 + "]" * 10_000 + "}",
        "[" * 60_000,
    ],
)
def test_loose_json_is_refused(caller: Caller, signing: Portal, body: str) -> None:
    answer = caller.call("POST", "/sessions", body)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "malformed")
    assert signing.rows(WebSession) == []


def test_five_levels_are_read_and_six_are_not(caller: Caller) -> None:
    five = caller.call("POST", "/sessions", '{"a":[[[[]]]]}').get_json()["detail"]
    six = caller.call("POST", "/sessions", '{"a":[[[[[]]]]]}').get_json()["detail"]
    assert "unknown field" in five
    assert "nested" in six


@pytest.mark.parametrize(
    "query", ["?limit=0", "?limit=101", "?limit=x", "?limit=1&limit=2", "?a=1"]
)
def test_odd_parameters_are_refused(caller: Caller, query: str) -> None:
    caller.sign_in()
    assert caller.call("GET", f"/keys{query}").status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not-found"),
        ("GET", "/../v2", 404, "not-found"),
        ("GET", "/keys", 401, "sign-in-needed"),
        ("PUT", "/keys", 405, "method"),
        ("TRACE", "/sessions", 405, "method"),
    ],
)
def test_every_error_is_a_problem_with_the_requests_id(
    caller: Caller, method: str, path: str, status: int, code: str
) -> None:
    answer = caller.call(method, path)
    problem = answer.get_json()
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["id"] == answer.headers["X-Request-Id"]
    assert problem["type"] == f"{ISSUER}/api#problem-{code}"
    assert problem["title"]
    assert problem["detail"]


def test_a_large_body_is_a_problem(caller: Caller) -> None:
    answer = caller.call("POST", "/sessions", "x" * 70_000)
    assert (answer.status_code, answer.get_json()["code"]) == (413, "too-large")


def test_a_bug_and_a_locked_database_are_problems(
    caller: Caller, signing: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller.sign_in()
    blocker = sqlite3.connect(signing.config.state_dir / "handfast.sqlite3", isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    answer = caller.call("DELETE", "/sessions/current")
    assert (answer.status_code, answer.get_json()["code"]) == (503, "unavailable")
    assert answer.headers["Retry-After"] == "5"
    assert caller.call("GET", "/keys").status_code == 200
    blocker.close()

    def broken(**_: str) -> str:
        raise ValueError("canary-53c1")

    monkeypatch.setitem(signing.app.view_functions, "api.show_activation", broken)
    monkeypatch.setattr(broken, "handfast_permission", "own", raising=False)
    answer = caller.call("GET", "/activations/x")
    assert (answer.status_code, answer.get_json()["code"]) == (500, "bug")
    assert "canary-53c1" not in answer.get_data(as_text=True)


def test_another_host_is_a_problem_too(signing: Portal) -> None:
    answer = signing.app.test_client().get(
        "/api/v1/keys", base_url=ISSUER, headers={"Host": "evil.example"}
    )
    assert (answer.status_code, answer.get_json()["code"]) == (400, "wrong-host")
    assert "evil.example" not in answer.get_data(as_text=True)


def test_answers_tell_the_limits_and_what_is_left(lived_in: Seeded) -> None:
    ann = client_of(lived_in, lived_in.ann)
    first, second = ann.call("GET", "/keys"), ann.call("GET", "/keys")
    assert first.headers["RateLimit-Policy"] == '"address";q=60;w=900, "session";q=600;w=900'
    assert first.headers["RateLimit"] == '"session";r=599;t=900'
    assert second.headers["RateLimit"] == '"session";r=598;t=900'


def test_a_client_that_asks_without_end_is_slowed_down(
    lived_in: Seeded, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app import throttle

    monkeypatch.setattr(throttle, "PER_SESSION", throttle.Limit("session", 2, 60_000_000))
    ann = client_of(lived_in, lived_in.ann)
    assert [ann.call("GET", "/keys").status_code for _ in range(3)] == [200, 200, 429]
    answer = ann.call("GET", "/keys")
    assert answer.get_json()["code"] == "too-many"
    assert int(answer.headers["Retry-After"]) >= 60
    assert answer.headers["RateLimit"] == '"session";r=0;t=60'
    assert client_of(lived_in, lived_in.service.bob).call("GET", "/keys").status_code == 200


def test_no_password_and_no_token_is_in_the_log(
    caller: Caller, signing: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    (handler,) = [one for one in logs.log.handlers if isinstance(one.formatter, logs.JsonFormatter)]
    monkeypatch.setattr(handler, "emit", lambda record: written.append(handler.format(record)))
    caller.activate(account(), account("bob@example.org", "canary-77aa"))
    caller.call("GET", "/keys")
    caller.call("POST", "/sessions", {**GOOD, "accounts": [account(password="canary-77aa\r")]})
    assert len(written) > 3
    assert caller.token is not None
    for secret in (caller.token, "canary-77aa", "correct horse"):
        assert not any(secret in line for line in written)
    assert signing.rows(MailCheck) == []


def test_a_body_that_nothing_asks_for_is_refused_unread(lived_in: Seeded) -> None:
    for method, path in (("GET", "/keys"), ("DELETE", "/sessions/current")):
        answer = client_of(lived_in, lived_in.ann).call(method, path, {"more": 1})
        assert (answer.status_code, answer.get_json()["code"]) == (400, "malformed")
