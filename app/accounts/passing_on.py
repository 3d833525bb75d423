"""What becomes of an address that is, or may be, somebody else's by now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts import invited, sessions
from app.accounts.ending_invitations import end_invitations
from app.accounts.posting import tell
from app.accounts.removal import record_about, remove_account
from app.audit import Act
from app.clock import DAY
from app.models import AuditEntry, InvitationState, MailAccount
from app.models.tables import INVITATION
from app.outbox.kinds import MailKind
from app.people.erasing import erase_if_empty

# After so long without a sign-in an address may have gone to somebody else.
QUIET: Final = 365 * DAY


def proven_owner(database: Session, address: str) -> MailAccount | None:
    """Return the account of whoever has proven an address."""
    return database.scalar(
        select(MailAccount).where(
            MailAccount.address == address, MailAccount.proven_at.is_not(None)
        )
    )


def is_quiet(account: MailAccount, *, now: int, quiet: int) -> bool:
    """Tell whether it is so long that an address was used that it may be another's by now."""
    seen = (account.checked_at, account.proven_at, account.kept_at)
    return now - max(moment or 0 for moment in seen) > quiet


def release(
    database: Session,
    account: MailAccount,
    *,
    now: int,
    entropy: Callable[[int], bytes],
    actor: str = "system",
    why: str | None = None,
    facts: Mapping[str, str | int] | None = None,
) -> None:
    """End what somebody had by an address that is not theirs any more, and tell them elsewhere.

    ``actor``, ``why`` and further facts for the mail are those of staff who do it.
    """
    former, address, reason = account.person_id, account.address, "released"
    record_about(database, Act.ADDRESS_RELEASED, account, account.id, actor, why or reason, now)
    remove_account(database, account, actor=actor, reason=reason, now=now, why=why)
    if not invited.is_known(database, former):
        detail = {"reason": why or reason}
        sessions.end_all(database, former, now=now, actor=actor, detail=detail)
    kind = MailKind.ADDRESS_RELEASED
    # Never at the address itself: its reader is somebody else.
    tell(database, former, kind, {"account": address, **(facts or {})}, now=now, entropy=entropy)


def note_contested(
    database: Session, address: str, *, now: int, entropy: Callable[[int], bytes]
) -> None:
    """Tell the owner of an address that somebody else can sign in to its mailbox."""
    owner = proven_owner(database, address)
    if owner is None or _is_told(database, owner, now):
        return
    act, reason = Act.ADDRESS_CONTESTED, "proven-by-another"
    record_about(database, act, owner, owner.id, "system", reason, now)
    kind = MailKind.ADDRESS_TAKEN
    tell(database, owner.person_id, kind, {"account": address}, now=now, entropy=entropy)


def _is_told(database: Session, account: MailAccount, now: int) -> bool:
    """Tell whether they were told of it lately; somebody may go on trying."""
    lately = select(AuditEntry.id).where(
        AuditEntry.target == account.id,
        AuditEntry.act == Act.ADDRESS_CONTESTED,
        AuditEntry.at > now - DAY,
    )
    return database.scalar(lately.limit(1)) is not None


def take_away_claims(
    database: Session,
    address: str,
    *,
    keeper: str,
    now: int,
    entropy: Callable[[int], bytes],
) -> None:
    """Remove what others claimed of this address without proof, now that its owner is known."""
    claims = database.scalars(
        select(MailAccount).where(
            MailAccount.address == address,
            MailAccount.person_id != keeper,
            MailAccount.proven_at.is_(None),
        )
    ).all()
    for claim in claims:
        loser, reason = claim.person_id, "proven-by-another"
        end_invitations(
            database.connection(),
            (INVITATION.c.address == address) & (INVITATION.c.person_id == loser),
            InvitationState.WITHDRAWN,
            actor="system",
            now=now,
            detail={"reason": reason},
        )
        remove_account(database, claim, actor="system", reason=reason, now=now)
        kind = MailKind.ACCOUNT_DISPLACED
        tell(database, loser, kind, {"account": address}, now=now, entropy=entropy)
        erase_if_empty(database, loser, reason=reason, now=now)
