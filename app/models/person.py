"""People, their mail accounts, the services of each, and the operator's pins."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    SQLColumnExpression,
    String,
    Text,
    UniqueConstraint,
    case,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.mailservers.server import VouchedBy
from app.models.base import Base, Moment, PublicId, listed, one_of


class ServiceName(StrEnum):
    """What an account offers to a device."""

    MAIL = "mail"
    CONTACTS = "contacts"
    CALENDAR = "calendar"


def in_order(service: SQLColumnExpression[str]) -> ColumnElement[int]:
    """Sort rows by service in the order in which pages name them."""
    return case({name: place for place, name in enumerate(ServiceName)}, value=service)


class Person(Base):
    """Somebody who signed in with a proven mail account, or whom staff set up."""

    __tablename__ = "person"
    id: Mapped[PublicId] = mapped_column(primary_key=True)
    created_at: Mapped[Moment]
    # As staff wrote it; empty for people who came by themselves.
    name: Mapped[str] = mapped_column(String(100), default="", server_default=text("''"))
    # Of mail to them; None: the installation's.
    language: Mapped[str | None] = mapped_column(String(16))
    # They may not sign in, and their keys are revoked.
    disabled_at: Mapped[Moment | None]

    __table_args__ = (
        listed("person"),
        listed("person", "disabled", "disabled_at IS NOT NULL"),
    )


class PersonTerm(Base):
    """A word by whose beginning staff find a person: of the name, or of a mail address."""

    __tablename__ = "person_term"
    # Byte order, so that the index finds beginnings on both databases.
    term: Mapped[str] = mapped_column(
        String(64).with_variant(String(64, collation="C"), "postgresql"), primary_key=True
    )
    person_id: Mapped[PublicId] = mapped_column(
        ForeignKey("person.id"), primary_key=True, index=True
    )

    # The primary key is all there is of a row, so SQLite needs no second copy of it.
    __table_args__ = ({"sqlite_with_rowid": False},)


class MailAccount(Base):
    """One mail address of a person and the server that accepted its credential."""

    __tablename__ = "mail_account"
    id: Mapped[PublicId] = mapped_column(primary_key=True)
    person_id: Mapped[PublicId] = mapped_column(ForeignKey("person.id"), index=True)
    # The normalised address; at most one *proven* row may hold it.
    address: Mapped[str] = mapped_column(String(320))
    # None while no rightful server has vouched for the address.
    proven_at: Mapped[Moment | None]
    vouched_by: Mapped[str] = mapped_column(String(16))
    # None, and so are the next three, while nobody has signed in with it.
    host: Mapped[str | None] = mapped_column(String(253))
    port: Mapped[int | None]
    security: Mapped[str | None] = mapped_column(String(8))
    username: Mapped[str | None] = mapped_column(String(320))
    # Where mail is sent, if discovery said so.
    smtp_host: Mapped[str | None] = mapped_column(String(253))
    smtp_port: Mapped[int | None]
    smtp_security: Mapped[str | None] = mapped_column(String(8))
    # When one of these settings last changed; None: never since it was added.
    settings_at: Mapped[Moment | None]
    # When its mail server last accepted the credential; None: never.
    checked_at: Mapped[Moment | None]
    # When staff last said that its owner is still the same.
    kept_at: Mapped[Moment | None]
    # When a mail to it last came back.
    bounced_at: Mapped[Moment | None]
    created_at: Mapped[Moment]

    __table_args__ = (
        UniqueConstraint("person_id", "address"),
        Index("ix_mail_account_address", "address"),
        listed("mail_account"),
        listed("mail_account", "unproven", "proven_at IS NULL"),
        listed("mail_account", "bounced", "bounced_at IS NOT NULL"),
        Index(
            "uq_mail_account_proven_address",
            "address",
            unique=True,
            sqlite_where=text("proven_at IS NOT NULL"),
            postgresql_where=text("proven_at IS NOT NULL"),
        ),
        one_of("vouched_by", VouchedBy),
    )


class AccountService(Base):
    """One service of one account: what a service UID names."""

    __tablename__ = "account_service"
    id: Mapped[PublicId] = mapped_column(primary_key=True)
    account_id: Mapped[PublicId] = mapped_column(ForeignKey("mail_account.id"), index=True)
    service: Mapped[str] = mapped_column(String(16))
    service_uid: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[Moment]

    __table_args__ = (UniqueConstraint("account_id", "service"), one_of("service", ServiceName))


class MailPin(Base):
    """The operator's word about who serves a mail domain; it goes before every discovery."""

    __tablename__ = "mail_pin"
    domain: Mapped[str] = mapped_column(String(253), primary_key=True)
    host: Mapped[str] = mapped_column(String(253))
    port: Mapped[int]
    security: Mapped[str] = mapped_column(String(8))
    username_form: Mapped[str] = mapped_column(String(16))
    credential: Mapped[str] = mapped_column(String(16))
    ca_pem: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[Moment]
