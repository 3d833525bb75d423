"""Server-side sessions, mail checks under way, and throttles."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import ForeignKey, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Blob, Moment, PublicId, listed


class SessionKind(StrEnum):
    """How the holder of a session shows its token: as a cookie, or as a bearer token."""

    BROWSER = "browser"
    CLIENT = "client"


class WebSession(Base):
    """A session of a browser or a client, who hold a random token; the row holds its hash."""

    __tablename__ = "web_session"
    id: Mapped[PublicId] = mapped_column(primary_key=True)
    token_hash: Mapped[Blob] = mapped_column(unique=True)
    # None before sign-in; a new row with a new token replaces it at sign-in.
    person_id: Mapped[PublicId | None] = mapped_column(ForeignKey("person.id"), index=True)
    # Small JSON: where the sign-in stands. Never a credential.
    flow: Mapped[str] = mapped_column(Text, default="{}")
    address: Mapped[str] = mapped_column(String(64))
    user_agent: Mapped[str] = mapped_column(String(256))
    created_at: Mapped[Moment]
    seen_at: Mapped[Moment]
    expires_at: Mapped[Moment] = mapped_column(index=True)
    ended_at: Mapped[Moment | None]
    kind: Mapped[str] = mapped_column(
        String(8), default=SessionKind.BROWSER, server_default=text("'browser'")
    )
    # The identity key's thumbprint of the device whose client this is; ends when it is revoked.
    device_jkt: Mapped[str | None] = mapped_column(String(43))

    __table_args__ = (
        listed("web_session", "living", "person_id IS NOT NULL AND ended_at IS NULL"),
    )


class MailCheck(Base):
    """A credential check under way: its stage and outcome, never the credential."""

    __tablename__ = "mail_check"
    id: Mapped[PublicId] = mapped_column(primary_key=True)
    session_id: Mapped[PublicId] = mapped_column(
        ForeignKey("web_session.id", ondelete="CASCADE"), index=True
    )
    address: Mapped[str] = mapped_column(String(320))
    # Canonical JSON of the discovered mail server.
    server: Mapped[str] = mapped_column(Text)
    stage: Mapped[str] = mapped_column(String(24))
    outcome: Mapped[str | None] = mapped_column(String(32))
    detail: Mapped[str | None] = mapped_column(String(200))
    used_at: Mapped[Moment | None]
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment] = mapped_column(index=True)


class Throttle(Base):
    """A counter for one bucket (an address, an account, an act) in one window."""

    __tablename__ = "throttle"
    bucket: Mapped[str] = mapped_column(String(120), primary_key=True)
    count: Mapped[int]
    resets_at: Mapped[Moment] = mapped_column(index=True)
