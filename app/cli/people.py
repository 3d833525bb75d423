"""How the commands find the mail account and the services that an operator names."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.activation.services import ensure_services
from app.cli.console import Operator, OperatorError
from app.mailservers.address import AddressError, parse
from app.models import AccountService, MailAccount


def find_account(session: Session, address: str) -> MailAccount:
    """Return the account with this address: the proven one, or the only one."""
    try:
        normalised = parse(address).text
    except AddressError as error:
        raise OperatorError(
            f"{address!r} is not a mail address", "give it like ann@example.org"
        ) from error
    query = select(MailAccount).where(MailAccount.address == normalised)
    found = session.scalars(query).all()
    proven = [account for account in found if account.proven_at is not None]
    if len(proven) == 1:
        return proven[0]
    if len(found) != 1:
        raise OperatorError(
            f"nobody has signed in with {normalised}"
            if not found
            else f"several people hold {normalised}, and none has proven it",
            "its owner signs in to the portal once; then run the same command again",
        )
    return found[0]


def find_services(
    here: Operator, session: Session, account: MailAccount, names: Sequence[str]
) -> list[str]:
    """Return the ids of the account's services with these names; none named means every one."""
    ensure_services(
        session,
        account.id,
        shard=here.config.shard,
        now=here.clock.now(),
        entropy=here.entropy,
    )
    query = select(AccountService).where(AccountService.account_id == account.id)
    services = sorted(session.scalars(query), key=lambda one: one.service)
    return [one.id for one in services if not names or one.service in names]
