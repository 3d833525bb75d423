"""The end of an invitation, by whatever way: one conditional change, told in the same breath."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from sqlalchemy import ColumnElement, Connection, update

from app.audit import Act, record
from app.models import InvitationState
from app.models.tables import INVITATION

ACTS: Final[Mapping[InvitationState, Act]] = MappingProxyType(
    {
        InvitationState.ACCEPTED: Act.INVITATION_ACCEPTED,
        InvitationState.WITHDRAWN: Act.INVITATION_WITHDRAWN,
        InvitationState.EXPIRED: Act.INVITATION_EXPIRED,
    }
)


def end_invitations(
    connection: Connection,
    which: ColumnElement[bool],
    state: InvitationState,
    *,
    actor: str,
    now: int,
    heir: str | None = None,
    detail: Mapping[str, str | int] | None = None,
) -> list[str]:
    """End those that are still open, each with its audit row, and return their ids.

    None of them means that somebody else was first. ``heir`` is who came where that is another
    person than the one who was invited: then the histories of both have it.
    """
    ended = connection.execute(
        update(INVITATION)
        .where(which, INVITATION.c.state == InvitationState.OPEN)
        .values(state=state, ended_at=now)
        .returning(INVITATION.c.id, INVITATION.c.person_id, INVITATION.c.address)
    ).all()
    for row in sorted(ended):
        for subject in dict.fromkeys((heir or row.person_id, row.person_id)):
            record(
                connection,
                at=now,
                actor=actor,
                act=ACTS[state],
                subject=subject,
                target=row.id,
                detail={"account": row.address, **(detail or {})},
            )
    return [row.id for row in ended]
