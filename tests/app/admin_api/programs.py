"""Programs that call the administration's API with tokens of staff."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from app.extensions import of
from app.models import Reach, Staff, StaffRole
from app.rights import Permission, permissions_of
from app.staff.reach import Actor
from app.tokens import services as tokens
from tests.app.api.caller import Caller

REASON = "asked for by telephone"


@dataclass
class Program:
    """One program with its token."""

    app: Flask
    token: str
    token_id: str
    staff_id: str

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        """Send one request to an address of the administration's API."""
        return Caller(self.app, token=self.token).call(method, f"/admin{path}", body, **headers)


def program(
    app: Flask,
    staff_id: str,
    scopes: Sequence[Permission] | None = None,
    *,
    days: int = 90,
) -> Program:
    """Let a member of staff make a token, with everything it can have unless scopes are given."""
    here = of(app)
    with here.database.write() as session:
        row = session.get_one(Staff, staff_id)
        actor = Actor(
            f"staff:{staff_id}", permissions_of(row.role), Reach(row.reach), staff_id, row.role
        )
        made = tokens.make(
            session,
            actor,
            name="the personnel system",
            scopes=tokens.grantable(actor.permissions) if scopes is None else scopes,
            days=days,
            now=here.clock.now(),
            entropy=here.entropy,
        )
    return Program(app, made.text, made.id, staff_id)


ADA = StaffRole.ADMINISTRATOR
