"""The API once on PostgreSQL, whose SQL is stricter, and many clients of one person at once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from app.accounts import sessions
from app.accounts.sessions import end_clients
from app.activation.revocation import revoke_device
from app.models import Activation, Device, MailAccount, Person, WebSession
from protocol.encoding import b64u
from tests.app.api.caller import LAPTOP, Caller, account, client_of
from tests.app.api.conftest import give_keys
from tests.app.pages.seeded import bare_portal, live_in
from tests.app.portal_fixtures import ANN, BOB, Portal, build
from tests.peers.ca import CertificateAuthority
from tests.peers.postgresql import Cluster
from tests.peers.pymap_server import PymapServer

AT_ONCE = 6


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def both(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    mail_ca: CertificateAuthority,
    mail_server: PymapServer,
) -> Iterator[Portal]:
    """A portal over each kind of database."""
    named = request.param == "postgresql"
    url = request.getfixturevalue("postgresql_url") if named else ""
    built = build(tmp_path, DATABASE_URL=url)
    built.pin("example.org", mail_server, mail_ca.pem)
    give_keys(built)
    yield built
    built.here.close()


def test_clients_that_sign_in_at_once_are_one_person(both: Portal) -> None:
    """Each device names the same two accounts, every other one in the other order."""

    def activate(number: int) -> int:
        device = {"jkt": b64u(number.to_bytes(32, "big")), "name": f"Device {number}"}
        caller = Caller(both.app, address=f"192.0.2.{number}", device=device)
        accounts = [account(ANN), account(BOB)][:: 1 if number % 2 else -1]
        return caller.activate(*accounts, ticket=b64u(number.to_bytes(16, "big"))).status_code

    with ThreadPoolExecutor(AT_ONCE) as threads:
        assert list(threads.map(activate, range(1, AT_ONCE + 1))) == [200] * AT_ONCE
    assert len(both.rows(Person)) == 1
    assert len(both.rows(MailAccount)) == 2
    assert len([row for row in both.rows(WebSession) if row.ended_at is None]) == AT_ONCE
    # They are for the same services, so the latest one replaces the others.
    assert [row.state for row in both.rows(Activation)].count("open") == 1


def test_a_device_revoked_while_its_client_signs_in_has_no_token(
    both: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop = Caller(both.app, device=LAPTOP)
    assert laptop.sign_in(ANN).status_code == 200
    (person,) = both.rows(Person)
    with both.here.database.write() as session:
        session.add(device_of(person.id, LAPTOP["jkt"]))
    with ThreadPoolExecutor() as threads:

        def revoke_meanwhile(session: Session, person_id: str, jkt: str, *, now: int) -> None:
            # It is let run for as long as it would take, were nothing in its way.
            wait([threads.submit(revoke, both, person_id)], timeout=1)
            end_clients(session, person_id, jkt, now=now)

        monkeypatch.setattr(sessions, "end_clients", revoke_meanwhile)
        laptop.sign_in(ANN)
    assert [device.state for device in both.rows(Device)] == ["revoked"]
    assert [row for row in both.rows(WebSession) if row.ended_at is None] == []


def revoke(portal: Portal, person_id: str) -> bool:
    return revoke_device(
        portal.here.database,
        person_id=person_id,
        device_id="D" * 22,
        now=portal.here.clock.now(),
    )


def device_of(person_id: str, jkt: str) -> Device:
    return Device(
        id="D" * 22,
        person_id=person_id,
        jkt=jkt,
        identity=bytes(32),
        name="Laptop",
        platform="Linux",
        handler="handfast",
        state="active",
        created_at=1,
        seen_at=1,
        confirmed_at=1,
    )


@pytest.mark.postgresql
def test_everything_that_a_client_can_do(postgresql_cluster: Cluster, tmp_path: Path) -> None:
    with (
        postgresql_cluster.database() as url,
        bare_portal(tmp_path, database_url=url) as seeded,
    ):
        live_in(seeded)
        ann = client_of(seeded, seeded.ann)
        for path in ("/sessions", "/activations", "/accounts", "/keys", "/devices", "/books"):
            answer = ann.call("GET", f"{path}?limit=1")
            assert answer.status_code == 200, path
            assert len(answer.get_json()) == 1
        for method, path in (
            ("POST", "/keys/{key}/rotation"),
            ("DELETE", "/keys/{key}"),
            ("POST", "/devices/{laptop}/confirmation"),
            ("DELETE", "/devices/{laptop}"),
            ("POST", "/devices/{laptop}/restoration"),
            ("DELETE", "/activations/{used}"),
        ):
            answer = ann.call(method, path.format_map(vars(seeded)))
            assert answer.status_code in {200, 204}, path
        path = f"/activations/{seeded.waiting}/document"
        assert ann.call("POST", path, {"device": LAPTOP}).status_code == 200
        assert ann.call("DELETE", "/sessions/current").status_code == 204


@pytest.mark.parametrize(
    "odd", ["%00", "a%00b", "%ED%A0%80", "x" * 300, "A" * 21 + "B", "A" * 22 + "%0A"]
)
def test_odd_text_in_place_of_an_id_names_nothing(both: Portal, odd: str) -> None:
    ann = Caller(both.app)
    assert ann.sign_in(ANN).status_code == 200
    for method, path in (
        ("GET", "/activations/{}"),
        ("DELETE", "/activations/{}"),
        ("DELETE", "/keys/{}"),
        ("POST", "/keys/{}/rotation"),
        ("DELETE", "/devices/{}"),
        ("DELETE", "/sessions/{}"),
    ):
        answer = ann.call(method, path.format(odd))
        assert (answer.status_code, answer.get_json()["code"]) == (404, "not-found")
    for path in ("/activations", "/keys", "/sessions", "/books"):
        assert ann.call("GET", f"{path}?cursor={odd}").status_code in {400, 404}
    browser = both.browser()
    browser.sign_in(ANN)
    pages = ("/devices/{}", "/keys/{}", "/activations/{}", "/mail-accounts/{}", "/sign-in/{}")
    assert {browser.get(page.format(odd)).status_code for page in pages} == {404}
