"""One call signs in with several accounts and answers with one document."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import update

from app.keystore.key_sets import published_key_set
from app.keystore.provider import FileKeyProvider
from app.models import Activation, AuditEntry, Device, MailAccount, Person, WebSession
from protocol.activation import open_document
from protocol.encoding import b64u
from protocol.trust import TrustedIssuer
from tests.app.api.caller import LAPTOP, Caller, account
from tests.app.portal_fixtures import ANN, BOB, Portal
from tests.peers.ca import CertificateAuthority
from tests.peers.pymap_server import PymapServer, pymap_server
from tests.peers.scripted import scripted_server

ANN_ELSEWHERE, CAROL = "ann@example.net", "carol@example.net"
ELSEWHERE = {ANN_ELSEWHERE: "staple battery", CAROL: "horse correct"}


@pytest.fixture(scope="module")
def other_server(mail_ca: CertificateAuthority) -> Iterator[PymapServer]:
    """A second real mail server, of another mail domain."""
    with pymap_server(ELSEWHERE, mail_ca.issue("127.0.0.1")) as server:
        yield server


@pytest.fixture
def two_servers(
    signing: Portal, other_server: PymapServer, mail_ca: CertificateAuthority
) -> Caller:
    """A client of a portal that knows both."""
    signing.pin("example.net", other_server, mail_ca.pem)
    return Caller(signing.app)


def elsewhere(address: str = ANN_ELSEWHERE) -> dict[str, object]:
    return account(address, ELSEWHERE[address])


def test_one_call_gives_a_token_and_a_document_for_every_service(caller: Caller) -> None:
    answer = caller.activate()
    assert answer.status_code == 200, answer.get_json()
    given = answer.get_json()
    (outcome,) = given["accounts"]
    assert (outcome["address"], outcome["outcome"], outcome["proven"]) == (ANN, "accepted", True)
    assert [each["service"] for each in outcome["services"]] == ["mail", "contacts", "calendar"]
    assert len(given["token"]) == 43
    assert caller.call("GET", f"/activations/{given['activation']}").get_json()["stage"] == "issued"


def test_the_document_has_a_grant_per_service_and_is_bound_to_the_device(
    two_servers: Caller, signing: Portal
) -> None:
    given = two_servers.activate(account(services=["mail"]), elsewhere()).get_json()
    keys = published_key_set(FileKeyProvider(signing.config.keys_dir), now=signing.clock.now())
    assert keys is not None
    trusted = [TrustedIssuer(signing.config.issuer, keys)]
    document = open_document(given["document"].encode(), trusted).document
    assert document.jkt == LAPTOP["jkt"]
    assert [(grant.account, grant.service) for grant in document.grants] == [
        (ANN, "mail"),
        (ANN_ELSEWHERE, "mail"),
        (ANN_ELSEWHERE, "contacts"),
        (ANN_ELSEWHERE, "calendar"),
    ]


def test_one_wrong_password_spoils_nothing_for_the_others(
    two_servers: Caller, signing: Portal
) -> None:
    answer = two_servers.activate(account(BOB, "wrong"), account(), elsewhere())
    assert answer.status_code == 200
    bob, ann, other = answer.get_json()["accounts"]
    assert (bob["outcome"], bob["problem"]["code"]) == ("refused", "wrong-credential")
    assert (ann["outcome"], other["outcome"]) == ("accepted", "accepted")
    assert len(signing.rows(Person)) == 1
    assert {row.address for row in signing.rows(MailAccount)} == {ANN, ANN_ELSEWHERE}


def test_nobody_accepted_is_told_for_each(two_servers: Caller, signing: Portal) -> None:
    answer = two_servers.activate(
        account(password="wrong"), account("nobody@nowhere.test"), account("no address")
    )
    assert answer.status_code == 403
    problem = answer.get_json()
    assert problem["code"] == "nobody-accepted"
    codes = [each["problem"]["code"] for each in problem["accounts"]]
    assert codes == ["wrong-credential", "name-not-found", "bad-address"]
    assert signing.rows(Person) == []
    assert signing.rows(WebSession) == []


def test_the_same_ticket_again_is_a_reissue(caller: Caller, signing: Portal) -> None:
    first = caller.activate().get_json()
    second = caller.activate().get_json()
    rows = {row.id: row for row in signing.rows(Activation)}
    assert rows[first["activation"]].successor_id == second["activation"]
    assert rows[second["activation"]].state == "open"
    assert len(rows) == 2


def test_a_repeated_sign_in_leaves_one_session_of_the_device(
    caller: Caller, signing: Portal
) -> None:
    first = caller.activate().get_json()["token"]
    caller.activate()
    assert [row.ended_at is None for row in signing.rows(WebSession)].count(True) == 1
    assert [row.act for row in signing.rows(AuditEntry)].count("session-ended") == 1
    assert Caller(signing.app, token=first).call("GET", "/keys").status_code == 401
    assert caller.call("GET", "/keys").status_code == 200


def test_an_address_that_somebody_else_has_proven_stays_theirs(
    two_servers: Caller, signing: Portal
) -> None:
    assert Caller(signing.app).activate(account(BOB)).status_code == 200
    given = two_servers.activate(elsewhere(), account(BOB)).get_json()
    assert given["accounts"][1]["problem"]["code"] == "address-taken"
    assert len(signing.rows(Person)) == 2


def test_an_account_that_is_tried_again_joins_the_others(
    two_servers: Caller, signing: Portal
) -> None:
    first = two_servers.activate(account(), account(BOB, "wrong")).get_json()
    assert [each["outcome"] for each in first["accounts"]] == ["accepted", "refused"]
    again = two_servers.activate(account(BOB), ticket=b64u(b"U" * 16)).get_json()
    assert again["accounts"][0]["outcome"] == "accepted"
    assert len(signing.rows(Person)) == 1
    assert [row.ended_at is None for row in signing.rows(WebSession)].count(True) == 1


def test_a_token_that_is_over_is_said_to_be_over(two_servers: Caller, signing: Portal) -> None:
    two_servers.token = "over"
    answer = two_servers.activate(account())
    assert (answer.status_code, answer.get_json()["code"]) == (401, "sign-in-needed")
    assert signing.rows(Person) == []


def test_a_server_that_somebody_names_signs_nobody_in_and_is_not_even_asked(
    caller: Caller,
) -> None:
    asked: list[object] = []
    with scripted_server(asked.append) as port:
        named = {"host": "imap.mallory.example", "port": port}
        answer = caller.activate(account(server=named), account(BOB, "wrong"))
    assert answer.status_code == 403
    outcomes = answer.get_json()["accounts"]
    codes = [each["problem"]["code"] for each in outcomes]
    assert codes == ["nobody-signed-in", "wrong-credential"]
    assert asked == []


def test_a_named_server_adds_an_unproven_account_to_whom_another_one_proves(
    caller: Caller, mail_ca: CertificateAuthority
) -> None:
    mallory = "mallory@mallory.example"
    with pymap_server({mallory: "m"}, mail_ca.issue("imap.mallory.example")) as server:
        named = {"host": "imap.mallory.example", "port": server.port}
        answer = caller.activate(account(mallory, "m", server=named), account())
    assert answer.status_code == 200, answer.get_json()
    mine, ann = answer.get_json()["accounts"]
    assert (mine["outcome"], mine["proven"]) == ("accepted", False)
    assert ann["proven"]


@pytest.mark.parametrize("password", ["wrong", None])
def test_a_user_name_of_ones_own_is_not_tried_for_nobody(
    caller: Caller, signing: Portal, password: str | None
) -> None:
    """Right or wrong, the answer is the same: nobody tests a mailbox under another address."""
    right = account(BOB)["password"]
    guess = account("made-up@example.org", password or right, username=BOB)
    answer = caller.activate(guess)
    assert answer.status_code == 403
    (outcome,) = answer.get_json()["accounts"]
    assert outcome["problem"]["code"] == "nobody-signed-in"


def test_who_is_known_may_name_a_user_name_and_its_owner_is_told_of_a_failure(
    caller: Caller, signing: Portal
) -> None:
    assert Caller(signing.app).sign_in(BOB).status_code == 200
    (bob,) = signing.rows(MailAccount)
    answer = caller.activate(account(), account("made-up@example.org", "wrong", username=BOB))
    assert answer.status_code == 200
    assert answer.get_json()["accounts"][1]["problem"]["code"] == "wrong-credential"
    assert "sign-in-failed" in signing.acts(bob.person_id)
    right = account("made-up@example.org", account(BOB)["password"], username=BOB)
    (_, added) = caller.activate(account(), right).get_json()["accounts"]
    assert (added["outcome"], added["proven"]) == ("accepted", False)


@pytest.mark.parametrize("hidden", ["\u200b", "\u00ad", "\u3164", "\0", "\ufdfa" * 100])
def test_a_user_name_has_nothing_invisible_and_stays_short(caller: Caller, hidden: str) -> None:
    odd = account("made-up@example.org", "wrong", username=f"b{hidden}ob@example.org")
    answer = caller.activate(account(), odd)
    assert answer.get_json()["accounts"][1]["problem"]["code"] == "bad-username"


def test_guessing_at_one_account_is_slowed_down_and_others_are_not(
    two_servers: Caller, signing: Portal
) -> None:
    for _ in range(10):
        two_servers.activate(account(BOB, "wrong"))
    bob, ann = two_servers.activate(account(BOB), account()).get_json()["accounts"]
    assert bob["problem"]["code"] == "too-many"
    assert ann["outcome"] == "accepted"


def test_who_tries_too_much_is_told_when_to_come_back(caller: Caller) -> None:
    many = [account(f"nobody{number}@nowhere.test") for number in range(8)]
    for _ in range(8):
        answer = caller.activate(*many)
    assert answer.status_code == 403
    answer = caller.activate()
    assert (answer.status_code, answer.get_json()["code"]) == (429, "too-many")
    assert 0 < int(answer.headers["Retry-After"]) <= 901
    assert answer.headers["RateLimit"].startswith('"address";r=0;t=')


def test_a_revoked_device_stays_out_until_it_is_restored(caller: Caller, signing: Portal) -> None:
    caller.activate()
    (person,) = signing.rows(Person)
    device = Device(
        id="D" * 22,
        person_id=person.id,
        jkt=LAPTOP["jkt"],
        identity=bytes(32),
        name="Laptop",
        platform="",
        handler="",
        state="revoked",
        created_at=1,
        seen_at=1,
        revoked_at=1,
    )
    with signing.database.write() as session:
        session.add(device)
    assert caller.activate().get_json()["code"] == "device-revoked"
    with signing.database.write() as session:
        session.execute(update(Device).values(state="active"))
    assert caller.activate().status_code == 200


def test_no_secret_is_in_the_database_or_the_audit(caller: Caller, signing: Portal) -> None:
    given = caller.activate().get_json()
    stored = (signing.config.state_dir / "handfast.sqlite3").read_bytes()
    stored += (signing.config.state_dir / "handfast.sqlite3-wal").read_bytes()
    for secret in (given["token"], "correct horse"):
        assert secret.encode() not in stored
    assert "signed-in" in {row.act for row in signing.rows(AuditEntry)}


def test_without_keys_nothing_is_tried(portal: Portal) -> None:
    answer = Caller(portal.app).activate()
    assert (answer.status_code, answer.get_json()["code"]) == (503, "unavailable")
    assert answer.headers["Retry-After"]
    assert portal.rows(Person) == []


@pytest.mark.parametrize("again", [ANN, "ANN@example.org"])
def test_an_address_twice_counts_once(caller: Caller, again: str) -> None:
    ticket = b64u(b"U" * 16)
    first, second = caller.activate(
        account(services=["mail"]), account(again, services=["contacts"]), ticket=ticket
    ).get_json()["accounts"]
    assert [each["service"] for each in first["services"]] == ["mail"]
    assert second["problem"]["code"] == "repeated"
