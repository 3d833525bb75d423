"""Devices and the keys they share with the service."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Blob, Moment, PublicId, one_of


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

    __table_args__ = (UniqueConstraint("person_id", "jkt"), one_of("state", DeviceState))


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
    proven_at: Mapped[Moment | None]
    ended_at: Mapped[Moment | None]
    ended_reason: Mapped[str | None] = mapped_column(String(32))

    __table_args__ = (one_of("state", KeyState),)
