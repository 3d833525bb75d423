"""Outside systems: added, paused, ended, tested, and what became of what they were sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.audit import Act, record
from app.database import changed
from app.keystore.places import webhook_place
from app.keystore.sealing import Sealer
from app.models import AuditEntry, AuditLink, DeliveryState, Webhook, WebhookDelivery, new_id
from app.webhooks.posting import check_url
from app.webhooks.signing import SECRET_BYTES, shown

LONGEST_NAME: Final = 100
MOST_WEBHOOKS: Final = 20
EVERY_ACT: Final = "*"
# What is about webhooks themselves would never come to an end.
NEVER_TOLD: Final = frozenset(
    {Act.WEBHOOK_CHANGED, Act.WEBHOOK_TESTED, Act.WEBHOOK_GAVE_UP, Act.AUDIT_VERIFIED}
)
TOLD: Final = tuple(act for act in Act if act not in NEVER_TOLD)
DELIVERIES_SHOWN: Final = 50


class WebhookError(Exception):
    """A field cannot be used: "name", "acts", or "number" for too many."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field: Final = field


class NoWebhookError(Exception):
    """There is no such webhook, or it has ended."""


@dataclass(frozen=True)
class Added:
    """A new webhook; the secret is shown once and kept sealed."""

    id: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class WebhookView:
    """One webhook and how it stands."""

    id: str
    name: str
    url: str
    acts: tuple[str, ...]
    created_at: int
    # As the audit calls them.
    created_by: str
    paused_at: int | None
    waiting: int
    failed: int


@dataclass(frozen=True)
class DeliveryView:
    """One message and what became of it."""

    id: str
    act: str
    state: str
    attempts: int
    next_at: int
    answer: str | None
    created_at: int
    ended_at: int | None


def add(
    session: Session,
    *,
    name: str,
    url: str,
    acts: Sequence[str],
    actor: str,
    sealer: Sealer,
    now: int,
    entropy: Callable[[int], bytes],
) -> Added:
    """Add a webhook that is told of what happens from now on.

    ``acts`` are acts, or ``EVERY_ACT`` alone. Raises UrlError and WebhookError.
    """
    called = name.strip()
    if not 0 < len(called) <= LONGEST_NAME or not called.isprintable():
        raise WebhookError("name")
    chosen = [EVERY_ACT] if EVERY_ACT in acts else [act for act in TOLD if act in acts]
    if not chosen:
        raise WebhookError("acts")
    living = select(func.count()).select_from(Webhook).where(Webhook.ended_at.is_(None))
    if (session.scalar(living) or 0) >= MOST_WEBHOOKS:
        raise WebhookError("number")
    webhook_id, secret = new_id(entropy), entropy(SECRET_BYTES)
    session.add(
        Webhook(
            id=webhook_id,
            name=called,
            url=check_url(url.strip()),
            secret_sealed=sealer.seal(secret, webhook_place(webhook_id), now=now),
            acts=" ".join(chosen),
            created_at=now,
            created_by=actor,
            position=session.scalar(select(func.max(AuditLink.position))) or 0,
        )
    )
    _note(session, webhook_id, actor, "added", now)
    return Added(webhook_id, shown(secret))


def pause(session: Session, webhook_id: str, *, actor: str, now: int) -> None:
    """Stop telling it; what happens meanwhile is told once it goes on. Or NoWebhookError."""
    query = _living(webhook_id).where(Webhook.paused_at.is_(None)).values(paused_at=now)
    if not changed(session.execute(query)):
        raise NoWebhookError
    _note(session, webhook_id, actor, "paused", now)


def resume(session: Session, webhook_id: str, *, actor: str, now: int) -> None:
    """Go on where it stopped. Or NoWebhookError."""
    query = _living(webhook_id).where(Webhook.paused_at.is_not(None)).values(paused_at=None)
    if not changed(session.execute(query)):
        raise NoWebhookError
    session.execute(
        update(WebhookDelivery)
        .where(
            WebhookDelivery.webhook_id == webhook_id,
            WebhookDelivery.state == DeliveryState.WAITING,
        )
        .values(next_at=now)
    )
    _note(session, webhook_id, actor, "resumed", now)


def end(session: Session, webhook_id: str, *, actor: str, now: int) -> None:
    """End it for good: its secret goes, and so does what waits. Or NoWebhookError."""
    query = _living(webhook_id).values(ended_at=now, secret_sealed=b"")
    if not changed(session.execute(query)):
        raise NoWebhookError
    session.execute(
        update(WebhookDelivery)
        .where(
            WebhookDelivery.webhook_id == webhook_id,
            WebhookDelivery.state == DeliveryState.WAITING,
        )
        .values(state=DeliveryState.FAILED, ended_at=now, answer="the webhook was ended")
    )
    _note(session, webhook_id, actor, "ended", now)


def test(
    session: Session,
    webhook_id: str,
    *,
    actor: str,
    now: int,
    entropy: Callable[[int], bytes],
) -> None:
    """Tell it of the test itself, whatever it is told of otherwise. Or NoWebhookError."""
    find(session, webhook_id)
    record(session, at=now, actor=actor, act=Act.WEBHOOK_TESTED, target=webhook_id)
    entry = session.scalar(
        select(func.max(AuditEntry.id)).where(
            AuditEntry.act == Act.WEBHOOK_TESTED, AuditEntry.target == webhook_id
        )
    )
    session.add(
        WebhookDelivery(
            id=new_id(entropy),
            webhook_id=webhook_id,
            audit_id=entry,
            state=DeliveryState.WAITING,
            next_at=now,
            created_at=now,
        )
    )


def find(session: Session, webhook_id: str) -> WebhookView:
    """Return a webhook that has not ended, or raise NoWebhookError."""
    return next((each for each in list_webhooks(session) if each.id == webhook_id), None) or _none()


def list_webhooks(session: Session) -> list[WebhookView]:
    """Return those that have not ended, the oldest first."""
    rows = session.scalars(
        select(Webhook).where(Webhook.ended_at.is_(None)).order_by(Webhook.created_at, Webhook.id)
    )
    counted = {
        (row.webhook_id, row.state): row.number
        for row in session.execute(
            select(
                WebhookDelivery.webhook_id, WebhookDelivery.state, func.count().label("number")
            ).group_by(WebhookDelivery.webhook_id, WebhookDelivery.state)
        )
    }
    return [
        WebhookView(
            id=row.id,
            name=row.name,
            url=row.url,
            acts=tuple(row.acts.split()),
            created_at=row.created_at,
            created_by=row.created_by,
            paused_at=row.paused_at,
            waiting=counted.get((row.id, DeliveryState.WAITING), 0),
            failed=counted.get((row.id, DeliveryState.FAILED), 0),
        )
        for row in rows
    ]


def list_deliveries(session: Session, webhook_id: str) -> list[DeliveryView]:
    """Return the last messages to a webhook, the newest first."""
    rows = session.execute(
        select(WebhookDelivery, AuditEntry.act)
        .join(AuditEntry, AuditEntry.id == WebhookDelivery.audit_id)
        .where(WebhookDelivery.webhook_id == webhook_id)
        .order_by(WebhookDelivery.created_at.desc(), WebhookDelivery.audit_id.desc())
        .limit(DELIVERIES_SHOWN)
    )
    return [
        DeliveryView(
            row.id,
            act,
            row.state,
            row.attempts,
            row.next_at,
            row.answer,
            row.created_at,
            row.ended_at,
        )
        for row, act in rows
    ]


def _none() -> WebhookView:
    raise NoWebhookError


def _living(webhook_id: str) -> Any:
    return update(Webhook).where(Webhook.id == webhook_id, Webhook.ended_at.is_(None))


def _note(session: Session, webhook_id: str, actor: str, what: str, now: int) -> None:
    act, detail = Act.WEBHOOK_CHANGED, {"what": what}
    record(session, at=now, actor=actor, act=act, target=webhook_id, detail=detail)
