"""The audit: what happened, to whom, by whom; written with the act itself, never changed."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Blob, Moment, PublicId, one_of

_WAITING: Final = text("state = 'waiting'")
_NUMBER: Final = BigInteger().with_variant(Integer, "sqlite")


class AuditEntry(Base):
    """One act. ``record`` holds the canonical bytes; the columns are there for searching.

    ``detail`` holds what is personal: names, addresses, reasons. The record commits to it by a
    salted hash, so that it can go with its person and the chain of records still holds.
    """

    __tablename__ = "audit"
    id: Mapped[int] = mapped_column(_NUMBER, primary_key=True, autoincrement=True)
    at: Mapped[Moment]
    # "person:ID", "device:ID", "staff:ID", "token:ID", "operator" or "system".
    actor: Mapped[str] = mapped_column(String(40))
    act: Mapped[str] = mapped_column(String(40))
    # The person whom it concerns and who may read it; None for acts on the installation.
    subject_id: Mapped[str | None] = mapped_column(String(22))
    # The opaque id of the thing acted on.
    target: Mapped[str | None] = mapped_column(String(64))
    record: Mapped[Blob]
    # Canonical JSON; None where there was none, or once its person is gone.
    detail: Mapped[str | None] = mapped_column(Text)
    # 16 random bytes; None where there is no detail.
    salt: Mapped[Blob | None]

    __table_args__ = (
        # A number below every other one would be where nobody looks.
        CheckConstraint("id > 0", name="id"),
        Index("ix_audit_subject_id_at", "subject_id", "at"),
        Index("ix_audit_at", "at"),
        Index("ix_audit_actor_at", "actor", "at"),
        Index("ix_audit_act_at", "act", "at"),
        Index("ix_audit_target", "target"),
    )


class AuditLink(Base):
    """One entry's place in the chain: the hash is over the one before it and the record."""

    __tablename__ = "audit_link"
    position: Mapped[int] = mapped_column(_NUMBER, primary_key=True, autoincrement=False)
    audit_id: Mapped[int] = mapped_column(ForeignKey("audit.id"), unique=True)
    hash: Mapped[Blob]


class AuditHead(Base):
    """The chain's end as the sealer signed it; the same goes to a file outside the database."""

    __tablename__ = "audit_head"
    position: Mapped[int] = mapped_column(_NUMBER, primary_key=True, autoincrement=False)
    hash: Mapped[Blob]
    at: Mapped[Moment]
    key_id: Mapped[str] = mapped_column(String(64))
    signature: Mapped[Blob]


class Webhook(Base):
    """An outside system that is told of acts."""

    __tablename__ = "webhook"
    id: Mapped[PublicId] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    url: Mapped[str] = mapped_column(String(500))
    # Sealed with the `staff` key.
    secret_sealed: Mapped[Blob]
    # Acts, separated by spaces; "*": all.
    acts: Mapped[str] = mapped_column(Text)
    created_at: Mapped[Moment]
    created_by: Mapped[str] = mapped_column(String(40))
    # The last place in the chain that was looked at for it.
    position: Mapped[int] = mapped_column(BigInteger)
    paused_at: Mapped[Moment | None]
    ended_at: Mapped[Moment | None]


class DeliveryState(StrEnum):
    """waiting → delivered | failed (given up)."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


class WebhookDelivery(Base):
    """One act on its way to one outside system."""

    __tablename__ = "webhook_delivery"
    id: Mapped[PublicId] = mapped_column(primary_key=True)
    webhook_id: Mapped[PublicId] = mapped_column(ForeignKey("webhook.id"), index=True)
    audit_id: Mapped[int] = mapped_column(ForeignKey("audit.id"))
    state: Mapped[str] = mapped_column(String(10))
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[Moment]
    # The last answer's HTTP status, or what went wrong.
    answer: Mapped[str | None] = mapped_column(String(100))
    created_at: Mapped[Moment]
    ended_at: Mapped[Moment | None]

    __table_args__ = (
        one_of("state", DeliveryState),
        Index(
            "ix_webhook_delivery_waiting",
            "next_at",
            sqlite_where=_WAITING,
            postgresql_where=_WAITING,
        ),
    )
