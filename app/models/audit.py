"""The audit: what happened, to whom, by whom; written with the act itself."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Blob, Moment


class AuditEntry(Base):
    """One act. ``record`` holds the canonical bytes; the columns are there for searching."""

    __tablename__ = "audit"
    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    at: Mapped[Moment]
    # "person:ID", "device:ID", "operator" or "system".
    actor: Mapped[str] = mapped_column(String(40))
    act: Mapped[str] = mapped_column(String(40))
    # The person whom it concerns and who may read it; None for acts on the installation.
    subject_id: Mapped[str | None] = mapped_column(String(22))
    # The opaque id of the thing acted on.
    target: Mapped[str | None] = mapped_column(String(64))
    record: Mapped[Blob]

    __table_args__ = (Index("ix_audit_subject_id_at", "subject_id", "at"),)
