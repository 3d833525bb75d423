"""The API as a whole: its operations, their description for programs, and the page for people."""

from __future__ import annotations

from typing import Final

from app.api import activation_views, own_views, requests, sign_in_views
from app.api.operations import api

PARTS: Final = (requests, sign_in_views, activation_views, own_views)

__all__ = ["PARTS", "api"]
