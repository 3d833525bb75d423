"""The interface for programs of a small portal: one mailbox, one token, real documents."""

import json
from dataclasses import dataclass, field

from tests.plugin.loopback_service import Asked, Message, Service

ANN, PASSWORD = "ann@example.org", "correct horse"


@dataclass
class SmallPortal:
    """Answers as the portal does; `calls` keeps what was asked."""

    service: Service
    services: tuple[str, ...] = ("mail", "contacts")
    tokens: set[str] = field(default_factory=set)
    calls: list[Asked] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Message:
        self.calls.append(asked)
        if asked.method == "POST" and asked.path == "/api/v1/activations":
            if asked.token is not None and asked.token not in self.tokens:
                return problem(401, "sign-in-needed")
            return self._activate(json.loads(asked.body))
        if asked.method == "POST" and asked.path == "/api/v1/sessions":
            return self._sign_in(json.loads(asked.body))
        if asked.token not in self.tokens:
            return problem(401, "sign-in-needed")
        return _json(200, [])

    def _activate(self, asked: dict[str, object]) -> Message:
        outcomes = self._outcomes(asked)
        if not any(each["outcome"] == "accepted" for each in outcomes):
            return problem(403, "nobody-accepted", accounts=outcomes)
        document = self.service.issue(*self.services, jkt=_jkt(asked)).decode()
        answer = {"token": self._token(), "document": document, "accounts": outcomes}
        return _json(200, {**answer, "expires_at": 0, "activation": None})

    def _sign_in(self, asked: dict[str, object]) -> Message:
        outcomes = self._outcomes(asked)
        if outcomes[0]["outcome"] != "accepted":
            return problem(403, "nobody-accepted", accounts=outcomes)
        return _json(200, {"token": self._token(), "expires_at": 0, "accounts": outcomes})

    def _token(self) -> str:
        token = f"token-{len(self.tokens)}"
        self.tokens.add(token)
        return token

    def _outcomes(self, asked: dict[str, object]) -> list[dict[str, object]]:
        accounts = asked["accounts"]
        assert isinstance(accounts, list)
        return [_outcome(account["address"], account["password"]) for account in accounts]


def problem(status: int, code: str, **more: object) -> Message:
    """Return an error as the portal puts it."""
    body = {"code": code, "title": "It was refused.", "detail": "Do something else.", **more}
    return status, "application/problem+json", json.dumps(body).encode()


def _outcome(address: str, password: str) -> dict[str, object]:
    if (address, password) == (ANN, PASSWORD):
        return {"address": address, "outcome": "accepted", "proven": True, "services": []}
    why = {"code": "wrong-credential", "title": "Wrong password.", "detail": "Check it."}
    refused = {"address": address, "outcome": "refused", "proven": False}
    return {**refused, "services": [], "problem": why}


def _jkt(asked: dict[str, object]) -> str:
    device = asked["device"]
    assert isinstance(device, dict)
    jkt = device["jkt"]
    assert isinstance(jkt, str)
    return jkt


def _json(status: int, value: object) -> Message:
    return status, "application/json", json.dumps(value).encode()
