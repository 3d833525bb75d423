"""Who is looking, in the terms of Flask-Login."""

from __future__ import annotations

from dataclasses import dataclass

from flask_login import UserMixin


@dataclass(frozen=True)
class SignedIn(UserMixin):  # type: ignore[misc]  # Flask-Login has no types
    """A person who signed in, and the session they did it with."""

    id: str
    session_id: str
    roles: tuple[str, ...] = ("user",)

    @property
    def actor(self) -> str:
        """The name of the person in the audit."""
        return f"person:{self.id}"
