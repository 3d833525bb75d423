"""Turn checked claims into a person, a client's session and a document. No framework here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts import proof, sessions
from app.accounts.claims import Verdict
from app.accounts.mail_checks import View
from app.accounts.services import note_contested, once_more
from app.audit import Act, record
from app.database import Database
from app.models import (
    AccountService,
    Device,
    DeviceState,
    MailAccount,
    ServiceName,
    in_order,
)
from app.throttle import Throttles

ADDRESS_TAKEN: Final = "address-taken"
START_ANEW: Final = "start-anew"
TOO_MANY_ACCOUNTS: Final = "too-many-accounts"
REPEATED: Final = "repeated"


class DeviceRevokedError(Exception):
    """The person revoked this device, so its client stays out."""


@dataclass(frozen=True)
class ServiceOfAccount:
    """One service of an account of the person."""

    id: str
    service: ServiceName
    service_uid: str


@dataclass(frozen=True)
class Added:
    """What became of one accepted claim: the person's account, or why not."""

    refused: str | None = None
    proven: bool = False
    services: tuple[ServiceOfAccount, ...] = ()


@dataclass(frozen=True)
class ClientSession:
    """A client that signed in: the only time its token is known outside of the client."""

    token: str = field(repr=False)
    person_id: str
    session_id: str
    expires_at: int
    # By the address of the claim.
    added: Mapping[str, Added]


def sign_in(
    database: Database,
    verdicts: Sequence[Verdict],
    client: sessions.Client,
    device: sessions.ClientDevice,
    here: proof.Here,
    *,
    known: str | None,
) -> ClientSession | None:
    """Sign in whom the first proof shows, and add the other accepted accounts; None without one.

    ``known`` is the person who is signed in already: they get all of the accounts.
    The device's earlier session ends, since its client keeps one token. Raises
    DeviceRevokedError, PersonDisabledError or StartAnewError, and then nothing has changed.
    """
    accepted = [verdict.check for verdict in verdicts if verdict.is_accepted]
    showing = [each for each in accepted if known is not None or proof.is_proof(each)]
    if not showing:
        return None

    def work(session: Session) -> ClientSession:
        # In one order everywhere, so that two of these never wait for each other.
        for address in sorted(check.address for check in accepted):
            database.queue_for(session, address)
        person_id, first = _whom(session, showing, known, here)
        _refuse_revoked(session, person_id, device.jkt)
        added = {}
        for check in accepted:
            added[check.address] = _add(session, person_id, check, here)
            if added[check.address].proven:
                Throttles(database).forgive(session, check.address, client.address, now=here.now)
        return _start(session, person_id, first.address, client, device, here, added)

    return once_more(database, work)


def _whom(
    session: Session, showing: Sequence[View], known: str | None, here: proof.Here
) -> tuple[str, View]:
    """Return who signs in and the check that shows it, or what was wrong with the first one.

    An address that may be another's by now shows nothing by itself, but beside a second one of the
    same person it is theirs as ever.
    """
    if known is not None:
        proof.lock_enabled(session, known)
        return known, showing[0]
    asked: proof.StartAnewError | None = None
    for check in showing:
        try:
            return proof.sign_in(session, check, here), check
        except proof.StartAnewError as error:
            asked = asked or error
    raise asked or AssertionError("there is a check")


def choose(
    added: Mapping[str, Added], wanted: Mapping[str, Sequence[ServiceName] | None]
) -> dict[str, Added]:
    """Leave of each account the services that are wanted; None wants every one."""
    return {
        address: replace(
            account,
            services=tuple(
                each
                for each in account.services
                if each.service in (wanted.get(address) or ServiceName)
            ),
        )
        for address, account in added.items()
    }


def _add(session: Session, person_id: str, check: View, here: proof.Here) -> Added:
    try:
        account_id = proof.add_account(session, person_id, check, here)
    except proof.AddressTakenError:
        note_contested(session, check, here)
        return Added(refused=ADDRESS_TAKEN)
    except proof.StartAnewError:
        return Added(refused=START_ANEW)
    except proof.TooManyAccountsError:
        return Added(refused=TOO_MANY_ACCOUNTS)
    account = session.get_one(MailAccount, account_id)
    rows = session.scalars(
        select(AccountService)
        .where(AccountService.account_id == account_id)
        .order_by(in_order(AccountService.service))
    )
    services = (ServiceOfAccount(row.id, ServiceName(row.service), row.service_uid) for row in rows)
    return Added(proven=account.proven_at is not None, services=tuple(services))


def _refuse_revoked(session: Session, person_id: str, jkt: str) -> None:
    state = session.scalar(
        # Held until the token is there: a revocation comes before, or finds it to end.
        select(Device.state)
        .where(Device.person_id == person_id, Device.jkt == jkt)
        .with_for_update(read=True)
    )
    if state == DeviceState.REVOKED:
        raise DeviceRevokedError


def _start(
    session: Session,
    person_id: str,
    address: str,
    client: sessions.Client,
    device: sessions.ClientDevice,
    here: proof.Here,
    added: Mapping[str, Added],
) -> ClientSession:
    token = sessions.new_token(here.entropy)
    sessions.end_clients(session, person_id, device.jkt, now=here.now)
    row = sessions.start(
        session,
        token,
        client,
        person_id=person_id,
        now=here.now,
        lifetime=sessions.CLIENT_LIFETIME,
        entropy=here.entropy,
        device=device,
    )
    record(
        session,
        at=here.now,
        actor=f"person:{person_id}",
        act=Act.SIGNED_IN,
        subject=person_id,
        target=row.id,
        detail={"account": address, "address": client.address, "device": device.name},
    )
    return ClientSession(token, person_id, row.id, row.expires_at, added)
