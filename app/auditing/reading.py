"""What an entry says beyond its columns."""

from __future__ import annotations

import json

from app.models import AuditEntry


def detail_of(entry: AuditEntry) -> dict[str, str | int]:
    """Return the plain facts of an entry; none if it had none or they went with their person.

    That they are what the record commits to is looked at by ``app.auditing.verifying``, not here.
    """
    if entry.detail is None:
        return {}
    facts: dict[str, str | int] = json.loads(entry.detail)
    return facts
