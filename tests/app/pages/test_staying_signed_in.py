"""A session that is about to end for want of use is renewed; one at its last end is not."""

from __future__ import annotations

import re

from app.clock import HOUR, MINUTE, SECOND
from tests.app.pages.seeded import Seeded
from tests.app.portal_fixtures import Browser

AS_SCRIPT = {"Accept": "application/json"}


def opened(bare: Seeded) -> Browser:
    browser = bare.browser(bare.ann)
    browser.get("/devices")
    return browser


def test_a_script_renews_the_session_and_is_told_for_how_long(bare: Seeded) -> None:
    ann, clock = opened(bare), bare.service.clock
    # So soon that looking at a page alone would not be noted.
    clock.advance(30 * SECOND)
    answer = ann.post("/sessions/renew", headers=AS_SCRIPT)
    assert answer.get_json() == {"seconds_left": 3600, "is_final": False}
    clock.advance(HOUR - 10 * SECOND)
    assert ann.get("/devices").status_code == 200


def test_without_a_script_the_same_form_leads_to_a_page_that_says_so(bare: Seeded) -> None:
    ann = opened(bare)
    answer = ann.post("/sessions/renew")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    ann.get("/")
    assert "<p>You stay signed in.</p>" in ann.text()


def test_a_session_that_has_ended_is_not_renewed(bare: Seeded) -> None:
    ann = opened(bare)
    bare.service.clock.advance(HOUR)
    assert ann.post("/sessions/renew", headers=AS_SCRIPT).status_code == 401
    assert ann.post("/sessions/renew").headers["Location"] == "/sign-in"
    assert ann.get("/devices").status_code == 303


def test_another_site_cannot_keep_a_session_alive(bare: Seeded) -> None:
    ann = opened(bare)
    assert ann.post("/sessions/renew", {"csrf_token": "x" * 43}).status_code == 403
    abroad = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    ann.get("/devices")
    assert ann.post("/sessions/renew", headers=abroad).status_code == 403


def test_the_last_end_is_said_and_no_page_promises_to_put_it_off(bare: Seeded) -> None:
    ann, clock = opened(bare), bare.service.clock
    for _ in range(14):
        clock.advance(50 * MINUTE)
        ann.get("/devices")
    clock.advance(16 * MINUTE)
    ann.get("/devices")
    notice = re.findall(r'<div class="notice warn" id="session-notice".*?</div>', ann.text(), re.S)[
        0
    ]
    assert "hidden" not in notice.split(">")[0]
    assert '<span data-if="final">' in notice
    assert '<span data-if="idle" hidden>' in notice
    assert 'data-if="idle" hidden>\n' in notice.split("<form")[1]
    assert "session-end" not in ann.text()
    answer = ann.post("/sessions/renew", headers=AS_SCRIPT)
    assert answer.get_json() == {"seconds_left": 240, "is_final": True}


def test_without_scripts_every_page_says_until_when_and_leads_to_itself(bare: Seeded) -> None:
    ann = opened(bare)
    line = ann.text().split("<noscript>")[-1].split("</noscript>")[0]
    assert "in 1 hour" in line
    assert '<a href="">Stay signed in</a>' in line
    # What a form with errors answers cannot be opened again.
    ann.post("/accounts/add", {"address": "nothing"})
    line = ann.text().split("<noscript>")[-1].split("</noscript>")[0]
    assert '<a href="/">Stay signed in</a>' in line
