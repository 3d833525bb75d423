"""The service over both databases, and a portal over it."""

from __future__ import annotations

from tests.app.pages.conftest import bare

__all__ = ["bare"]
