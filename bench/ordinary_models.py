"""The same tables as an ordinary application maps them: classes with relationships."""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    """A registry of its own: the tables themselves come from the migrations."""


class Person(Base):
    """Owns accounts, activations and devices."""

    __tablename__ = "person"
    id: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[int]
    accounts: Mapped[list[MailAccount]] = relationship(back_populates="person")
    activations: Mapped[list[Activation]] = relationship(back_populates="person")
    devices: Mapped[list[Device]] = relationship(back_populates="person")


class MailAccount(Base):
    """One mail address."""

    __tablename__ = "mail_account"
    id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    address: Mapped[str]
    proven_at: Mapped[int | None]
    person: Mapped[Person] = relationship(back_populates="accounts")
    services: Mapped[list[AccountService]] = relationship(back_populates="account")


class AccountService(Base):
    """One service of one account."""

    __tablename__ = "account_service"
    id: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("mail_account.id"))
    service: Mapped[str]
    service_uid: Mapped[str]
    account: Mapped[MailAccount] = relationship(back_populates="services")


class Device(Base):
    """A person's device."""

    __tablename__ = "device"
    id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    jkt: Mapped[str]
    identity: Mapped[bytes]
    name: Mapped[str]
    platform: Mapped[str]
    handler: Mapped[str]
    state: Mapped[str]
    created_at: Mapped[int]
    seen_at: Mapped[int]
    person: Mapped[Person] = relationship(back_populates="devices")
    keys: Mapped[list[ServiceKey]] = relationship(back_populates="device")


class Activation(Base):
    """One document."""

    __tablename__ = "activation"
    id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    ticket: Mapped[str]
    kind: Mapped[str]
    state: Mapped[str]
    created_at: Mapped[int]
    expires_at: Mapped[int]
    document_expires_at: Mapped[int | None]
    bound_jkt: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(default=0)
    prs_sealed: Mapped[bytes | None]
    taken_at: Mapped[int | None]
    redeemed_at: Mapped[int | None]
    device_id: Mapped[str | None] = mapped_column(ForeignKey("device.id"))
    address: Mapped[str | None]
    confirm_hash: Mapped[bytes | None]
    complete: Mapped[bytes | None]
    person: Mapped[Person] = relationship(back_populates="activations")
    device: Mapped[Device | None] = relationship()
    runs: Mapped[list[Run]] = relationship(back_populates="activation")
    grants: Mapped[list[ServiceGrant]] = relationship(
        back_populates="activation", order_by="ServiceGrant.position"
    )


class ServiceGrant(Base):
    """One service in one document."""

    __tablename__ = "service_grant"
    id: Mapped[str] = mapped_column(primary_key=True)
    account_service_id: Mapped[str] = mapped_column(ForeignKey("account_service.id"))
    activation_id: Mapped[str | None] = mapped_column(ForeignKey("activation.id"))
    position: Mapped[int] = mapped_column(default=0)
    state: Mapped[str]
    created_at: Mapped[int]
    expires_at: Mapped[int]
    activation: Mapped[Activation] = relationship(back_populates="grants")
    service: Mapped[AccountService] = relationship()


class Run(Base):
    """One answered init."""

    __tablename__ = "run"
    activation_id: Mapped[str] = mapped_column(ForeignKey("activation.id"), primary_key=True)
    run: Mapped[bytes] = mapped_column(primary_key=True)
    admission_hash: Mapped[bytes]
    reply: Mapped[bytes]
    secrets_sealed: Mapped[bytes | None]
    created_at: Mapped[int]
    expires_at: Mapped[int]
    activation: Mapped[Activation] = relationship(back_populates="runs")


class ServiceKey(Base):
    """A key that device and service share."""

    __tablename__ = "service_key"
    id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    device_id: Mapped[str] = mapped_column(ForeignKey("device.id"))
    account_service_id: Mapped[str] = mapped_column(ForeignKey("account_service.id"))
    activation_id: Mapped[str] = mapped_column(ForeignKey("activation.id"))
    grant_id: Mapped[str] = mapped_column(ForeignKey("service_grant.id"))
    key_sealed: Mapped[bytes | None]
    fingerprint: Mapped[bytes]
    state: Mapped[str]
    created_at: Mapped[int]
    device: Mapped[Device] = relationship(back_populates="keys")
    grant: Mapped[ServiceGrant] = relationship()


class Entry(Base):
    """One line of the audit."""

    __tablename__ = "audit"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[int]
    actor: Mapped[str]
    act: Mapped[str]
    subject_id: Mapped[str | None]
    target: Mapped[str | None]
    record: Mapped[bytes]
