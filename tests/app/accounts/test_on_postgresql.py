"""The statements that differ between databases, on PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillWaitingError
from pathlib import Path

import pytest

from app.database import Database
from app.models import MailAccount, Person
from tests.app.portal_fixtures import ANN, PASSWORDS, build
from tests.peers.ca import CertificateAuthority
from tests.peers.pymap_server import PymapServer

pytestmark = pytest.mark.postgresql


def test_two_first_sign_ins_at_the_same_moment_make_one_person(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    postgresql_url: str,
    mail_server: PymapServer,
    mail_ca: CertificateAuthority,
) -> None:
    portal = build(tmp_path, DATABASE_URL=postgresql_url)
    request.addfinalizer(portal.here.close)
    portal.pin("example.org", mail_server, mail_ca.pem)
    browsers = [portal.browser(f"198.51.100.{number}") for number in range(4)]
    paths = [browser.give_address(ANN) for browser in browsers]
    for browser, path in zip(browsers, paths, strict=True):
        browser.give_password(path, PASSWORDS[ANN])
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(
                lambda pair: pair[0].post(f"{pair[1]}/finish"), zip(browsers, paths, strict=True)
            )
        )
    assert [answer.headers.get("Location") for answer in answers] == ["/"] * 4
    assert len(portal.rows(Person)) == len(portal.rows(MailAccount)) == 1


def test_what_concerns_one_address_happens_one_after_the_other(postgresql_url: str) -> None:
    database = Database(postgresql_url)

    def claim(address: str) -> None:
        with database.write() as session:
            database.queue_for(session, address)

    with ThreadPoolExecutor(1) as pool:
        with database.write() as session:
            database.queue_for(session, ANN)
            pool.submit(claim, "bob@example.org").result(timeout=10)
            second = pool.submit(claim, ANN)
            with pytest.raises(StillWaitingError):
                second.result(timeout=0.3)
        second.result(timeout=10)
    database.dispose()
