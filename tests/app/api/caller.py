"""A client of the API as a server sees it: JSON, a bearer token, no cookie."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from app.accounts import sessions
from protocol.encoding import b64u
from tests.app.pages.seeded import Seeded
from tests.app.portal_fixtures import ANN, ISSUER, PASSWORDS
from tests.app.service_fixtures import Owner

PREFIX = "/api/v1"
LAPTOP = {"jkt": b64u(b"L" * 32), "name": "Ann's laptop"}
PHONE = {"jkt": b64u(b"P" * 32), "name": "Ann's phone"}


@dataclass
class Caller:
    """Calls the API, with the token of its last sign-in."""

    app: Flask
    address: str = "192.0.2.7"
    token: str | None = None
    device: dict[str, str] = field(default_factory=lambda: dict(LAPTOP))

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        """Send one request; a body of None is none."""
        more: dict[str, Any] = {}
        if body is not None:
            sent = {"Content-Type": "application/json"}
            data = body if isinstance(body, str | bytes) else json.dumps(body)
            more["data"] = data
        else:
            sent = {}
        if self.token is not None:
            sent["Authorization"] = f"Bearer {self.token}"
        return self.app.test_client(use_cookies=False).open(
            PREFIX + path,
            method=method,
            base_url=ISSUER,
            headers={**sent, **headers},
            environ_overrides={"REMOTE_ADDR": self.address},
            **more,
        )

    def sign_in(self, address: str = ANN, password: str | None = None) -> TestResponse:
        """Sign in without activating anything, and keep the token."""
        answer = self.call(
            "POST", "/sessions", {"accounts": [account(address, password)], "device": self.device}
        )
        if answer.status_code == 200:
            self.token = answer.get_json()["token"]
        return answer

    def activate(self, *accounts: dict[str, Any], ticket: str | None = None) -> TestResponse:
        """Ask for a document, and keep the token."""
        body = {
            "accounts": list(accounts or (account(),)),
            "device": self.device,
            "ticket": ticket or b64u(b"T" * 16),
        }
        answer = self.call("POST", "/activations", body)
        if answer.status_code == 200:
            self.token = answer.get_json()["token"]
        return answer


def account(address: str = ANN, password: str | None = None, **more: Any) -> dict[str, Any]:
    """Return one account of a request, by default with the right password."""
    return {
        "address": address,
        "password": PASSWORDS.get(address, "?") if password is None else password,
        **more,
    }


def client_of(seeded: Seeded, owner: Owner, jkt: str = LAPTOP["jkt"]) -> Caller:
    """Return a client in which somebody is signed in, without a mail server."""
    token = sessions.new_token(seeded.service.entropy)
    with seeded.service.database.write() as database:
        sessions.start(
            database,
            token,
            sessions.Client("192.0.2.7", "handfast"),
            person_id=owner.person_id,
            now=seeded.service.clock.now(),
            lifetime=sessions.CLIENT_LIFETIME,
            entropy=seeded.service.entropy,
            device=sessions.ClientDevice(jkt, "Laptop's client"),
        )
    return Caller(seeded.app, token=token)
