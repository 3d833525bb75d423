"""What programs do for people: the same acts as staff at their desks, each with its reason."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from app.bulk.checking import check_some
from app.bulk.taking import Worker, take_one
from app.clock import DAY
from app.extensions import of
from app.models import (
    ApiAnswer,
    AuditEntry,
    Device,
    GrantState,
    Invitation,
    KeyState,
    Person,
    ServiceGrant,
    ServiceKey,
    StaffRole,
)
from app.rights import Permission
from app.tokens.services import forget_answers
from tests.app.admin_api.programs import REASON, Program, program
from tests.app.pages.seeded import Seeded, bare_portal, live_in
from tests.app.webadmin.desk import hire
from tests.peers.postgresql import Cluster

CARLA = {"address": "carla@example.org", "reason": REASON, "name": "Carla Ríos"}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def lived_in(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Seeded]:
    """A portal that Ann has used for nine days, over either database."""
    if request.param == "sqlite":
        with bare_portal(tmp_path) as seeded:
            live_in(seeded)
            yield seeded
        return
    cluster: Cluster = request.getfixturevalue("postgresql_cluster")
    with cluster.database() as url, bare_portal(tmp_path, database_url=url) as seeded:
        live_in(seeded)
        yield seeded


@pytest.fixture
def ours(lived_in: Seeded) -> Program:
    """A program with all that an administrator can give it."""
    return program(lived_in.app, hire(lived_in.app, StaffRole.ADMINISTRATOR))


def work(seeded: Seeded) -> None:
    """Let the worker check and take whatever waits."""
    here = of(seeded.app)
    while check_some(here.database, here.clock):
        pass
    while take_one(Worker(here.database, here.config, here.clock, here.entropy)):
        pass


def test_a_person_is_invited_found_and_seen(ours: Program) -> None:
    made = ours.call("POST", "/people", CARLA)
    assert made.status_code == 200, made.get_data(as_text=True)
    person = made.get_json()["person"]
    (found,) = ours.call("GET", "/people?search=r%C3%ADos").get_json()
    assert found["id"] == person
    seen = ours.call("GET", f"/people/{person}").get_json()
    assert seen["invitations"][0]["invited_by"] == f"token:{ours.token_id}"
    again = ours.call("POST", "/people", CARLA)
    assert (again.status_code, again.get_json()["code"]) == (409, "address-taken")


def test_the_same_request_again_invites_once(lived_in: Seeded, ours: Program) -> None:
    key = {"Idempotency-Key": "7c1f"}
    first = ours.call("POST", "/people", CARLA, **key)
    assert ours.call("POST", "/people", CARLA, **key).get_json() == first.get_json()
    other = ours.call("POST", "/people", {**CARLA, "name": "Carla"}, **key)
    assert (other.status_code, other.get_json()["code"]) == (422, "key-used-before")
    theirs = program(lived_in.app, ours.staff_id)
    assert theirs.call("POST", "/people", CARLA, **key).get_json()["code"] == "address-taken"
    with of(lived_in.app).database.read() as session:
        assert len(session.scalars(select(Invitation)).all()) == 1
        assert len(session.scalars(select(ApiAnswer)).all()) == 1


def test_after_a_day_a_key_is_new(lived_in: Seeded, ours: Program) -> None:
    key, here = {"Idempotency-Key": "7c1f"}, of(lived_in.app)
    ours.call("POST", "/people", CARLA, **key)
    lived_in.service.clock.advance(DAY)
    # Carla's invitation is still open.
    answer = ours.call("POST", "/people", CARLA, **key)
    assert answer.get_json()["code"] == "address-taken"
    forget_answers(here.database, now=here.clock.now())
    with here.database.read() as session:
        assert session.scalars(select(ApiAnswer)).all() == []
    assert (
        ours.call("POST", "/people", {**CARLA, "address": "d@example.org"}, **key).status_code
        == 200
    )


def test_what_was_refused_may_be_tried_again_with_the_same_key(ours: Program) -> None:
    key = {"Idempotency-Key": "7c1f"}
    wrong = ours.call("POST", "/people", {**CARLA, "address": "nobody"}, **key)
    assert wrong.get_json()["code"] == "unusable"
    assert ours.call("POST", "/people", CARLA, **key).status_code == 200


def test_each_act_has_its_reason_in_the_audit(lived_in: Seeded, ours: Program) -> None:
    ann = f"/people/{lived_in.ann.person_id}"
    things = ours.call("GET", f"{ann}/things").get_json()
    acts = (
        f"{ann}/keys/{lived_in.key}/rotation",
        f"{ann}/keys/{lived_in.key}/revocation",
        f"{ann}/devices/{lived_in.laptop}/wipe",
        f"{ann}/devices/{lived_in.phone}/revocation",
        f"{ann}/activations/{lived_in.waiting}/revocation",
        f"{ann}/disablement",
        f"{ann}/enablement",
    )
    assert lived_in.laptop in {device["id"] for device in things["devices"]}
    for path in acts:
        answer = ours.call("POST", path, {"reason": REASON})
        assert answer.status_code == 204, (path, answer.get_data(as_text=True))
    with of(lived_in.app).database.read() as session:
        rows = session.scalars(
            select(AuditEntry).where(AuditEntry.actor == f"token:{ours.token_id}")
        ).all()
        key = session.get_one(ServiceKey, lived_in.key)
        laptop = session.get_one(Device, lived_in.laptop)
    reasons = {json.loads(row.detail or "{}").get("reason") for row in rows}
    assert reasons == {REASON}
    assert key.state == KeyState.REVOKED
    assert laptop.wipe_asked_at is not None
    assert {row.act for row in rows} >= {"key-revoked", "device-wipe-asked", "person-disabled"}


@pytest.mark.parametrize("reason", ["", "no", "x" * 201, "two\nlines", "\u202eback"])
def test_nothing_is_done_without_a_good_reason(
    lived_in: Seeded, ours: Program, reason: str
) -> None:
    path = f"/people/{lived_in.ann.person_id}/keys/{lived_in.key}/revocation"
    assert ours.call("POST", path, {"reason": reason}).status_code in {400, 422}
    with of(lived_in.app).database.read() as session:
        assert session.get_one(ServiceKey, lived_in.key).state == KeyState.ACTIVE


def test_what_is_anothers_is_missing(lived_in: Seeded, ours: Program) -> None:
    bob = f"/people/{lived_in.service.bob.person_id}"
    answer = ours.call("POST", f"{bob}/keys/{lived_in.key}/revocation", {"reason": REASON})
    assert answer.status_code in {404, 409}
    with of(lived_in.app).database.read() as session:
        assert session.get_one(ServiceKey, lived_in.key).state == KeyState.ACTIVE


def test_several_people_are_invited_by_one_call(lived_in: Seeded, ours: Program) -> None:
    people = [{"address": f"p{n}@example.org", "services": ["mail"]} for n in range(30)]
    made = ours.call("POST", "/imports/people", {"people": people, "reason": REASON})
    assert made.status_code == 200, made.get_data(as_text=True)
    work(lived_in)
    seen = ours.call("GET", f"/imports/{made.get_json()['id']}").get_json()
    assert (seen["state"], seen["lines"]) == ("done", 30)
    with of(lived_in.app).database.read() as session:
        assert len(session.scalars(select(Person)).all()) == 32


def test_one_wrong_person_stops_all_of_them(lived_in: Seeded, ours: Program) -> None:
    people = [{"address": "p@example.org"}, {"address": "ann@example.org"}]
    made = ours.call("POST", "/imports/people", {"people": people, "reason": REASON}).get_json()
    work(lived_in)
    assert ours.call("GET", f"/imports/{made['id']}").get_json()["state"] == "refused"
    (wrong,) = ours.call("GET", f"/imports/{made['id']}/problems").get_json()
    assert (wrong["line"], wrong["problems"]) == (2, [{"code": "set-up", "about": ""}])


def test_a_list_is_sent_checked_and_taken(lived_in: Seeded, ours: Program) -> None:
    body = {"csv": "address;name\ncarla@example.org;Carla\n", "reason": REASON}
    made = ours.call("POST", "/imports", body).get_json()
    assert ours.call("POST", f"/imports/{made['id']}/taking").status_code == 409
    work(lived_in)
    assert ours.call("GET", f"/imports/{made['id']}").get_json()["state"] == "checked"
    assert ours.call("POST", f"/imports/{made['id']}/taking").status_code == 200
    assert ours.call("POST", f"/imports/{made['id']}/cancellation").status_code == 409
    work(lived_in)
    assert ours.call("GET", f"/imports/{made['id']}").get_json()["state"] == "done"


def test_pages_of_lists_lead_on(ours: Program) -> None:
    for number in range(5):
        body = {"csv": f"address\np{number}@example.org\n", "reason": REASON}
        ours.call("POST", "/imports", body)
    seen, path = [], "/imports?limit=2"
    while path:
        answer = ours.call("GET", path)
        seen += [one["id"] for one in answer.get_json()]
        link = answer.headers.get("Link", "")
        path = link.partition("/api/v1/admin")[2].partition(">")[0]
    assert len(seen) == len(set(seen)) == 5


def test_people_and_audit_lead_on_too(lived_in: Seeded, ours: Program) -> None:
    for start in ("/people?limit=1", "/audit?limit=3"):
        seen, path = [], start
        while path:
            answer = ours.call("GET", path)
            assert answer.status_code == 200, answer.get_data(as_text=True)
            seen += [one["id"] for one in answer.get_json()]
            link = answer.headers.get("Link", "")
            path = link.partition("/api/v1/admin")[2].partition(">")[0]
        assert len(seen) == len(set(seen)) > 1


def test_stock_is_made_for_an_account(lived_in: Seeded, ours: Program) -> None:
    made = ours.call("POST", "/people", CARLA).get_json()
    person = ours.call("GET", f"/people/{made['person']}").get_json()
    body = {
        "account": person["accounts"][0]["id"],
        "services": ["mail", "contacts"],
        "count": 2,
        "reason": REASON,
    }
    path = f"/people/{made['person']}/stock"
    answer = ours.call("POST", path, body)
    assert answer.get_json() == {"made": 4}
    with of(lived_in.app).database.read() as session:
        stocked = session.scalars(
            select(ServiceGrant.id).where(ServiceGrant.state == GrantState.STOCKED)
        ).all()
        noted = session.scalars(select(AuditEntry).where(AuditEntry.act == "stock-made")).all()
    assert len(stocked) == 4
    assert [json.loads(row.detail or "") for row in noted] == [{"count": 2, "reason": REASON}] * 2


def test_a_scope_is_asked_for_by_every_operation(lived_in: Seeded) -> None:
    little = program(lived_in.app, hire(lived_in.app, StaffRole.OWNER), [Permission.METRICS_READ])
    for method, path in (
        ("GET", "/people"),
        ("GET", "/imports"),
        ("GET", "/audit"),
        ("GET", "/groups"),
    ):
        assert little.call(method, path).status_code == 403
