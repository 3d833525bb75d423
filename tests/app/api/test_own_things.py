"""A client sees and changes its own person's things, and nobody else's."""

from __future__ import annotations

import pytest

from app.activation.services import revoke_device, sweep
from app.audit import Act
from app.clock import DAY
from app.models import AuditEntry
from protocol.activation import open_document
from protocol.service_book import open_book
from protocol.trust import TrustedIssuer
from tests.app.api.caller import LAPTOP, PHONE, Caller, client_of
from tests.app.pages.seeded import SAFARI, Seeded
from tests.app.service_fixtures import Handset

LISTS = ("/sessions", "/activations", "/accounts", "/keys", "/devices", "/books")
THINGS = (
    ("GET", "/activations/{waiting}"),
    ("DELETE", "/activations/{waiting}"),
    ("POST", "/activations/{waiting}/document"),
    ("DELETE", "/keys/{key}"),
    ("POST", "/keys/{key}/rotation"),
    ("DELETE", "/devices/{laptop}"),
    ("POST", "/devices/{tablet}/restoration"),
    ("POST", "/devices/{laptop}/confirmation"),
    ("DELETE", "/sessions/{session}"),
)


def body_for(path: str) -> dict[str, object] | None:
    return {"device": LAPTOP} if path.endswith("/document") else None


@pytest.mark.parametrize(("method", "path"), THINGS)
def test_somebody_elses_thing_is_like_a_missing_one(
    lived_in: Seeded, method: str, path: str
) -> None:
    _, session = lived_in.start_session(lived_in.ann)
    named = path.format_map(vars(lived_in) | {"session": session})
    missing = path.format_map(dict.fromkeys(["waiting", "key", "laptop", "tablet", "session"], "x"))
    bob = client_of(lived_in, lived_in.service.bob)
    foreign = bob.call(method, named, body_for(path))
    assert foreign.status_code == bob.call(method, missing, body_for(path)).status_code == 404
    ann = client_of(lived_in, lived_in.ann)
    assert ann.call(method, named, body_for(path)).status_code in {200, 204}


@pytest.mark.parametrize("path", LISTS)
def test_lists_are_of_ones_own(shared: Seeded, path: str) -> None:
    mine = client_of(shared, shared.ann).call("GET", path).get_json()
    bobs = client_of(shared, shared.service.bob).call("GET", path)
    assert bobs.status_code == 200
    assert mine
    known = {str(each) for each in mine}
    assert not any(str(each) in known for each in bobs.get_json())


@pytest.mark.parametrize("path", LISTS)
def test_pages_together_are_the_whole_list(shared: Seeded, path: str) -> None:
    ann = client_of(shared, shared.ann)
    whole = ann.call("GET", path).get_json()
    found, link = [], f"{path}?limit=1"
    while link:
        answer = ann.call("GET", link)
        found += answer.get_json()
        _, _, rest = answer.headers.get("Link", "").partition("</api/v1")
        link = rest.partition(">")[0]
    assert found == whole


def test_a_cursor_of_nothing_is_told(shared: Seeded) -> None:
    for path in LISTS:
        answer = client_of(shared, shared.ann).call("GET", f"{path}?cursor=nothing")
        assert (answer.status_code, answer.get_json()["code"]) == (404, "unknown-cursor")


def test_a_waiting_activation_is_completed_for_the_device_that_asks(lived_in: Seeded) -> None:
    ann, service = client_of(lived_in, lived_in.ann), lived_in.service
    path = f"/activations/{lived_in.waiting}/document"
    given = ann.call("POST", path, {"device": LAPTOP}).get_json()
    trusted = [TrustedIssuer(service.config.issuer, service.key_set())]
    document = open_document(given["document"].encode(), trusted).document
    assert (document.jkt, document.jti) == (LAPTOP["jkt"], given["activation"])
    assert [grant.service for grant in document.grants] == ["contacts"]
    # A lost answer is asked for again; another device comes too late.
    assert ann.call("POST", path, {"device": LAPTOP}).status_code == 200
    late = ann.call("POST", path, {"device": PHONE})
    assert (late.status_code, late.get_json()["code"]) == (409, "not-waiting")
    shown = ann.call("GET", f"/activations/{lived_in.waiting}").get_json()
    assert (shown["state"], shown["stage"]) == ("open", "issued")


def test_an_activation_that_was_used_waits_no_more(lived_in: Seeded) -> None:
    ann = client_of(lived_in, lived_in.ann)
    answer = ann.call("POST", f"/activations/{lived_in.used}/document", {"device": LAPTOP})
    assert answer.status_code == 409
    shown = ann.call("GET", f"/activations/{lived_in.used}").get_json()
    assert shown["device"] == "Old tablet"
    assert [each[0] for each in shown["words"]] == ["mail", "contacts"]
    assert all(len(each) == 5 for each in shown["words"])


def test_a_revoked_key_stays_revoked_and_is_not_rotated(lived_in: Seeded) -> None:
    ann = client_of(lived_in, lived_in.ann)
    rotated = ann.call("POST", f"/keys/{lived_in.key}/rotation").get_json()
    assert rotated["rotate_at"] == lived_in.service.clock.now() // 1_000_000
    assert ann.call("DELETE", f"/keys/{lived_in.key}").status_code == 204
    assert ann.call("DELETE", f"/keys/{lived_in.key}").status_code == 204
    answer = ann.call("POST", f"/keys/{lived_in.key}/rotation")
    assert (answer.status_code, answer.get_json()["code"]) == (409, "ended")
    states = {each["id"]: each["state"] for each in ann.call("GET", "/keys").get_json()}
    assert states[lived_in.key] == "revoked"


@pytest.mark.parametrize("swept", [True, False])
def test_a_late_yes_is_told_that_the_keys_have_ended(lived_in: Seeded, swept: bool) -> None:
    ann, service = client_of(lived_in, lived_in.ann), lived_in.service
    service.clock.advance(DAY)
    if swept:
        assert sweep(service.database, service.clock).devices
    answer = ann.call("POST", f"/devices/{lived_in.phone}/confirmation")
    assert (answer.status_code, answer.get_json()["code"]) == (409, "ended")
    shown = {each["id"]: each for each in ann.call("GET", "/devices").get_json()}
    assert shown[lived_in.phone]["confirmed_at"] is None


@pytest.mark.parametrize("swept", [True, False])
def test_keys_that_nobody_confirmed_are_told_as_ended(lived_in: Seeded, swept: bool) -> None:
    service, ann = lived_in.service, lived_in.ann
    device = service.handset("Somebody's")
    service.activate(device, service.issue(ann, "mail").document)
    service.clock.advance(DAY)
    if swept:
        sweep(service.database, service.clock)
    caller = client_of(lived_in, ann, device.identity.kid)
    told = next(
        each for each in caller.call("GET", "/devices").get_json() if each["name"] == "Somebody's"
    )
    assert told["keys"] == 0
    keys = caller.call("GET", "/keys").get_json()
    states = {each["state"] for each in keys if each["device"]["id"] == told["id"]}
    assert states == {"revoked"}
    assert not any(each["key"] for each in caller.call("GET", "/books").get_json())
    page = lived_in.browser(ann)
    page.get(f"/devices/{told['id']}")
    assert "Nobody said in time that this device is yours" in page.text()


def test_a_device_is_revoked_and_restored(lived_in: Seeded) -> None:
    ann = client_of(lived_in, lived_in.ann)
    assert ann.call("DELETE", f"/devices/{lived_in.laptop}").status_code == 204
    shown = {each["id"]: each for each in ann.call("GET", "/devices").get_json()}
    assert (shown[lived_in.laptop]["state"], shown[lived_in.laptop]["keys"]) == ("revoked", 0)
    restored = ann.call("POST", f"/devices/{lived_in.laptop}/restoration").get_json()
    assert (restored["state"], restored["revoked_at"]) == ("active", None)


def test_a_revoked_device_takes_its_client_along_for_good(lived_in: Seeded) -> None:
    (laptop,) = (
        each
        for each in client_of(lived_in, lived_in.ann).call("GET", "/devices").get_json()
        if each["id"] == lived_in.laptop
    )
    client, other = (
        client_of(lived_in, lived_in.ann, jkt) for jkt in (laptop["jkt"], PHONE["jkt"])
    )
    assert client.call("GET", "/keys").status_code == 200
    revoke_device(
        lived_in.service.database,
        person_id=lived_in.ann.person_id,
        device_id=lived_in.laptop,
        now=lived_in.service.clock.now(),
    )
    assert client.call("GET", "/keys").status_code == 401
    assert other.call("POST", f"/devices/{lived_in.laptop}/restoration").status_code == 200
    assert client.call("GET", "/keys").status_code == 401


def test_a_client_stays_signed_in_for_thirty_days(lived_in: Seeded) -> None:
    ann = client_of(lived_in, lived_in.ann)
    lived_in.service.clock.advance(30 * DAY - 1)
    assert ann.call("GET", "/keys").status_code == 200
    lived_in.service.clock.advance(1)
    assert ann.call("GET", "/keys").status_code == 401


def test_who_signs_out_is_out(shared: Seeded) -> None:
    ann = client_of(shared, shared.ann)
    assert ann.call("DELETE", "/sessions/current").status_code == 204
    assert ann.call("GET", "/keys").status_code == 401


def test_a_client_ends_a_browsers_session_and_a_browser_a_clients(lived_in: Seeded) -> None:
    ann, browser = client_of(lived_in, lived_in.ann), lived_in.browser(lived_in.ann)
    assert browser.get("/sessions").status_code == 200
    assert "Handfast on Laptop's client" in browser.text()
    for session in ann.call("GET", "/sessions").get_json():
        if session["kind"] == "browser":
            assert ann.call("DELETE", f"/sessions/{session['id']}").status_code == 204
    assert browser.get("/sessions").status_code == 303
    again = lived_in.browser(lived_in.ann)
    again.get("/sessions/end-others")
    assert "Handfast on Laptop's client" in again.text()
    again.post("/sessions/end-others")
    assert ann.call("GET", "/keys").status_code == 401


def test_sessions_have_a_name(shared: Seeded) -> None:
    shared.start_session(shared.ann, SAFARI)
    listed = client_of(shared, shared.ann).call("GET", "/sessions").get_json()
    assert listed[0]["current"]
    assert (listed[0]["kind"], listed[0]["name"]) == ("client", "Laptop's client")
    assert ("browser", "Safari / iOS") in {(each["kind"], each["name"]) for each in listed}


def test_books_are_signed_and_name_the_key_of_the_clients_device(lived_in: Seeded) -> None:
    service, ann = lived_in.service, lived_in.ann
    device: Handset = service.handset("Reader")
    document = service.issue(ann, "mail")
    service.activate(device, document.document)
    books = client_of(lived_in, ann, device.identity.kid).call("GET", "/books").get_json()
    mail = next(each for each in books if each["service"] == "mail" and each["key"])
    book = open_book(mail["book"].encode(), service.key_set(), service.config.exchange_url)
    assert (book.account, book.service) == (ann.address, "mail")
    assert not any(each["key"] for each in books if each["service"] != "mail")


def test_what_a_client_does_is_in_the_audit(lived_in: Seeded) -> None:
    ann = client_of(lived_in, lived_in.ann)
    ann.call("POST", f"/keys/{lived_in.key}/rotation")
    ann.call("DELETE", f"/keys/{lived_in.key}")
    with lived_in.service.database.read() as session:
        acts = [row.act for row in session.query(AuditEntry).filter_by(target=lived_in.key)]
    assert acts[-2:] == [Act.KEY_ROTATION_ASKED, Act.KEY_REVOKED]


def test_a_new_token_is_needed_by_nobody_else(shared: Seeded) -> None:
    for token in ("A" * 43, "é" * 43, "", "x"):
        assert Caller(shared.app, token=token).call("GET", "/keys").status_code == 401
