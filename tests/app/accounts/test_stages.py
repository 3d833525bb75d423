"""The stages of a slow mail server, and of one that never answers."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest

from app.accounts.mail_work import Try
from app.models import MailCheck
from tests.app.portal_fixtures import ANN, Portal, build
from tests.peers.ca import CertificateAuthority
from tests.peers.pymap_server import PymapServer
from tests.peers.scripted import Script, read_command, scripted_server


def waits_at_sign_in(may_answer: Event) -> Script:
    """A mail server that accepts everybody, once it is told to answer."""

    def script(connection: socket.socket) -> None:
        connection.sendall(b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] ready\r\n")
        while True:
            tag, rest = read_command(connection)
            if rest.upper().startswith(b"AUTHENTICATE"):
                may_answer.wait(8)
            elif rest.upper().startswith(b"CAPABILITY"):
                connection.sendall(b"* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR\r\n")
            connection.sendall(tag + b" OK done\r\n")

    return script


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that another thread does."""
    end = time.monotonic() + 8
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def pinned(folder: Path, port: int, mail_ca: CertificateAuthority, **settings: str) -> Portal:
    """A portal with example.org pinned to a port."""
    portal = build(folder, network=None, **settings)
    portal.pin("example.org", PymapServer("127.0.0.1", port), mail_ca.pem)
    return portal


def test_the_page_shows_the_stage_and_then_the_result(
    tmp_path: Path, mail_ca: CertificateAuthority
) -> None:
    may_answer = Event()
    with scripted_server(waits_at_sign_in(may_answer), mail_ca.issue("127.0.0.1")) as port:
        portal = pinned(tmp_path, port, mail_ca)
        ann = portal.browser()
        path = ann.give_address(ANN)
        ann.post(f"{path}/credential", {"password": "any"})
        until(lambda: portal.rows(MailCheck)[0].stage == "signing-in")
        page = ann.get(path).get_data(as_text=True)
        assert '<li data-step="connecting" class="done">' in page
        assert '<li data-step="signing-in" class="now">' in page
        assert ann.get(f"{path}/status").get_json() == {"step": "signing-in", "working": True}
        may_answer.set()
        until(lambda: portal.rows(MailCheck)[0].outcome == "accepted")
        assert "Your mail server said yes" in ann.get(path).get_data(as_text=True)
        portal.here.close()


def test_a_second_password_is_not_tried_beside_the_first(
    tmp_path: Path, mail_ca: CertificateAuthority, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_answer = Event()
    tried: list[str] = []
    with scripted_server(waits_at_sign_in(may_answer), mail_ca.issue("127.0.0.1")) as port:
        portal = pinned(tmp_path, port, mail_ca)
        attempt = portal.here.mail.attempt

        def noting(one: Try) -> Event:
            tried.append(one.password)
            return attempt(one)

        monkeypatch.setattr(portal.here.mail, "attempt", noting)
        ann = portal.browser()
        path = ann.give_address(ANN)
        ann.post(f"{path}/credential", {"password": "any"})
        ann.get("/sign-in")
        assert ann.post(f"{path}/credential", {"password": "b"}).status_code == 303
        assert tried == ["any"]
        may_answer.set()
        until(lambda: portal.rows(MailCheck)[0].outcome == "accepted")
        portal.here.close()


def test_a_server_that_never_answers_is_undecided_and_not_a_wrong_password(
    tmp_path: Path, mail_ca: CertificateAuthority
) -> None:
    may_answer = Event()
    with scripted_server(waits_at_sign_in(may_answer), mail_ca.issue("127.0.0.1")) as port:
        portal = pinned(tmp_path, port, mail_ca, HANDFAST_MAIL_CHECK_SECONDS="1")
        ann = portal.browser()
        path = ann.give_address(ANN)
        ann.post(f"{path}/credential", {"password": "any"})
        until(lambda: portal.rows(MailCheck)[0].outcome is not None)
        page = ann.get(path).get_data(as_text=True)
        assert "did not decide in time" in page
        assert "did not accept" not in page
        may_answer.set()
        portal.here.close()


def test_a_full_pool_says_so_at_once(tmp_path: Path, mail_ca: CertificateAuthority) -> None:
    may_answer = Event()
    with scripted_server(waits_at_sign_in(may_answer), mail_ca.issue("127.0.0.1")) as port:
        portal = pinned(tmp_path, port, mail_ca, HANDFAST_MAIL_CHECKS="1")
        browsers = [portal.browser(f"198.51.100.{number}") for number in range(3)]
        paths = [browser.give_address(f"p{n}@example.org") for n, browser in enumerate(browsers)]
        for browser, path in zip(browsers, paths, strict=True):
            browser.post(f"{path}/credential", {"password": "any"})
        page = browsers[2].get(paths[2]).get_data(as_text=True)
        assert "Many people are signing in at the moment" in page
        may_answer.set()
        portal.here.close()
