"""Activations, their grants and runs. State changes are conditional updates only."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Blob, Moment, PublicId, listed, one_of


def _sweep_index(name: str, moment: str, condition: str) -> Index:
    """An index of only those rows that the sweeper may have to touch: the rest cost nothing."""
    where = text(condition)
    return Index(name, moment, sqlite_where=where, postgresql_where=where)


_OPEN_ROTATION: Final = text("state = 'open' AND rotates_key_id IS NOT NULL")
_CODE: Final = text("handle IS NOT NULL")
_OPEN_CODE: Final = text("state = 'open' AND handle IS NOT NULL")
_ROTATION: Final = text("rotates_key_id IS NOT NULL")


class ActivationState(StrEnum):
    """open → redeemed | dead."""

    OPEN = "open"
    REDEEMED = "redeemed"
    DEAD = "dead"


class GrantState(StrEnum):
    """stocked → issued → redeemed | dead; a grant made on the spot starts as issued."""

    STOCKED = "stocked"
    ISSUED = "issued"
    REDEEMED = "redeemed"
    DEAD = "dead"


class Activation(Base):
    """One activation: what a person asked for, and at most one document of it.

    Without a document (``document_expires_at`` is None) it waits for a device. The id is the
    document's ``jti``; a reissue makes a new row and kills this one whole.
    """

    __tablename__ = "activation"
    id: Mapped[PublicId] = mapped_column(primary_key=True)
    person_id: Mapped[PublicId] = mapped_column(ForeignKey("person.id"))
    # The page's random name for this request: two presses of one button are one activation.
    ticket: Mapped[str] = mapped_column(String(22))
    kind: Mapped[str] = mapped_column(String(12))
    # Who made it on the person's behalf: "staff:ID" or "token:ID"; None for everybody else.
    made_by: Mapped[str | None] = mapped_column(String(40))
    # The first four symbols of a typed code; None for every other kind.
    handle: Mapped[str | None] = mapped_column(String(4))
    # The key that a rotation renews; None for every other kind.
    rotates_key_id: Mapped[PublicId | None]
    state: Mapped[str] = mapped_column(String(12))
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    document_expires_at: Mapped[Moment | None]
    bound_jkt: Mapped[str | None] = mapped_column(String(43))
    attempts: Mapped[int] = mapped_column(default=0)
    # Sealed with the `grants` key; gone at redemption, death, expiry or the fifth run.
    prs_sealed: Mapped[Blob | None]
    taken_at: Mapped[Moment | None]
    redeemed_at: Mapped[Moment | None]
    device_id: Mapped[PublicId | None] = mapped_column(ForeignKey("device.id"))
    # The network address that confirmed, shown to the owner.
    address: Mapped[str | None] = mapped_column(String(64))
    # The redeeming run and what was answered: the owner's retry gets the same bytes.
    run: Mapped[Blob | None]
    confirm_hash: Mapped[Blob | None]
    complete: Mapped[Blob | None]
    successor_id: Mapped[str | None] = mapped_column(String(22))
    ended_reason: Mapped[str | None] = mapped_column(String(32))

    __table_args__ = (
        one_of("state", ActivationState),
        Index("ix_activation_person_id_ticket", "person_id", "ticket"),
        # Two reports at once must not begin two rotations of one key.
        Index(
            "uq_activation_open_rotation",
            "rotates_key_id",
            unique=True,
            sqlite_where=_OPEN_ROTATION,
            postgresql_where=_OPEN_ROTATION,
        ),
        Index(
            "ix_activation_rotates_key_id",
            "rotates_key_id",
            sqlite_where=_ROTATION,
            postgresql_where=_ROTATION,
        ),
        # A typed code is found by its handle, while it is open.
        Index(
            "uq_activation_open_handle",
            "handle",
            unique=True,
            sqlite_where=_OPEN_CODE,
            postgresql_where=_OPEN_CODE,
        ),
        listed("activation"),
        listed("activation", "waiting", "state = 'open' AND rotates_key_id IS NULL"),
        # And afterwards by its handle and run, for the answer that its device may have lost.
        Index("ix_activation_handle", "handle", sqlite_where=_CODE, postgresql_where=_CODE),
        _sweep_index("ix_activation_open", "expires_at", "state = 'open'"),
        _sweep_index("ix_activation_prs", "document_expires_at", "prs_sealed IS NOT NULL"),
        _sweep_index("ix_activation_answer", "redeemed_at", "complete IS NOT NULL"),
    )


class ServiceGrant(Base):
    """One service in one activation; its password is here only while it is in stock."""

    __tablename__ = "service_grant"
    id: Mapped[PublicId] = mapped_column(primary_key=True)
    account_service_id: Mapped[PublicId] = mapped_column(
        ForeignKey("account_service.id"), index=True
    )
    activation_id: Mapped[PublicId | None] = mapped_column(ForeignKey("activation.id"), index=True)
    # The place in the document; PRS is computed over the passwords in this order.
    position: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(12))
    password_sealed: Mapped[Blob | None]
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]

    __table_args__ = (
        one_of("state", GrantState),
        _sweep_index("ix_service_grant_stock", "expires_at", "state = 'stocked'"),
    )


class Run(Base):
    """One answered init: the stored reply, and its secrets until it is confirmed or old."""

    __tablename__ = "run"
    activation_id: Mapped[PublicId] = mapped_column(ForeignKey("activation.id"), primary_key=True)
    # TH1, 64 bytes.
    run: Mapped[Blob] = mapped_column(primary_key=True)
    admission_hash: Mapped[Blob]
    reply: Mapped[Blob]
    # {PRK, TH2} sealed with the `keys` key; None once confirmed, lost to another run, or old.
    secrets_sealed: Mapped[Blob | None]
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment] = mapped_column(index=True)

    __table_args__ = (_sweep_index("ix_run_secrets", "expires_at", "secrets_sealed IS NOT NULL"),)
