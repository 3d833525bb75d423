"""Who works in WebAdmin: staff, their second factors, sessions, links and tokens."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Blob, Moment, PublicId, one_of


class StaffRole(StrEnum):
    """What a member of staff is; ``app.permissions`` says what each may do."""

    OWNER = "owner"
    ADMINISTRATOR = "administrator"
    CUSTOMER_CARE = "customer-care"
    AUDITOR = "auditor"


class Reach(StrEnum):
    """Whom a member of staff may act on: everyone, or only the people of some groups."""

    EVERYONE = "everyone"
    GROUPS = "groups"


class StaffState(StrEnum):
    """invited (has a link) → active ⇄ disabled."""

    INVITED = "invited"
    ACTIVE = "active"
    DISABLED = "disabled"


class LinkPurpose(StrEnum):
    """Why somebody holds a one-time link."""

    FIRST = "first"
    INVITED = "invited"
    RESET = "reset"


class StaffStage(StrEnum):
    """How far a session's sign-in is; only ``full`` opens WebAdmin."""

    PASSWORD = "password"  # noqa: S105  # a stage's name
    ENROL = "enrol"
    FULL = "full"


class Staff(Base):
    """Somebody who works in WebAdmin; their own devices and keys belong to a Person elsewhere."""

    __tablename__ = "staff"
    id: Mapped[PublicId] = mapped_column(primary_key=True)
    # What they type to sign in; lower case.
    login: Mapped[str] = mapped_column(String(100), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    # Their own mail address: a person who proved it is a colleague, whom care may not touch.
    address: Mapped[str | None] = mapped_column(String(320), index=True)
    role: Mapped[str] = mapped_column(String(16))
    reach: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(10))
    # Argon2id; None until the link was followed.
    password_hash: Mapped[str | None] = mapped_column(String(200))
    password_at: Mapped[Moment | None]
    # Sealed with the `staff` key; a secret that was never confirmed has no step.
    totp_sealed: Mapped[Blob | None]
    # The last time step whose code was used: a code works once.
    totp_step: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[Moment]
    created_by: Mapped[str | None] = mapped_column(String(40))
    seen_at: Mapped[Moment | None]

    __table_args__ = (
        one_of("role", StaffRole),
        one_of("reach", Reach),
        one_of("state", StaffState),
    )


class StaffPasskey(Base):
    """One WebAuthn credential."""

    __tablename__ = "staff_passkey"
    id: Mapped[PublicId] = mapped_column(primary_key=True)
    staff_id: Mapped[PublicId] = mapped_column(ForeignKey("staff.id"), index=True)
    credential_id: Mapped[Blob] = mapped_column(unique=True)
    # The attested credential data, as WebAuthn encodes it.
    credential: Mapped[Blob]
    sign_count: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[Moment]
    used_at: Mapped[Moment | None]


class RecoveryCode(Base):
    """One of the printed codes that stand in for a lost second factor, once each."""

    __tablename__ = "recovery_code"
    id: Mapped[PublicId] = mapped_column(primary_key=True)
    staff_id: Mapped[PublicId] = mapped_column(ForeignKey("staff.id"), index=True)
    code_hash: Mapped[Blob]
    used_at: Mapped[Moment | None]


class StaffLink(Base):
    """A one-time link; who opens it chooses a password and a second factor."""

    __tablename__ = "staff_link"
    id: Mapped[PublicId] = mapped_column(primary_key=True)
    token_hash: Mapped[Blob] = mapped_column(unique=True)
    purpose: Mapped[str] = mapped_column(String(10))
    # None for the first owner, who does not exist yet.
    staff_id: Mapped[PublicId | None] = mapped_column(ForeignKey("staff.id"), index=True)
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    used_at: Mapped[Moment | None]

    __table_args__ = (one_of("purpose", LinkPurpose),)


class StaffSession(Base):
    """A session of WebAdmin: its own cookie, its own table, its own lifetime."""

    __tablename__ = "staff_session"
    id: Mapped[PublicId] = mapped_column(primary_key=True)
    token_hash: Mapped[Blob] = mapped_column(unique=True)
    # None before the password.
    staff_id: Mapped[PublicId | None] = mapped_column(ForeignKey("staff.id"), index=True)
    stage: Mapped[str] = mapped_column(String(10))
    # Small JSON: challenges, a notice, where the sign-in was going. Never a credential.
    flow: Mapped[str] = mapped_column(Text, default="{}", server_default=text("'{}'"))
    address: Mapped[str] = mapped_column(String(64))
    user_agent: Mapped[str] = mapped_column(String(256))
    created_at: Mapped[Moment]
    seen_at: Mapped[Moment]
    # When the person last showed that it is still them.
    authenticated_at: Mapped[Moment | None]
    expires_at: Mapped[Moment] = mapped_column(index=True)
    ended_at: Mapped[Moment | None]

    __table_args__ = (one_of("stage", StaffStage),)


class ApiToken(Base):
    """A token of the administration's REST API: some of its maker's permissions, for a time."""

    __tablename__ = "api_token"
    id: Mapped[PublicId] = mapped_column(primary_key=True)
    staff_id: Mapped[PublicId] = mapped_column(ForeignKey("staff.id"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    token_hash: Mapped[Blob] = mapped_column(unique=True)
    # Permissions, separated by spaces; its maker's present ones limit them further.
    scopes: Mapped[str] = mapped_column(String(400))
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    used_at: Mapped[Moment | None]
    ended_at: Mapped[Moment | None]


class ApiAnswer(Base):
    """What a request that made something was answered: the same request again gets it again."""

    __tablename__ = "api_answer"
    token_id: Mapped[PublicId] = mapped_column(ForeignKey("api_token.id"), primary_key=True)
    # As the caller chose it (Idempotency-Key).
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    # SHA-256 over method, path and body.
    request_hash: Mapped[Blob]
    # JSON.
    answer: Mapped[str] = mapped_column(Text)
    created_at: Mapped[Moment] = mapped_column(index=True)


class PersonGroup(Base):
    """A named set of people; limits whom some staff may act on."""

    __tablename__ = "person_group"
    id: Mapped[PublicId] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    created_at: Mapped[Moment]


class GroupMember(Base):
    """A person in a group."""

    __tablename__ = "group_member"
    group_id: Mapped[PublicId] = mapped_column(ForeignKey("person_group.id"), primary_key=True)
    person_id: Mapped[PublicId] = mapped_column(
        ForeignKey("person.id"), primary_key=True, index=True
    )


class StaffGroup(Base):
    """A group whose people a member of staff may act on, if their reach is ``groups``."""

    __tablename__ = "staff_group"
    staff_id: Mapped[PublicId] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    group_id: Mapped[PublicId] = mapped_column(
        ForeignKey("person_group.id"), primary_key=True, index=True
    )
