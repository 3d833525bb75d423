"""A portal over a service."""

from __future__ import annotations

from tests.app.pages.conftest import bare, lived_in

__all__ = ["bare", "lived_in"]
