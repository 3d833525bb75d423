"""Typed codes as tests make and type them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

import pytest

from app.activation.codes import MadeCode, make_code
from app.models import Activation
from protocol.codes import Code, read_code
from protocol.errors import ErrorCode, RemoteProtocolError
from protocol.handshake import Context, DeviceDescription, Initiator, Pending, code_prs
from tests.app.service_fixtures import ADDRESS, Entropy, Handset, Owner, Service

WRONG = "0000000"
# What a browser says of a form that a person sent.
PRESS = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
RUN_NUMBERS = count()


@dataclass
class Typing:
    """One run of a device on which somebody typed something."""

    handset: Handset
    initiator: Initiator
    init: bytes

    def pending(self, reply: bytes) -> Pending:
        return self.initiator.receive_reply(
            reply,
            identity=self.handset.identity,
            device=DeviceDescription(self.handset.name, "Debian 12", "handfast 0.1"),
        )


def made(
    service: Service, owner: Owner | None = None, *services: str, made_by: str | None = None
) -> MadeCode:
    owner = owner or service.ann
    with service.database.write_connection() as connection:
        return make_code(
            connection,
            person_id=owner.person_id,
            account_service_ids=[owner.services[name] for name in services or ("mail",)],
            made_by=made_by,
            now=service.clock.now(),
            entropy=service.entropy,
            keys=service.keys,
            config=service.config,
        )


def typed(
    service: Service, code: str | Code, *, handset: Handset | None = None, secret: str | None = None
) -> Typing:
    """Somebody types a code, or its handle with another secret."""
    code = read_code(code) if isinstance(code, str) else code
    handset = handset or service.handset()
    initiator = Initiator(
        Context(service.config.issuer, code.handle, kind="code"),
        code_prs(service.config.issuer, secret or code.secret),
        exchange_keys=service.key_set().exchange_keys(service.config.exchange_url),
        # Another nonce each time: the same init again would be no run of its own.
        entropy=Entropy(f"run {next(RUN_NUMBERS)}"),
    )
    return Typing(handset, initiator, initiator.init())


def confirmed(service: Service, run: Typing) -> bytes:
    pending = run.pending(service.exchange.init(run.init, address=ADDRESS))
    return service.exchange.confirm(pending.confirm, address=ADDRESS)


def refused(act: Callable[[], object]) -> ErrorCode:
    with pytest.raises(RemoteProtocolError) as refusal:
        act()
    return refusal.value.code


def row_of(service: Service, code: MadeCode) -> Activation:
    with service.database.read() as session:
        found = session.get(Activation, code.activation_id)
        assert found is not None
        session.expunge(found)
        return found
