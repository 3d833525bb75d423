"""What the worker says of itself."""

from __future__ import annotations

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Moment


class WorkerJob(Base):
    """When a job of the worker last ran, noted now and then, and whether it failed."""

    __tablename__ = "worker_job"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    ran_at: Mapped[Moment]
    has_failed: Mapped[bool]
