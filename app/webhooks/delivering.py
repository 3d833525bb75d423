"""Telling outside systems, from the worker: at least once, in the chain's order where all is well.

A message that its receiver refuses is tried again by itself, and those after it go on. Where
nobody answers, everything for that webhook waits, so that a dead one costs one attempt at a time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from sqlalchemy import exists, insert, select, update
from sqlalchemy.orm import Session

from app.audit import Act, record
from app.clock import DAY, MINUTE, SECOND, Clock, as_datetime, seconds
from app.database import Database, changed
from app.keystore.places import webhook_place
from app.keystore.sealing import Sealer
from app.mailservers.network import Network
from app.models import (
    AuditEntry,
    AuditLink,
    DeliveryState,
    Webhook,
    WebhookDelivery,
    new_id,
)
from app.webhooks.posting import UnreachableError, post
from app.webhooks.services import EVERY_ACT, NEVER_TOLD
from app.webhooks.signing import headers

BATCH: Final = 200
# For how long one round may go on beginning messages.
ROUND_SECONDS: Final = 6.0
GIVE_UP: Final = 3 * DAY
FIRST_WAIT: Final = 10 * SECOND
LONGEST_WAIT: Final = 6 * 60 * MINUTE
# Until then another worker leaves a message alone.
CLAIM: Final = MINUTE
GONE: Final = 410


@dataclass(frozen=True)
class Office:
    """What telling needs."""

    database: Database
    sealer: Sealer
    network: Network
    clock: Clock
    entropy: Callable[[int], bytes]


@dataclass(frozen=True)
class _Message:
    id: str
    webhook_id: str
    url: str
    attempts: int
    created_at: int
    body: bytes
    secret_sealed: bytes = field(repr=False)


def plan(office: Office) -> bool:
    """Write down what each webhook is to be told of what was linked since; True: there is more."""
    now, more = office.clock.now(), False
    with office.database.write() as session:
        for webhook in session.scalars(select(Webhook).where(*_is_told())).all():
            links = session.execute(
                select(AuditLink.position, AuditEntry.id, AuditEntry.act)
                .join(AuditEntry, AuditEntry.id == AuditLink.audit_id)
                .where(AuditLink.position > webhook.position)
                .order_by(AuditLink.position)
                .limit(BATCH)
            ).all()
            if not links:
                continue
            forward = update(Webhook).where(
                Webhook.id == webhook.id, Webhook.position == webhook.position
            )
            # Another worker may have been here a moment ago.
            if not changed(session.execute(forward.values(position=links[-1].position))):
                continue
            acts = set(webhook.acts.split())
            rows = [
                _delivery(webhook.id, link.id, now, office.entropy)
                for link in links
                if link.act not in NEVER_TOLD and (link.act in acts or EVERY_ACT in acts)
            ]
            if rows:
                session.execute(insert(WebhookDelivery), rows)
            more = more or len(links) == BATCH
    return more


def send(office: Office) -> bool:
    """Send what is due for as long as a round may take; True: there is more."""
    begun = time.monotonic()
    while time.monotonic() - begun < ROUND_SECONDS:
        message = _claim(office)
        if message is None:
            return False
        _send(office, message)
    return True


def body_of(entry: AuditEntry, position: int | None) -> bytes:
    """Return the message about an entry: ids, the act and its time, nothing personal."""
    return msgspec.json.encode(
        {
            "type": entry.act,
            "timestamp": as_datetime(entry.at).isoformat(timespec="microseconds"),
            "data": {
                "entry": entry.id,
                "position": position,
                "person_id": entry.subject_id,
                "actor": entry.actor,
                "target": entry.target,
            },
        }
    )


def _is_told() -> tuple[Any, ...]:
    return Webhook.ended_at.is_(None), Webhook.paused_at.is_(None)


def _delivery(
    webhook_id: str, audit_id: int, now: int, entropy: Callable[[int], bytes]
) -> dict[str, object]:
    return {
        "id": new_id(entropy),
        "webhook_id": webhook_id,
        "audit_id": audit_id,
        "state": DeliveryState.WAITING,
        "attempts": 0,
        "next_at": now,
        "created_at": now,
    }


def _claim(office: Office) -> _Message | None:
    """Take the first message that is due, so that no other worker sends it meanwhile."""
    now = office.clock.now()
    with office.database.write() as session:
        row = session.scalar(
            select(WebhookDelivery)
            .join(Webhook, Webhook.id == WebhookDelivery.webhook_id)
            .where(
                WebhookDelivery.state == DeliveryState.WAITING,
                WebhookDelivery.next_at <= now,
                *_is_told(),
            )
            .order_by(WebhookDelivery.next_at, WebhookDelivery.audit_id)
            .limit(1)
            .with_for_update(skip_locked=True, of=WebhookDelivery)
        )
        if row is None:
            return None
        row.attempts, row.next_at = row.attempts + 1, now + CLAIM
        webhook = session.get_one(Webhook, row.webhook_id)
        entry = session.get_one(AuditEntry, row.audit_id)
        position = session.scalar(
            select(AuditLink.position).where(AuditLink.audit_id == row.audit_id)
        )
        return _Message(
            row.id,
            webhook.id,
            webhook.url,
            row.attempts,
            row.created_at,
            body_of(entry, position),
            bytes(webhook.secret_sealed),
        )


def _send(office: Office, message: _Message) -> None:
    secret = office.sealer.open(message.secret_sealed, webhook_place(message.webhook_id))
    now = office.clock.now()
    signed = headers(secret, message.id, message.body, at=seconds(now))
    try:
        status = post(message.url, message.body, signed, network=office.network)
    except UnreachableError as error:
        _put_off(office, message, str(error), with_all=True)
        return
    if 200 <= status < 300:
        with office.database.write() as session:
            _settle(session, message, DeliveryState.DELIVERED, str(status), office.clock.now())
    elif status == GONE:
        _stop(office, message)
    else:
        _put_off(office, message, str(status), with_all=False)


def _put_off(office: Office, message: _Message, answer: str, *, with_all: bool) -> None:
    """Try later, or give up; where nobody answered, whatever else waits does so, too."""
    now = office.clock.now()
    wait = min(FIRST_WAIT << min(message.attempts - 1, 20), LONGEST_WAIT)
    with office.database.write() as session:
        if now - message.created_at > GIVE_UP:
            # Another worker may have delivered it meanwhile, or its webhook was ended.
            if _settle(session, message, DeliveryState.FAILED, answer, now):
                _note_given_up(session, message.webhook_id, now)
        else:
            session.execute(_mine(message).values(next_at=now + wait, answer=answer[:100]))
        if with_all:
            session.execute(
                update(WebhookDelivery)
                .where(
                    WebhookDelivery.webhook_id == message.webhook_id,
                    WebhookDelivery.state == DeliveryState.WAITING,
                    WebhookDelivery.next_at < now + wait,
                )
                .values(next_at=now + wait)
            )


def _stop(office: Office, message: _Message) -> None:
    """Its receiver says that it is gone for good: nothing more is sent until staff say so."""
    now = office.clock.now()
    with office.database.write() as session:
        session.execute(_mine(message).values(next_at=now, answer=str(GONE)))
        paused = update(Webhook).where(Webhook.id == message.webhook_id, *_is_told())
        if changed(session.execute(paused.values(paused_at=now))):
            facts: dict[str, str | int] = {"what": "paused", "answer": GONE}
            act, target = Act.WEBHOOK_CHANGED, message.webhook_id
            record(session, at=now, actor="system", act=act, target=target, detail=facts)


def _settle(
    session: Session, message: _Message, state: DeliveryState, answer: str, now: int
) -> bool:
    """Note what became of a message; False when it is somebody else's by now."""
    settled = _mine(message).values(state=state, ended_at=now, answer=answer[:100])
    return changed(session.execute(settled)) == 1


def _mine(message: _Message) -> Any:
    return update(WebhookDelivery).where(
        WebhookDelivery.id == message.id,
        WebhookDelivery.state == DeliveryState.WAITING,
        WebhookDelivery.attempts == message.attempts,
    )


def _note_given_up(session: Session, webhook_id: str, now: int) -> None:
    """Say so in the audit, once a day and webhook: a dead one may lose thousands."""
    lately = exists().where(
        AuditEntry.act == Act.WEBHOOK_GAVE_UP,
        AuditEntry.target == webhook_id,
        AuditEntry.at > now - DAY,
    )
    if not session.scalar(select(lately)):
        record(session, at=now, actor="system", act=Act.WEBHOOK_GAVE_UP, target=webhook_id)
