"""What every answer carries, errors and files included."""

from __future__ import annotations

import pytest

from tests.app.portal_fixtures import ANN, ISSUER, Portal

ANSWERS = [
    ("GET", "/sign-in", 200),
    ("GET", "/", 303),
    ("GET", "/nowhere", 404),
    ("POST", "/healthz", 405),
    ("POST", "/sign-in", 403),
    ("GET", "/healthz", 200),
    ("GET", "/static/js/sign-in.js", 200),
    ("GET", "/static/nowhere.js", 404),
]


@pytest.mark.parametrize(("method", "path", "status"), ANSWERS)
def test_every_answer_has_the_headers(portal: Portal, method: str, path: str, status: int) -> None:
    answer = portal.app.test_client().open(path, method=method, base_url=ISSUER)
    answer.close()
    assert answer.status_code == status
    policy = dict(
        part.strip().partition(" ")[::2]
        for part in answer.headers["Content-Security-Policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["form-action"] == policy["script-src"] == policy["style-src"] == "'self'"
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert "frame-src" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=")
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer.headers["X-Request-Id"]


@pytest.mark.parametrize("path", ["/", "/sign-in", "/accounts/add", "/nowhere"])
def test_pages_are_not_kept_by_caches(portal: Portal, path: str) -> None:
    ann = portal.browser()
    ann.sign_in(ANN)
    assert ann.get(path).headers["Cache-Control"] == "no-store"


def test_pages_have_no_script_or_style_of_their_own(portal: Portal) -> None:
    ann = portal.browser()
    texts = [ann.get("/sign-in").get_data(as_text=True)]
    ann.give_address(ANN)
    texts.append(ann.text())
    ann.sign_in(ANN)
    texts += [ann.get(path).get_data(as_text=True) for path in ("/", "/accounts/add", "/nowhere")]
    for text in texts:
        assert "style=" not in text
        assert " onclick" not in text
        assert text.count("<script ") == text.count('<script src="/static/')
        assert "<script>" not in text
