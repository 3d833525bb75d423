"""What the dashboard's figures and plots are made of: counts, never a person."""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Moment


class DailyCount(Base):
    """How often something happened in one day (UTC)."""

    __tablename__ = "daily_count"
    # Days since 1970.
    day: Mapped[int] = mapped_column(Integer, primary_key=True)
    what: Mapped[str] = mapped_column(String(40), primary_key=True)
    label: Mapped[str] = mapped_column(String(100), primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)


class PresentCount(Base):
    """How many there are of something, as of the last time that they were counted."""

    __tablename__ = "present_count"
    what: Mapped[str] = mapped_column(String(40), primary_key=True)
    label: Mapped[str] = mapped_column(String(100), primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)


class CountingState(Base):
    """How far the worker has counted: one row, changed together with the counts."""

    __tablename__ = "counting_state"
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    # The last link of the audit's chain whose entry is in the daily counts.
    position: Mapped[int] = mapped_column(BigInteger)
    # When the worker last looked, whether there was anything to count or not.
    looked_at: Mapped[Moment]
    # When the present counts were made; None: never.
    present_at: Mapped[Moment | None]
