"""What staff set up for people: invitations, imports, mail to them, challenges."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Blob, Moment, PublicId, listed, one_of

_OPEN: Final = text("state = 'open'")
_WAITING: Final = text("state = 'waiting'")
_LOST: Final = text("state IN ('failed', 'bounced')")


class InvitationState(StrEnum):
    """open → accepted (they signed in, or used a code) | withdrawn | expired."""

    OPEN = "open"
    ACCEPTED = "accepted"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class Invitation(Base):
    """A mail address that staff set up before its owner came; at most one open one each."""

    __tablename__ = "invitation"
    id: Mapped[PublicId] = mapped_column(primary_key=True)
    person_id: Mapped[PublicId] = mapped_column(ForeignKey("person.id"), index=True)
    address: Mapped[str] = mapped_column(String(320))
    # The names of the services, separated by spaces.
    services: Mapped[str] = mapped_column(String(100))
    state: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str] = mapped_column(String(200))
    # "staff:ID", or "token:ID" for the API.
    invited_by: Mapped[str] = mapped_column(String(40))
    import_id: Mapped[PublicId | None] = mapped_column(ForeignKey("import_job.id"), index=True)
    # The account that goes once this address is proven: a person's address has changed.
    replaces_id: Mapped[PublicId | None]
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    ended_at: Mapped[Moment | None]

    __table_args__ = (
        one_of("state", InvitationState),
        Index(
            "uq_invitation_open_address",
            "address",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        listed("invitation", "open", "state = 'open'"),
        Index("ix_invitation_open", "expires_at", sqlite_where=_OPEN, postgresql_where=_OPEN),
    )


class MailState(StrEnum):
    """waiting → sent → bounced | failed (refused, or given up)."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"
    BOUNCED = "bounced"


class OutgoingMail(Base):
    """One mail to a person: written with the act that it tells of, sent by the worker."""

    __tablename__ = "outgoing_mail"
    id: Mapped[PublicId] = mapped_column(primary_key=True)
    person_id: Mapped[PublicId | None] = mapped_column(ForeignKey("person.id"), index=True)
    address: Mapped[str] = mapped_column(String(320))
    kind: Mapped[str] = mapped_column(String(32))
    # None: the person's own.
    language: Mapped[str | None] = mapped_column(String(16))
    # Plain facts for the text, as JSON; never a secret.
    facts: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(10))
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[Moment]
    next_at: Mapped[Moment]
    ended_at: Mapped[Moment | None]
    # What the mail server said, for staff.
    failure: Mapped[str | None] = mapped_column(String(200))

    __table_args__ = (
        one_of("state", MailState),
        Index(
            "ix_outgoing_mail_waiting", "next_at", sqlite_where=_WAITING, postgresql_where=_WAITING
        ),
        Index("ix_outgoing_mail_ended_at", "ended_at", "state"),
        Index("ix_outgoing_mail_lost", "ended_at", sqlite_where=_LOST, postgresql_where=_LOST),
    )


class MailChallenge(Base):
    """A one-time secret that only the mailbox's reader can know; proves an unproven account."""

    __tablename__ = "mail_challenge"
    id: Mapped[PublicId] = mapped_column(primary_key=True)
    person_id: Mapped[PublicId] = mapped_column(ForeignKey("person.id"), index=True)
    account_id: Mapped[PublicId] = mapped_column(ForeignKey("mail_account.id"), index=True)
    # None until the mail with the secret goes out.
    token_hash: Mapped[Blob | None]
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    used_at: Mapped[Moment | None]


class ImportState(StrEnum):
    """checking → checked → importing → (stocking →) done; or refused | cancelled | failed."""

    CHECKING = "checking"
    CHECKED = "checked"
    IMPORTING = "importing"
    STOCKING = "stocking"
    DONE = "done"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    FAILED = "failed"


class ImportJob(Base):
    """A list of people to invite: checked line by line, then taken whole or not at all."""

    __tablename__ = "import_job"
    id: Mapped[PublicId] = mapped_column(primary_key=True)
    # "staff:ID" or "token:ID".
    made_by: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str] = mapped_column(String(200))
    # Passwords to make ahead for each service of each line.
    stock: Mapped[int] = mapped_column(default=0)
    # A program's list: it is taken as soon as it is found to have no problem.
    is_taken_at_once: Mapped[bool] = mapped_column(default=False)
    lines: Mapped[int]
    # How many lines the present state is through with, and the last thing it dealt with.
    done: Mapped[int] = mapped_column(default=0)
    cursor: Mapped[PublicId | None]
    # How many lines have one.
    problems: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[Moment]
    ended_at: Mapped[Moment | None]
    failure: Mapped[str | None] = mapped_column(String(200))

    __table_args__ = (one_of("state", ImportState), Index("ix_import_job_created_at", "created_at"))


class ImportLine(Base):
    """One line of such a list, as it came, and what is wrong with it."""

    __tablename__ = "import_line"
    job_id: Mapped[PublicId] = mapped_column(ForeignKey("import_job.id"), primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True)
    address: Mapped[str] = mapped_column(String(320))
    name: Mapped[str] = mapped_column(String(100))
    services: Mapped[str] = mapped_column(String(100))
    groups: Mapped[str] = mapped_column(Text)
    language: Mapped[str | None] = mapped_column(String(16))
    # The address in its normal form; None until it was checked, and where it is none.
    normal: Mapped[str | None] = mapped_column(String(320))
    # One in each line of text, as app.bulk.problems spells them.
    problem: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        Index("ix_import_line_job_id_normal", "job_id", "normal"),
        Index(
            "ix_import_line_problem",
            "job_id",
            "line",
            sqlite_where=text("problem IS NOT NULL"),
            postgresql_where=text("problem IS NOT NULL"),
        ),
    )
