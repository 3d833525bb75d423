"""The end of activations: nothing secret is left of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import BindParameter, Connection, bindparam, exists, not_, update

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
            )
        ),
    )
    .values(confirm_hash=None, complete=None)
)


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


def forget_answers(connection: Connection, activation_ids: Iterable[str]) -> None:
    """Drop the stored answers that nobody needs any more, since none of their keys is active."""
    ids = sorted(set(activation_ids))
    if ids:
        connection.execute(_FORGET_ANSWERS, {"ids": ids})
