"""Devices and keys of one person. Nothing here answers for somebody else's. No framework here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.activation.confirmation import is_overdue
from app.models import (
    AccountService,
    Activation,
    Device,
    DeviceState,
    KeyState,
    MailAccount,
    ServiceKey,
    in_order,
)
from protocol.words import words

# A person with more keys than this sees the newest ones.
MOST_KEYS: Final = 500


@dataclass(frozen=True)
class KeyView:
    """One key as its owner sees it; the key itself stays sealed."""

    id: str
    device_id: str
    device_name: str
    device_seen_at: int
    account_id: str
    address: str
    service: str
    words: tuple[str, ...]
    state: str
    created_at: int
    proven_at: int | None
    rotate_at: int | None
    ended_at: int | None
    ended_reason: str | None
    activation_id: str
    # The key that this one replaces, if it came by a rotation.
    replaces: str | None

    @property
    def is_active(self) -> bool:
        """Whether the service still accepts this key."""
        return self.state == KeyState.ACTIVE


@dataclass(frozen=True)
class DeviceView:
    """One device and its keys, the active ones first."""

    id: str
    name: str
    platform: str
    handler: str
    jkt: str
    state: str
    created_at: int
    seen_at: int
    revoked_at: int | None
    confirmed_at: int | None
    confirm_by: int | None
    # When it was told to remove its keys, and when it said that it had.
    wipe_asked_at: int | None
    wiped_at: int | None
    keys: tuple[KeyView, ...]

    @property
    def is_active(self) -> bool:
        """Whether the device may hold keys."""
        return self.state == DeviceState.ACTIVE

    @property
    def has_reported(self) -> bool:
        """Whether it has come back after it was activated."""
        return any(key.proven_at is not None for key in self.keys)

    @property
    def active_keys(self) -> tuple[KeyView, ...]:
        """Return the keys that work now."""
        return tuple(key for key in self.keys if key.is_active)

    @property
    def ended_keys(self) -> tuple[KeyView, ...]:
        """Return the keys that work no more."""
        return tuple(key for key in self.keys if not key.is_active)


def list_devices(session: Session, person_id: str, *, now: int) -> list[DeviceView]:
    """Return the person's devices: active ones first, the most recently seen on top."""
    devices = session.scalars(
        select(Device)
        .where(Device.person_id == person_id)
        .order_by(Device.state, Device.seen_at.desc(), Device.id)
    ).all()
    keys: dict[str, list[KeyView]] = defaultdict(list)
    for key in list_keys(session, person_id, now=now):
        keys[key.device_id].append(key)
    return [_device_view(device, keys[device.id]) for device in devices]


def find_device(session: Session, person_id: str, device_id: str, *, now: int) -> DeviceView | None:
    """Return one device of this person, or None when it is missing or somebody else's."""
    device = session.scalar(
        select(Device).where(Device.id == device_id, Device.person_id == person_id)
    )
    if device is None:
        return None
    rows = session.execute(_keys_of(person_id).where(ServiceKey.device_id == device_id))
    return _device_view(device, [_key_view(*row, now=now) for row in rows])


def list_keys(session: Session, person_id: str, *, now: int) -> list[KeyView]:
    """Return the person's keys, the active ones first, the newest on top."""
    return [_key_view(*row, now=now) for row in session.execute(_keys_of(person_id))]


def find_key(session: Session, person_id: str, key_id: str, *, now: int) -> KeyView | None:
    """Return one key of this person, or None when it is missing or somebody else's."""
    row = session.execute(_keys_of(person_id).where(ServiceKey.id == key_id)).first()
    return None if row is None else _key_view(*row, now=now)


def find_successor(session: Session, key: KeyView) -> str | None:
    """Return the id of the key that a rotation made in place of this one, if any."""
    return session.scalar(
        select(ServiceKey.id)
        .join(Activation, Activation.id == ServiceKey.activation_id)
        .where(Activation.rotates_key_id == key.id)
        .order_by(ServiceKey.created_at.desc())
        .limit(1)
    )


def _keys_of(person_id: str) -> Select[ServiceKey, Device, str, str, str, str | None]:
    return (
        select(
            ServiceKey,
            Device,
            MailAccount.id,
            MailAccount.address,
            AccountService.service,
            Activation.rotates_key_id,
        )
        .join(Activation, Activation.id == ServiceKey.activation_id)
        .join(Device, Device.id == ServiceKey.device_id)
        .join(AccountService, AccountService.id == ServiceKey.account_service_id)
        .join(MailAccount, MailAccount.id == AccountService.account_id)
        .where(ServiceKey.person_id == person_id)
        .order_by(
            ServiceKey.state,
            ServiceKey.created_at.desc(),
            in_order(AccountService.service),
            ServiceKey.id,
        )
        .limit(MOST_KEYS)
    )


def _key_view(
    key: ServiceKey,
    device: Device,
    account_id: str,
    address: str,
    service: str,
    replaces: str | None,
    *,
    now: int,
) -> KeyView:
    # No packet under such a key is taken any more, though nobody tidied up yet.
    over = key.state == KeyState.ACTIVE and is_overdue(device.confirmed_at, device.confirm_by, now)
    return KeyView(
        id=key.id,
        device_id=key.device_id,
        device_name=device.name,
        device_seen_at=device.seen_at,
        account_id=account_id,
        address=address,
        service=service,
        words=words(key.fingerprint),
        state=KeyState.REVOKED if over else KeyState(key.state),
        created_at=key.created_at,
        proven_at=key.proven_at,
        rotate_at=key.rotate_at,
        ended_at=device.confirm_by if over else key.ended_at,
        ended_reason="unconfirmed" if over else key.ended_reason,
        activation_id=key.activation_id,
        replaces=replaces,
    )


def _device_view(device: Device, keys: Sequence[KeyView]) -> DeviceView:
    return DeviceView(
        id=device.id,
        name=device.name,
        platform=device.platform,
        handler=device.handler,
        jkt=device.jkt,
        state=device.state,
        created_at=device.created_at,
        seen_at=device.seen_at,
        revoked_at=device.revoked_at,
        confirmed_at=device.confirmed_at,
        confirm_by=device.confirm_by,
        wipe_asked_at=device.wipe_asked_at,
        wiped_at=device.wiped_at,
        keys=tuple(keys),
    )
