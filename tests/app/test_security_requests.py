"""Which requests are refused: cross-site, without token, for another host, too large."""

from __future__ import annotations

import threading
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from app.models import MailCheck, WebSession
from tests.app.portal_fixtures import ANN, ISSUER, Portal, build

EVIL = "https://evil.example"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": EVIL},
        {"Origin": "null"},
        {"Origin": "https://portal.example.test"},
        {"Origin": "http://portal.example.test:8443"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_a_form_of_another_site_changes_nothing(portal: Portal, headers: dict[str, str]) -> None:
    browser = portal.browser()
    browser.get("/sign-in")
    assert browser.post("/sign-in", {"address": ANN}, headers=headers).status_code == 403
    assert portal.rows(WebSession) == []


@pytest.mark.parametrize("token", ["", "A" * 43, "é", "x" * 1000])
def test_a_form_without_this_sessions_token_changes_nothing(portal: Portal, token: str) -> None:
    browser = portal.browser()
    browser.get("/sign-in")
    assert browser.post("/sign-in", {"address": ANN, "csrf_token": token}).status_code == 403
    assert portal.rows(MailCheck) == []


def test_the_token_of_another_session_is_worth_nothing(portal: Portal) -> None:
    ann, mallory = portal.browser(), portal.browser()
    mallory.get("/sign-in")
    token = mallory.token()
    ann.sign_in(ANN)
    assert ann.post("/sign-out", {"csrf_token": token}).status_code == 403


def test_a_signed_in_person_stays_signed_in_when_another_site_signs_them_out(
    portal: Portal,
) -> None:
    ann = portal.browser()
    ann.sign_in(ANN)
    ann.get("/accounts/add")
    assert ann.post("/sign-out", headers={"Origin": EVIL}).status_code == 403
    assert ann.get("/accounts/add").status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "portal.example.test.evil.example",
        "evil.example:8443",
        "localhost",
        "portal.example.test@evil.example",
        "sub.portal.example.test",
    ],
)
def test_another_host_is_refused_without_a_word_of_it(portal: Portal, host: str) -> None:
    client = portal.app.test_client()
    answer = client.get("/sign-in", headers={"Host": host}, base_url=ISSUER)
    assert answer.status_code == 400
    assert host not in answer.get_data(as_text=True)
    assert "Content-Security-Policy" in answer.headers


@pytest.mark.parametrize("path", ["/", "/sign-in", "/accounts/add", "/nowhere"])
def test_a_forwarded_host_of_a_stranger_means_nothing(portal: Portal, path: str) -> None:
    headers = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    answer = portal.app.test_client().get(path, headers=headers, base_url=ISSUER)
    assert answer.status_code != 400
    assert "evil.example" not in answer.get_data(as_text=True)
    assert "evil.example" not in answer.headers.get("Location", "")


@pytest.mark.parametrize(
    ("proxies", "told", "believed"),
    [
        ("", "203.0.113.9", "192.0.2.1"),
        ("192.0.2.1", "203.0.113.9", "203.0.113.9"),
        ("192.0.2.1", "10.0.0.1, 203.0.113.9", "203.0.113.9"),
        ("192.0.2.0/24", "203.0.113.9, 192.0.2.8", "203.0.113.9"),
        ("198.51.100.1", "203.0.113.9", "192.0.2.1"),
        ("192.0.2.1", "203.0.113.9, unknown", "192.0.2.1"),
    ],
)
def test_only_a_configured_proxy_tells_the_clients_address(
    tmp_path: Path, proxies: str, told: str, believed: str
) -> None:
    portal = build(tmp_path, HANDFAST_TRUSTED_PROXIES=proxies)
    browser = portal.browser("192.0.2.1")
    browser.get("/sign-in")
    browser.post("/sign-in", {"address": "a@gmail.com"}, headers={"X-Forwarded-For": told})
    assert [row.address for row in portal.rows(WebSession)] == [believed]
    portal.here.close()


@pytest.mark.parametrize(
    "untrusted",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "/sign-out",
        "/sign-in",
        "/healthz",
        "/static/js/page.js",
        "/nowhere",
        "javascript:alert(1)",
        "/accounts/add?x=1",
        "/accounts/add\r\nX: y",
        "accounts/add",
    ],
)
def test_a_sign_in_leads_to_known_pages_only(portal: Portal, untrusted: str) -> None:
    browser = portal.browser()
    page = browser.get("/sign-in", query_string={"next": untrusted}).get_data(as_text=True)
    assert 'name="next" value="/"' in page


def test_a_sign_in_leads_back_to_the_page_that_was_wanted(portal: Portal) -> None:
    ann = portal.browser()
    answer = ann.get("/accounts/add")
    assert answer.headers["Location"] == "/sign-in?next=/accounts/add"
    ann.get(answer.headers["Location"])
    path = ann.post("/sign-in", {"address": ANN, "next": "/accounts/add"}).headers["Location"]
    ann.wait(path)
    ann.give_password(path, "correct horse")
    assert ann.post(f"{path}/finish").headers["Location"] == "/accounts/add"


@pytest.mark.parametrize("path", ["/static//js/page.js", "/devices//x", "/accounts//add"])
def test_an_odd_path_is_no_page_and_leads_nowhere(portal: Portal, path: str) -> None:
    """A redirect to the tidy path would be to whatever port the Host header says."""
    answer = portal.app.test_client().get(base_url="https://portal.example.test:6666", path=path)
    assert answer.status_code == 404
    assert "Location" not in answer.headers


def test_a_large_body_is_refused(portal: Portal) -> None:
    browser = portal.browser()
    browser.get("/sign-in")
    assert browser.post("/sign-in", {"address": "a" * 70_000}).status_code == 413


def test_looking_changes_nothing(portal: Portal) -> None:
    ann = portal.browser()
    ann.sign_in(ANN)
    before = portal.acts()
    for rule in portal.app.url_map.iter_rules():
        if not rule.arguments:
            ann.get(rule.rule)
    assert portal.acts() == before
    assert ann.get("/accounts/add").status_code == 200


# Over HTTP/2 a body needs no announcement: its end is the end of its stream.
@pytest.mark.parametrize("announced", [True, False])
def test_who_sends_too_slowly_too_often_does_not_keep_others_out(
    portal: Portal, announced: bool
) -> None:
    """As many as a sender may have are waiting: its next one is turned away, others are not."""
    unannounced = {"CONTENT_LENGTH": "", "wsgi.input_terminated": True}
    entered, leave = threading.Semaphore(0), threading.Event()

    class Slow(BytesIO):
        def readinto(self, _: object) -> int:
            entered.release()
            leave.wait(20)
            return 0

    def wait_inside() -> None:
        client = portal.app.test_client()
        body: dict[str, Any] = {"input_stream": Slow(b"ab"), "base_url": ISSUER}
        body["environ_overrides"] = {} if announced else unannounced
        client.post("/sign-in", content_type="application/x-www-form-urlencoded", **body)

    threads = [threading.Thread(target=wait_inside) for _ in range(24)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert entered.acquire(timeout=20)
    busy = portal.app.test_client().post("/sign-in", data={"a": "b"}, base_url=ISSUER)
    health = portal.app.test_client().get("/healthz", base_url=ISSUER)
    elsewhere = portal.browser("198.51.100.4")
    elsewhere.get("/sign-in")
    other = elsewhere.post("/sign-in", {"address": ANN})
    leave.set()
    for thread in threads:
        thread.join()

    assert busy.status_code == 429
    assert busy.headers["Retry-After"]
    assert (health.status_code, other.status_code) == (200, 303)
    assert portal.app.test_client().post("/sign-in", base_url=ISSUER).status_code == 403


@pytest.mark.parametrize("path", ["/api/v1/openapi.json", "/sign-in", "/healthz"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("chunked", [True, False])
def test_nobody_waits_for_the_body_of_a_request_that_has_none(
    portal: Portal, path: str, method: str, chunked: bool
) -> None:
    """More than any listener has threads: each is turned away before its body was looked at."""

    class NeverSent(BytesIO):
        def readinto(self, _: object) -> int:
            raise AssertionError("the body is read")

    announced = {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": "2"}
    for _ in range(150):
        answer = portal.app.test_client().open(
            path,
            method=method,
            base_url=ISSUER,
            headers=announced,
            input_stream=NeverSent(b"ab"),
            environ_overrides={"wsgi.input_terminated": True},
        )
        assert answer.status_code == 400
    assert portal.app.test_client().get("/healthz", base_url=ISSUER).status_code == 200
