"""Devices and the keys they share with the service."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Blob, Moment, PublicId, listed, one_of


class DeviceState(StrEnum):
    """active → revoked, and back only when its owner restores it."""

    ACTIVE = "active"
    REVOKED = "revoked"


class KeyState(StrEnum):
    """active → retired (its successor is proven) | revoked (its owner said so)."""

    ACTIVE = "active"
    RETIRED = "retired"
    REVOKED = "revoked"


class Device(Base):
    """A device of one person, known by its identity key's thumbprint (``jkt``)."""

    __tablename__ = "device"
    id: Mapped[PublicId] = mapped_column(primary_key=True)
    person_id: Mapped[PublicId] = mapped_column(ForeignKey("person.id"), index=True)
    jkt: Mapped[str] = mapped_column(String(43), index=True)
    # The Ed25519 public key, 32 bytes.
    identity: Mapped[Blob]
    name: Mapped[str] = mapped_column(String(100))
    platform: Mapped[str] = mapped_column(String(100))
    handler: Mapped[str] = mapped_column(String(100))
    state: Mapped[str] = mapped_column(String(12))
    created_at: Mapped[Moment]
    seen_at: Mapped[Moment]
    revoked_at: Mapped[Moment | None]
    # When its owner said "this is mine", or a document bound to it was used.
    confirmed_at: Mapped[Moment | None]
    # Until when the owner may say so; then the device's keys end. None once confirmed.
    confirm_by: Mapped[Moment | None]

    # When staff or its owner asked for its keys to be removed on it, and when it said they are.
    wipe_asked_at: Mapped[Moment | None]
    wiped_at: Mapped[Moment | None]

    __table_args__ = (
        UniqueConstraint("person_id", "jkt"),
        Index(
            "ix_device_confirm_by",
            "confirm_by",
            sqlite_where=text("confirm_by IS NOT NULL"),
            postgresql_where=text("confirm_by IS NOT NULL"),
        ),
        listed("device"),
        one_of("state", DeviceState),
    )


class ServiceKey(Base):
    """The session key of one (device, account, service), sealed with the `keys` key."""

    __tablename__ = "service_key"
    # The key id of protocol.md, base64url.
    id: Mapped[PublicId] = mapped_column(primary_key=True)
    person_id: Mapped[PublicId] = mapped_column(ForeignKey("person.id"), index=True)
    device_id: Mapped[PublicId] = mapped_column(ForeignKey("device.id"), index=True)
    account_service_id: Mapped[PublicId] = mapped_column(
        ForeignKey("account_service.id"), index=True
    )
    activation_id: Mapped[PublicId] = mapped_column(ForeignKey("activation.id"), index=True)
    # Unique: one grant has one owner.
    grant_id: Mapped[PublicId] = mapped_column(ForeignKey("service_grant.id"), unique=True)
    # None once revoked or retired.
    key_sealed: Mapped[Blob | None]
    # Eight bytes, shown as four words.
    fingerprint: Mapped[Blob]
    state: Mapped[str] = mapped_column(String(12))
    created_at: Mapped[Moment]
    # When the first packet under this key was accepted.
    proven_at: Mapped[Moment | None]
    # From when on the device is offered a rotation at its next report.
    rotate_at: Mapped[Moment | None]
    # The replay window: the highest number accepted, and which of the 64 up to it were.
    received: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    window: Mapped[Blob | None]
    ended_at: Mapped[Moment | None]
    ended_reason: Mapped[str | None] = mapped_column(String(32))

    __table_args__ = (listed("service_key"), one_of("state", KeyState))


class EndedKey(Base):
    """The id of an ended key whose row went with its account: its device can still be told."""

    __tablename__ = "ended_key"
    id: Mapped[PublicId] = mapped_column(primary_key=True)
    ended_at: Mapped[Moment] = mapped_column(index=True)
