"""Messages to a real receiver: signed, at least once, put off, given up, paused."""

from __future__ import annotations

import base64
import io
import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from app import ROOT, logs
from app.audit import Act, record
from app.auditing.sealing import seal
from app.clock import DAY, HOUR, MINUTE, seconds
from app.keystore.provider import KeyKind
from app.keystore.rings import KeyRing, SigningKeys
from app.mailservers.names import Names
from app.mailservers.network import Network
from app.models import AuditEntry, Base, DeliveryState, Webhook, WebhookDelivery
from app.webhooks import delivering, services
from app.webhooks.delivering import Office, plan, send
from app.webhooks.posting import post
from app.webhooks.services import Added
from tests.app.service_fixtures import Service
from tests.app.together import together
from tests.peers.ca import CertificateAuthority
from tests.peers.dns_server import dns_server
from tests.peers.https_server import Answer, RunningHttps, https_server

HOST = "hooks.example.org"
OK = Answer()


@dataclass
class Receiver:
    """An outside system on loopback, and the worker that tells it."""

    service: Service
    folder: Path
    server: RunningHttps
    answers: dict[str, Answer]
    office: Office

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"https://{HOST}:{self.server.port}/handfast"

    def add(self, *acts: str, url: str = "") -> Added:
        """Add it."""
        with self.service.database.write() as session:
            return services.add(
                session,
                name="Ticket system",
                url=url or self.url,
                acts=acts or (services.EVERY_ACT,),
                actor="staff:sam",
                sealer=self.service.keys.staff,
                now=self.service.clock.now(),
                entropy=self.service.entropy,
            )

    def happen(self, act: Act = Act.KEY_REVOKED, target: str = "key") -> None:
        """Let something happen to Ann."""
        with self.service.database.write() as session:
            record(
                session,
                at=self.service.clock.now(),
                actor="staff:ada",
                act=act,
                subject=self.service.ann.person_id,
                target=target,
                detail={"reason": "a secret reason", "account": "ann@example.org"},
            )

    def work(self) -> None:
        """Have the worker seal, plan and send once."""
        now = self.service.clock.now()
        key = SigningKeys(KeyRing(self.service.provider, KeyKind.AUDIT)).current(now)
        seal(self.service.database, self.folder / "heads", key, now=now)
        plan(self.office)
        send(self.office)

    def deliveries(self) -> list[WebhookDelivery]:
        """Return what is written down of messages, in order."""
        with self.service.database.read() as session:
            query = select(WebhookDelivery).order_by(WebhookDelivery.audit_id)
            return list(session.scalars(query))

    def answer(self, status: int, **headers: str) -> None:
        """Let it answer like this from now on."""
        self.answers[f"{HOST}/handfast"] = Answer(status=status, headers=headers)

    def acts(self) -> list[str]:
        """Return what it was told, in order."""
        return [json.loads(body)["type"] for _, body in self.server.posted]


@pytest.fixture
def receiver(service: Service, tmp_path: Path, mail_ca: CertificateAuthority) -> Iterator[Receiver]:
    answers = {f"{HOST}/handfast": OK}
    with (
        dns_server({HOST: ["A 127.0.0.1"]}) as dns,
        https_server(answers, mail_ca.issue(HOST)) as server,
    ):
        network = Network(
            names=Names("127.0.0.1", dns.port),
            address_allowed=lambda address: address.is_loopback,
            ca_pem=mail_ca.pem,
        )
        office = Office(
            service.database, service.keys.staff, network, service.clock, service.entropy
        )
        yield Receiver(service, tmp_path, server, answers, office)


def documented_verify() -> Callable[..., None]:
    """Return the recipe of the documentation, as somebody would copy it."""
    page = (ROOT / "docs" / "webhooks.md").read_text(encoding="utf-8")
    found = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    assert found is not None
    names: dict[str, Any] = {}
    exec(found[1], names)  # noqa: S102  # our own page, run as its reader would
    verify: Callable[..., None] = names["verify"]
    return verify


def check(secret: str, posted: tuple[Mapping[str, str], bytes], now: int) -> None:
    headers, body = posted
    documented_verify()(secret, headers, body, now=seconds(now))


def test_a_message_is_verified_by_the_documented_recipe(receiver: Receiver) -> None:
    added = receiver.add()
    receiver.happen()
    receiver.work()
    check(added.secret, receiver.server.posted[0], receiver.service.clock.now())
    assert [row.state for row in receiver.deliveries()] == ["delivered"]


@pytest.mark.parametrize("what", ["secret", "body", "id", "time", "late"])
def test_anything_else_is_not(receiver: Receiver, what: str) -> None:
    added = receiver.add()
    receiver.happen()
    receiver.work()
    headers, body = receiver.server.posted[0]
    secret, now = added.secret, receiver.service.clock.now()
    match what:
        case "secret":
            secret = "whsec_" + "A" * 43 + "="
        case "body":
            body += b" "
        case "id":
            headers["webhook-id"] = "x"
        case "time":
            headers["webhook-timestamp"] = str(int(headers["webhook-timestamp"]) + 1)
        case _:
            now += 6 * MINUTE
    with pytest.raises(ValueError, match=r"signed|old"):
        check(secret, (headers, body), now)


def test_a_message_holds_ids_and_nothing_personal(receiver: Receiver) -> None:
    receiver.add()
    receiver.happen(target="key-1")
    receiver.work()
    _, body = receiver.server.posted[0]
    message = json.loads(body)
    assert message["type"] == "key-revoked"
    assert message["data"]["person_id"] == receiver.service.ann.person_id
    assert message["data"]["target"] == "key-1"
    assert message["data"]["actor"] == "staff:ada"
    assert message["data"]["position"] > 0
    for personal in (b"ann@", b"secret reason", b"127.0.0.1"):
        assert personal not in body


def test_only_what_was_chosen_is_told_and_only_what_came_later(receiver: Receiver) -> None:
    receiver.happen(Act.KEY_REVOKED)
    receiver.work()
    receiver.add("key-revoked", "device-revoked")
    receiver.happen(Act.SIGNED_IN)
    receiver.happen(Act.DEVICE_REVOKED)
    receiver.work()
    assert receiver.acts() == ["device-revoked"]


def test_messages_come_in_order_and_once(receiver: Receiver) -> None:
    receiver.add("key-revoked")
    for number in range(5):
        receiver.happen(target=f"key-{number}")
    receiver.work()
    receiver.work()
    targets = [json.loads(body)["data"]["target"] for _, body in receiver.server.posted]
    assert targets == [f"key-{number}" for number in range(5)]


def test_two_workers_tell_it_once(receiver: Receiver) -> None:
    receiver.add("key-revoked")
    for number in range(6):
        receiver.happen(target=f"key-{number}")
    receiver.work()
    for number in range(6):
        receiver.happen(target=f"more-{number}")
    now = receiver.service.clock.now()
    key = SigningKeys(KeyRing(receiver.service.provider, KeyKind.AUDIT)).current(now)
    seal(receiver.service.database, receiver.folder / "heads", key, now=now)

    def work() -> bytes:
        plan(receiver.office)
        send(receiver.office)
        return b""

    together(work, work)
    assert len(receiver.server.posted) == 12
    assert len({headers["webhook-id"] for headers, _ in receiver.server.posted}) == 12


def test_what_was_refused_is_sent_again_with_the_same_id(receiver: Receiver) -> None:
    receiver.add("key-revoked")
    receiver.happen()
    receiver.answer(500)
    receiver.work()
    receiver.work()
    assert len(receiver.server.posted) == 1
    receiver.answer(204)
    receiver.service.clock.advance(11_000_000)
    receiver.work()
    ids = {headers["webhook-id"] for headers, _ in receiver.server.posted}
    assert (len(receiver.server.posted), len(ids)) == (2, 1)
    assert [(row.state, row.answer) for row in receiver.deliveries()] == [("delivered", "204")]


def test_a_refused_message_holds_up_no_other(receiver: Receiver) -> None:
    receiver.add("key-revoked")
    receiver.happen(target="first")
    receiver.answer(422)
    receiver.work()
    receiver.answer(200)
    receiver.happen(target="second")
    receiver.work()
    assert [row.state for row in receiver.deliveries()] == ["waiting", "delivered"]


def test_where_nobody_answers_everything_waits(receiver: Receiver) -> None:
    receiver.add("key-revoked", url=f"https://{HOST}:9/handfast")
    receiver.happen()
    receiver.happen()
    receiver.work()
    first, second = receiver.deliveries()
    assert (first.attempts, second.attempts) == (1, 0)
    assert first.next_at == second.next_at > receiver.service.clock.now()


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.add("key-revoked")
    receiver.answer(307, Location=f"https://{HOST}:{receiver.server.port}/elsewhere")
    receiver.happen()
    receiver.work()
    assert receiver.server.requests == [f"{HOST}/handfast"]
    assert [row.answer for row in receiver.deliveries()] == ["307"]


def test_after_three_days_it_is_given_up_and_said_so_once(receiver: Receiver) -> None:
    receiver.add("key-revoked")
    receiver.answer(500)
    for _ in range(3):
        receiver.happen()
    receiver.work()
    receiver.service.clock.advance(3 * DAY + HOUR)
    receiver.work()
    assert {row.state for row in receiver.deliveries()} == {"failed"}
    with receiver.service.database.read() as session:
        given_up = select(AuditEntry).where(AuditEntry.act == Act.WEBHOOK_GAVE_UP)
        assert len(session.scalars(given_up).all()) == 1


def test_a_message_that_another_worker_delivered_meanwhile_is_not_given_up(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.add("key-revoked")
    receiver.answer(500)
    receiver.happen()
    receiver.work()
    receiver.service.clock.advance(3 * DAY + HOUR)

    def slow(*args: Any, **more: Any) -> int:
        status = post(*args, **more)
        with receiver.service.database.write() as session:
            delivered = {"state": DeliveryState.DELIVERED, "ended_at": receiver.service.clock.now()}
            session.execute(update(WebhookDelivery).values(delivered))
        return status

    monkeypatch.setattr(delivering, "post", slow)
    receiver.work()
    assert [row.state for row in receiver.deliveries()] == ["delivered"]
    with receiver.service.database.read() as session:
        given_up = select(AuditEntry).where(AuditEntry.act == Act.WEBHOOK_GAVE_UP)
        assert session.scalars(given_up).all() == []


def test_a_receiver_that_is_gone_is_told_nothing_more(receiver: Receiver) -> None:
    receiver.add("key-revoked")
    receiver.answer(410)
    receiver.happen()
    receiver.happen()
    receiver.work()
    assert len(receiver.server.posted) == 1
    with receiver.service.database.read() as session:
        assert session.scalars(select(Webhook.paused_at)).one() is not None


def test_a_pause_loses_nothing(receiver: Receiver) -> None:
    added = receiver.add("key-revoked")
    about: dict[str, Any] = {"actor": "staff:sam", "now": receiver.service.clock.now()}
    with receiver.service.database.write() as session:
        services.pause(session, added.id, **about)
    receiver.happen()
    receiver.work()
    assert receiver.acts() == []
    with receiver.service.database.write() as session:
        services.resume(session, added.id, **about)
    receiver.work()
    assert receiver.acts() == ["key-revoked"]


def test_a_webhook_that_was_ended_is_told_nothing_and_keeps_no_secret(receiver: Receiver) -> None:
    added = receiver.add("key-revoked")
    receiver.answer(500)
    receiver.happen()
    receiver.work()
    with receiver.service.database.write() as session:
        now = receiver.service.clock.now()
        services.end(session, added.id, actor="staff:sam", now=now)
    receiver.service.clock.advance(HOUR)
    receiver.happen()
    receiver.work()
    assert len(receiver.server.posted) == 1
    with receiver.service.database.read() as session:
        assert session.scalars(select(Webhook.secret_sealed)).one() == b""
        assert services.list_webhooks(session) == []


def test_a_test_is_told_whatever_else_is(receiver: Receiver) -> None:
    added = receiver.add("key-revoked")
    with receiver.service.database.write() as session:
        services.test(
            session,
            added.id,
            actor="staff:sam",
            now=receiver.service.clock.now(),
            entropy=receiver.service.entropy,
        )
    receiver.work()
    receiver.work()
    assert receiver.acts() == ["webhook-tested"]


def test_changes_of_webhooks_are_told_to_none(receiver: Receiver) -> None:
    receiver.add()
    receiver.add(url=f"{receiver.url}?second")
    receiver.work()
    assert receiver.acts() == []


def test_neither_secret_nor_address_is_logged(receiver: Receiver) -> None:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logs.JsonFormatter())
    logs.log.addHandler(handler)
    try:
        added = receiver.add(url=f"{receiver.url}?canary-70c2")
        receiver.happen()
        for status in (500, 200):
            receiver.answers[f"{HOST}/handfast?canary-70c2"] = Answer(status=status)
            receiver.work()
            receiver.service.clock.advance(HOUR)
    finally:
        logs.log.removeHandler(handler)
    assert [row.state for row in receiver.deliveries()] == ["delivered"]
    secret = added.secret.removeprefix("whsec_")
    with receiver.service.database.read_connection() as connection:
        rows = [repr(r) for t in Base.metadata.sorted_tables for r in connection.execute(select(t))]
    told = written.getvalue()
    raw = base64.b64decode(secret)
    assert [each for each in ("canary-70c2", secret) if each in told] == []
    assert secret not in "".join(rows)
    assert repr(raw)[2:-1] not in "".join(rows)
    assert secret not in repr(added)
