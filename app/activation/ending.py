"""The end of activations and of keys: nothing secret is left of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    bindparam,
    exists,
    not_,
    select,
    update,
)

from app.audit import Act, record_own
from app.models import ActivationState, GrantState, KeyState
from app.models.tables import ACTIVATION, RUN, SERVICE_GRANT, SERVICE_KEY

_IDS: Final[BindParameter[Any]] = bindparam("ids", expanding=True)
_KILL: Final = (
    update(ACTIVATION)
    .where(ACTIVATION.c.id.in_(_IDS), ACTIVATION.c.state == ActivationState.OPEN)
    .values(
        state=ActivationState.DEAD,
        prs_sealed=None,
        ended_reason=bindparam("reason"),
        successor_id=bindparam("successor"),
    )
    .returning(ACTIVATION.c.id)
)
_END_GRANTS: Final = (
    update(SERVICE_GRANT)
    .where(SERVICE_GRANT.c.activation_id.in_(_IDS), SERVICE_GRANT.c.state == GrantState.ISSUED)
    .values(state=GrantState.DEAD, password_sealed=None)
)
_END_RUNS: Final = (
    update(RUN)
    .where(RUN.c.activation_id.in_(_IDS), RUN.c.secrets_sealed.is_not(None))
    .values(secrets_sealed=None)
)
_FORGET_ANSWERS: Final = (
    update(ACTIVATION)
    .where(
        ACTIVATION.c.id.in_(_IDS),
        not_(
            exists().where(
                SERVICE_KEY.c.activation_id == ACTIVATION.c.id,
                SERVICE_KEY.c.state == KeyState.ACTIVE,
                SERVICE_KEY.c.proven_at.is_(None),
            )
        ),
    )
    .values(confirm_hash=None, complete=None)
)


@dataclass(frozen=True)
class By:
    """Who ends something of a person's and when; ``actor`` None is the person themselves.

    ``cause`` is the short word that the keys keep, ``detail`` what the audit is told beside it.
    """

    now: int
    actor: str | None = None
    cause: str = "by-owner"
    detail: Mapping[str, str | int] = field(default_factory=dict)


def kill(
    connection: Connection,
    activation_ids: Sequence[str],
    *,
    reason: str,
    successor: str | None = None,
) -> list[str]:
    """Kill those that are still open, whole, and return their ids."""
    if not activation_ids:
        return []
    parameters = {"ids": list(activation_ids), "reason": reason, "successor": successor}
    killed = list(connection.execute(_KILL, parameters).scalars())
    if killed:
        connection.execute(_END_GRANTS, {"ids": killed})
        connection.execute(_END_RUNS, {"ids": killed})
    return killed


def kill_told(
    connection: Connection, activation_ids: Sequence[str], by: By, *, reason: str
) -> list[str]:
    """Kill those that are still open, and tell the audit of each; return their ids.

    What only makes way for a newer one is killed without a word: that one is told of.
    """
    killed = kill(connection, activation_ids, reason=reason)
    if killed:
        whose = select(ACTIVATION.c.id, ACTIVATION.c.person_id).where(ACTIVATION.c.id.in_(killed))
        for row in sorted(connection.execute(whose)):
            act = Act.ACTIVATION_ENDED
            record_own(connection, act, row.person_id, row.id, by.now, by.actor, detail=by.detail)
    return killed


def forget_answers(connection: Connection, activation_ids: Iterable[str]) -> None:
    """Drop the stored answers that nobody needs any more: each of their keys is proven or over."""
    ids = sorted(set(activation_ids))
    if ids:
        connection.execute(_FORGET_ANSWERS, {"ids": ids})


def revoke_keys(
    connection: Connection, which: ColumnElement[bool], *, now: int, reason: str
) -> list[str]:
    """Revoke those that are active, and what is to replace them; return the ids of all.

    A successor that no packet has proven yet goes along: whoever revokes a key means both.
    """
    revoked = _end_keys(connection, which, KeyState.REVOKED, now=now, reason=reason)
    if not revoked:
        return []
    rotations = select(ACTIVATION.c.id).where(ACTIVATION.c.rotates_key_id.in_(revoked))
    successors = SERVICE_KEY.c.activation_id.in_(rotations) & SERVICE_KEY.c.proven_at.is_(None)
    return revoked + _end_keys(connection, successors, KeyState.REVOKED, now=now, reason=reason)


def retire_keys(
    connection: Connection, which: ColumnElement[bool], *, now: int, reason: str
) -> list[str]:
    """Retire those that are active, since a newer one is in their place; return their ids."""
    return _end_keys(connection, which, KeyState.RETIRED, now=now, reason=reason)


def _end_keys(
    connection: Connection,
    which: ColumnElement[bool],
    state: KeyState,
    *,
    now: int,
    reason: str,
) -> list[str]:
    ended = connection.execute(
        update(SERVICE_KEY)
        .where(which, SERVICE_KEY.c.state == KeyState.ACTIVE)
        .values(state=state, key_sealed=None, ended_at=now, ended_reason=reason)
        .returning(SERVICE_KEY.c.id, SERVICE_KEY.c.activation_id)
    ).all()
    if not ended:
        return []
    forget_answers(connection, (row.activation_id for row in ended))
    ids = [row.id for row in ended]
    rotations = connection.execute(
        select(ACTIVATION.c.id).where(
            ACTIVATION.c.rotates_key_id.in_(ids), ACTIVATION.c.state == ActivationState.OPEN
        )
    ).scalars()
    kill(connection, list(rotations), reason="key-ended")
    return ids
