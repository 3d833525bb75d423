"""What people have, and by what lists of it can be filtered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, exists, or_

from app.accounts.sessions import IDLE
from app.activation.confirmation import UNCONFIRMED, overdue
from app.activation.status import is_awaited
from app.models import (
    Activation,
    ActivationState,
    Device,
    DeviceState,
    KeyState,
    MailAccount,
    ServiceKey,
    SessionKind,
    WebSession,
)
from app.people.paging import Order

Condition = Callable[[int], ColumnElement[bool]]


@dataclass(frozen=True)
class Subject:
    """One kind of thing that people have."""

    table: Any
    # By the name of a filter: what is so of the things it leaves over, at a moment.
    states: Mapping[str, Condition]
    # Those filters of which an index has the things, and what that index is about.
    indexed: Mapping[str, Condition] = field(default_factory=dict)
    # What is so of everything in the list.
    always: Condition | None = None

    def orders(self, state: str, now: int) -> tuple[Order, ...]:
        """Return the ways through the list, the best one first."""
        table = self.table
        newest = Order("newest", table.created_at, table.id, table.person_id, table.id)
        if state not in self.indexed:
            return (newest,)
        index = Order(
            state or "listed",
            table.created_at,
            table.id,
            table.person_id,
            table.id,
            where=(self.indexed[state](now),),
        )
        return index, newest

    def tests(self, state: str, now: int) -> tuple[ColumnElement[bool], ...]:
        """Return what is so of the things that a filter leaves over."""
        conditions = (self.always, self.states.get(state))
        return tuple(condition(now) for condition in conditions if condition is not None)


ACCOUNTS: Final = Subject(
    MailAccount,
    states={
        "proven": lambda _: MailAccount.proven_at.is_not(None),
        "unproven": lambda _: MailAccount.proven_at.is_(None),
        "bounced": lambda _: MailAccount.bounced_at.is_not(None),
    },
    indexed={
        "unproven": lambda _: MailAccount.proven_at.is_(None),
        "bounced": lambda _: MailAccount.bounced_at.is_not(None),
    },
)
DEVICES: Final = Subject(
    Device,
    states={
        "active": lambda now: and_(Device.state == DeviceState.ACTIVE, ~overdue(now)),
        "unconfirmed": lambda now: and_(
            Device.state == DeviceState.ACTIVE, UNCONFIRMED, Device.confirm_by > now
        ),
        "revoked": lambda _: Device.state == DeviceState.REVOKED,
        "wiping": lambda _: and_(Device.wipe_asked_at.is_not(None), Device.wiped_at.is_(None)),
        "wiped": lambda _: Device.wiped_at.is_not(None),
    },
)
ACTIVATIONS: Final = Subject(
    Activation,
    states={
        "waiting": lambda now: is_awaited(Activation, now),
        "used": lambda _: Activation.state == ActivationState.REDEEMED,
        "ended": lambda now: or_(
            Activation.state == ActivationState.DEAD,
            and_(Activation.state == ActivationState.OPEN, Activation.expires_at <= now),
        ),
        "code": lambda _: Activation.handle.is_not(None),
    },
    indexed={
        "waiting": lambda _: and_(
            Activation.state == ActivationState.OPEN, Activation.rotates_key_id.is_(None)
        ),
    },
    # A key that is replaced is told on its own page.
    always=lambda _: Activation.rotates_key_id.is_(None),
)
KEYS: Final = Subject(
    ServiceKey,
    states={
        "active": lambda now: and_(ServiceKey.state == KeyState.ACTIVE, _is_answered(now)),
        "unproven": lambda now: and_(
            ServiceKey.state == KeyState.ACTIVE, ServiceKey.proven_at.is_(None), _is_answered(now)
        ),
        "due": lambda now: and_(
            ServiceKey.state == KeyState.ACTIVE, ServiceKey.rotate_at <= now, _is_answered(now)
        ),
        "retired": lambda _: ServiceKey.state == KeyState.RETIRED,
        "revoked": lambda now: or_(ServiceKey.state == KeyState.REVOKED, ~_is_answered(now)),
    },
)
SESSIONS: Final = Subject(
    WebSession,
    states={
        "browser": lambda _: WebSession.kind == SessionKind.BROWSER,
        "client": lambda _: WebSession.kind == SessionKind.CLIENT,
    },
    indexed={
        state: lambda _: and_(WebSession.person_id.is_not(None), WebSession.ended_at.is_(None))
        for state in ("", "browser", "client")
    },
    always=lambda now: and_(
        WebSession.ended_at.is_(None),
        WebSession.expires_at > now,
        or_(WebSession.kind == SessionKind.CLIENT, WebSession.seen_at > now - IDLE),
    ),
)


def _is_answered(now: int) -> ColumnElement[bool]:
    """Return the condition on a key that its device did not go unconfirmed for too long."""
    return ~exists().where(Device.id == ServiceKey.device_id, overdue(now))
