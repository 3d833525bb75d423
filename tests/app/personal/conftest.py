"""The service over both databases, and a portal that Ann has used."""

from __future__ import annotations

from tests.app.pages.conftest import bare, lived_in

__all__ = ["bare", "lived_in"]
