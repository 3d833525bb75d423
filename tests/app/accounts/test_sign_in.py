"""Signing in with a mail account: a real portal, a real mail server."""

from __future__ import annotations

from tests.app.portal_fixtures import ANN, Portal


def test_the_mailbox_password_signs_in(portal: Portal) -> None:
    ann = portal.browser()
    answer = ann.sign_in(ANN)
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/"
    assert ann.get("/accounts/add").status_code == 200
