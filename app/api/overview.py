"""What a person has, as the API tells it. No framework here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import Connection, Row, Select, and_, not_, or_, select
from sqlalchemy.orm import Session

from app.activation.confirmation import overdue
from app.activation.overview import REPLACED
from app.activation.status import Stage, stage_of
from app.api.messages import (
    AccountServiceView,
    AccountView,
    ActivationView,
    DeviceName,
    DeviceView,
    GrantView,
    KeyView,
)
from app.clock import seconds
from app.devices import services as devices
from app.home import services as home
from app.models import (
    AccountService,
    Activation,
    ActivationState,
    Device,
    DeviceState,
    KeyState,
    MailAccount,
    ServiceGrant,
    ServiceKey,
    ServiceName,
    WebSession,
    in_order,
)
from protocol.words import words


class UnknownCursorError(Exception):
    """The cursor names nothing of this person's."""


def list_accounts(session: Session, person_id: str, *, now: int) -> list[AccountView]:
    """Return the person's mail accounts, the proven ones first."""
    rows = session.execute(
        select(AccountService.account_id, AccountService.service, AccountService.service_uid)
        .join(MailAccount, MailAccount.id == AccountService.account_id)
        .where(MailAccount.person_id == person_id)
    )
    uids = {(account, service): uid for account, service, uid in rows}
    return [
        AccountView(
            account.id,
            account.address,
            account.is_proven,
            account.server,
            [
                AccountServiceView(
                    each.service, uids[account.id, each.service], each.devices, each.waiting
                )
                for each in account.services
                if (account.id, each.service) in uids
            ],
        )
        for account in home.list_accounts(session, person_id, now=now)
    ]


def list_keys(session: Session, person_id: str, *, now: int) -> list[KeyView]:
    """Return the person's keys, the active ones first, the newest on top."""
    return [_key(key) for key in devices.list_keys(session, person_id, now=now)]


def find_key(session: Session, person_id: str, key_id: str, *, now: int) -> KeyView | None:
    """Return one key of this person, or None when it is missing or somebody else's."""
    key = devices.find_key(session, person_id, key_id, now=now)
    return None if key is None else _key(key)


def list_devices(session: Session, person_id: str, *, now: int) -> list[DeviceView]:
    """Return the person's devices: active ones first, the most recently seen on top."""
    return [_device(device) for device in devices.list_devices(session, person_id, now=now)]


def find_device(session: Session, person_id: str, device_id: str, *, now: int) -> DeviceView | None:
    """Return one device of this person, or None when it is missing or somebody else's."""
    device = devices.find_device(session, person_id, device_id, now=now)
    return None if device is None else _device(device)


def list_activations(
    session: Session, person_id: str, *, after: str | None, limit: int, now: int
) -> list[ActivationView]:
    """Return the person's activations after a cursor, the newest first."""
    query = _activations(person_id).where(
        Activation.ended_reason.is_(None) | Activation.ended_reason.not_in(REPLACED)
    )
    if after is not None:
        begin = session.execute(_activations(person_id).where(Activation.id == after)).first()
        if begin is None:
            raise UnknownCursorError
        at = begin[0].created_at
        query = query.where(
            or_(
                Activation.created_at < at,
                and_(Activation.created_at == at, Activation.id > after),
            )
        )
    return _told(session, session.execute(query.limit(limit)).all(), now)


def find_activation(
    session: Session, person_id: str, activation_id: str, *, now: int
) -> ActivationView | None:
    """Return one activation of this person, or what it was reissued as; None if not theirs."""
    row = newest(session, person_id, activation_id)
    return None if row is None else _told(session, [row], now)[0]


def newest(session: Session, person_id: str, activation_id: str) -> Row[Activation, str] | None:
    """Return an activation, or its latest reissue, with its device's name; None if not theirs."""
    mine = _activations(person_id)
    asked = session.execute(mine.where(Activation.id == activation_id)).first()
    if asked is None:
        return None
    return session.execute(
        # All reissues of one activation share its ticket.
        mine.where(Activation.ticket == asked[0].ticket)
        .order_by(None)
        # A reissue at the very same moment is told from its predecessor by having no successor.
        .order_by(Activation.created_at.desc(), Activation.successor_id.is_not(None))
        .limit(1)
    ).first()


def keys_of_client(connection: Connection, session_id: str, *, now: int) -> dict[str, str]:
    """Return the active keys of the device whose client this session is, by service UID."""
    rows = connection.execute(
        select(AccountService.service_uid, ServiceKey.id)
        .join(ServiceKey, ServiceKey.account_service_id == AccountService.id)
        .join(Device, Device.id == ServiceKey.device_id)
        .join(
            WebSession,
            and_(WebSession.person_id == Device.person_id, WebSession.device_jkt == Device.jkt),
        )
        .where(
            WebSession.id == session_id,
            ServiceKey.state == KeyState.ACTIVE,
            not_(overdue(now)),
        )
        # A newer key replaces an older one as soon as it is used, so the newest counts.
        .order_by(ServiceKey.created_at)
    )
    return {row.service_uid: row.id for row in rows}


def service_ids(session: Session, activation_id: str) -> list[str]:
    """Return the services of an activation, in its order."""
    return list(
        session.scalars(
            select(ServiceGrant.account_service_id)
            .where(ServiceGrant.activation_id == activation_id)
            .order_by(ServiceGrant.position)
        )
    )


def _activations(person_id: str) -> Select[Activation, str]:
    return (
        select(Activation, Device.name)
        .outerjoin(Device, Device.id == Activation.device_id)
        .where(Activation.person_id == person_id, Activation.rotates_key_id.is_(None))
        .order_by(Activation.created_at.desc(), Activation.id)
    )


def _told(session: Session, rows: Sequence[Row[Activation, str]], now: int) -> list[ActivationView]:
    ids = [row[0].id for row in rows]
    grants, fingerprints = _grants(session, ids), _words(session, ids)
    return [
        ActivationView(
            id=row.id,
            state=ActivationState(row.state),
            stage=Stage(stage_of(row, now)),
            services=grants[row.id],
            created_at=seconds(row.created_at),
            expires_at=seconds(row.document_expires_at or row.expires_at),
            device=name,
            words=fingerprints[row.id] if row.state == ActivationState.REDEEMED else [],
        )
        for row, name in rows
    ]


def _grants(session: Session, ids: Sequence[str]) -> dict[str, list[GrantView]]:
    rows = session.execute(
        select(ServiceGrant.activation_id, MailAccount.address, AccountService.service)
        .join(AccountService, AccountService.id == ServiceGrant.account_service_id)
        .join(MailAccount, MailAccount.id == AccountService.account_id)
        .where(ServiceGrant.activation_id.in_(ids))
        .order_by(ServiceGrant.position)
    )
    grants: dict[str, list[GrantView]] = defaultdict(list)
    for activation_id, address, service in rows:
        grants[str(activation_id)].append(GrantView(address, ServiceName(service)))
    return grants


def _words(session: Session, ids: Sequence[str]) -> dict[str, list[list[str]]]:
    rows = session.execute(
        select(ServiceKey.activation_id, AccountService.service, ServiceKey.fingerprint)
        .join(AccountService, AccountService.id == ServiceKey.account_service_id)
        .where(ServiceKey.activation_id.in_(ids))
        .order_by(AccountService.account_id, in_order(AccountService.service))
    )
    found: dict[str, list[list[str]]] = defaultdict(list)
    for activation_id, service, fingerprint in rows:
        found[activation_id].append([service, *words(fingerprint)])
    return found


def _key(key: devices.KeyView) -> KeyView:
    return KeyView(
        id=key.id,
        device=DeviceName(key.device_id, key.device_name),
        account=key.address,
        service=ServiceName(key.service),
        words=list(key.words),
        state=KeyState(key.state),
        activation=key.activation_id,
        created_at=seconds(key.created_at),
        proven_at=_seconds(key.proven_at),
        rotate_at=_seconds(key.rotate_at),
        ended_at=_seconds(key.ended_at),
    )


def _device(device: devices.DeviceView) -> DeviceView:
    return DeviceView(
        id=device.id,
        jkt=device.jkt,
        name=device.name,
        platform=device.platform,
        handler=device.handler,
        state=DeviceState(device.state),
        keys=len(device.active_keys),
        created_at=seconds(device.created_at),
        seen_at=seconds(device.seen_at),
        revoked_at=_seconds(device.revoked_at),
        confirmed_at=_seconds(device.confirmed_at),
        confirm_by=_seconds(device.confirm_by),
    )


def _seconds(moment: int | None) -> int | None:
    return None if moment is None else seconds(moment)
