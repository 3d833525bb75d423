"""The one transaction that turns a confirmed run into keys; docs/protocol.md, service, confirm."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, insert

from app.accounts.posting import post_address
from app.activation.codes import follow_use
from app.activation.confirmation import expire_unconfirmed
from app.activation.rotation import time_to_rotate
from app.audit import Act, record
from app.clock import HOUR
from app.crashpoints import crashpoint
from app.exchange import statements
from app.keystore.places import key_place
from app.models import DeviceState, KeyState, OutgoingMail, new_id
from app.outbox.kinds import MailKind
from app.outbox.services import new_mail
from protocol.handshake import DeviceClaim, GrantName, RunSecrets, SessionKey, complete

if TYPE_CHECKING:
    from app.config import ExchangeConfig
    from app.database import Database
    from app.keystore.sealing import Sealer


# Letters and symbols by category that are drawn as nothing.
BLANK: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0\u17b4\u17b5")


class LostRaceError(Exception):
    """Another request changed the activation between our look and our write."""


class RevokedDeviceError(Exception):
    """The owner revoked this device."""


class EndedKeyError(Exception):
    """The key that a rotation was to replace is no longer active."""


@dataclass(frozen=True)
class Redemption:
    """One accepted confirm: who claims which activation, from where, and the run's secrets."""

    activation_id: str
    person_id: str
    # The grants' rows in document order: grant_id, account_service_id, address, service(_uid).
    grants: Sequence[Any]
    run: bytes
    confirm_hash: bytes = field(repr=False)
    secrets: RunSecrets = field(repr=False)
    claim: DeviceClaim
    address: str
    now: int
    # The document was made for this very device.
    bound: bool
    # The key that a rotation replaces.
    rotates: str | None
    # It began with a typed code.
    by_code: bool = False


class Redemptions:
    """Redeems activations; owner and services come from rows only."""

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        *,
        config: ExchangeConfig,
        entropy: Callable[[int], bytes],
    ) -> None:
        self._database: Final = database
        self._sealer: Final = sealer
        self._config: Final = config
        self._entropy: Final = entropy
        self._upsert_device: Final = statements.upsert_device(database.engine.dialect)

    def redeem(self, wanted: Redemption) -> bytes:
        """Commit device, keys, audit and answer together; every secret of the runs goes.

        Raises LostRaceError, RevokedDeviceError, EndedKeyError, CommitUnknownError,
        DatabaseUnavailableError.
        """
        names = [
            GrantName(row.grant_id, row.address, row.service, row.service_uid)
            for row in wanted.grants
        ]
        completed = complete(wanted.secrets, wanted.claim, sub=wanted.person_id, grants=names)
        sealed = [
            self._sealer.seal(key.key, key_place(key.key_id), now=wanted.now)
            for key in completed.keys
        ]
        crashpoint("confirm.computed")
        with self._database.write_connection() as connection:
            device_id = self._device(connection, wanted)
            _check_old_key(connection, wanted.rotates)
            self._activation(connection, wanted, device_id, completed.body)
            rows = [
                self._key_row(wanted, device_id, grant.account_service_id, key, blob)
                for grant, key, blob in zip(wanted.grants, completed.keys, sealed, strict=True)
            ]
            statements.INSERT_KEYS.run_each(connection, rows)
            if wanted.by_code:
                follow_use(
                    connection,
                    person_id=wanted.person_id,
                    activation_id=wanted.activation_id,
                    now=wanted.now,
                )
                _tell(connection, wanted, self._entropy)
            _record(connection, wanted, device_id)
        return completed.body

    def _device(self, connection: Connection, wanted: Redemption) -> str:
        claim = wanted.claim
        row = {
            "id": new_id(self._entropy),
            "person_id": wanted.person_id,
            "jkt": claim.jkt,
            "identity": claim.identity,
            "name": shown_name(claim.name, claim.jkt),
            "platform": claim.platform,
            "handler": claim.handler,
            "state": DeviceState.ACTIVE.value,
            "created_at": wanted.now,
            "seen_at": wanted.now,
            "confirmed_at": wanted.now if wanted.bound else None,
            "confirm_by": None if wanted.bound else wanted.now + self._config.confirm_hours * HOUR,
        }
        device = self._upsert_device.row(connection, row)
        if device is None:
            raise RevokedDeviceError
        if device.confirm_by is not None and device.confirm_by <= wanted.now:
            # Its earlier keys are over, though nobody tidied up yet; the new one has its own time.
            expire_unconfirmed(connection, device.id, now=wanted.now)
            self._upsert_device.row(connection, row)
        return str(device.id)

    def _activation(
        self, connection: Connection, wanted: Redemption, device_id: str, body: bytes
    ) -> None:
        parameters = {
            "of_activation": wanted.activation_id,
            "run_name": wanted.run,
            "now": wanted.now,
            "device": device_id,
            "from_address": wanted.address,
            "hash_of_confirm": wanted.confirm_hash,
            "answer": body,
        }
        redeemed = statements.REDEEM.row(connection, parameters)
        if redeemed is None:
            raise LostRaceError
        of_run = {"of_activation": wanted.activation_id, "run_name": wanted.run}
        statements.FORGET_RUN.run(connection, of_run)
        if redeemed.attempts > 1:
            statements.DELETE_OTHER_RUNS.run(connection, of_run)
        statements.REDEEM_GRANTS.run(connection, {"of_activation": wanted.activation_id})

    def _key_row(
        self, wanted: Redemption, device_id: str, service_id: str, key: SessionKey, sealed: bytes
    ) -> dict[str, Any]:
        """A new key; an older one of the same service stays until this one is proven."""
        rotate_at = time_to_rotate(wanted.now, self._config.rotate_days, entropy=self._entropy)
        return {
            "id": key.key_id,
            "person_id": wanted.person_id,
            "device_id": device_id,
            "account_service_id": service_id,
            "activation_id": wanted.activation_id,
            "grant_id": key.grant,
            "key_sealed": sealed,
            "fingerprint": key.fingerprint,
            "state": KeyState.ACTIVE.value,
            "created_at": wanted.now,
            "rotate_at": rotate_at,
        }


def shown_name(name: str, jkt: str) -> str:
    """Return a device's name, or one made of its thumbprint where a person would see none.

    A device that cannot be seen in a list cannot be revoked there.
    """
    visible = any(
        unicodedata.category(character)[0] in "LNPS" and character not in BLANK
        for character in name
    )
    return name if visible else f"device {jkt[:8]}"


def _check_old_key(connection: Connection, key_id: str | None) -> None:
    if key_id is not None and statements.LOCK_ACTIVE_KEY.row(connection, {"key": key_id}) is None:
        raise EndedKeyError


def _record(connection: Connection, wanted: Redemption, device_id: str) -> None:
    device = shown_name(wanted.claim.name, wanted.claim.jkt)
    record(
        connection,
        at=wanted.now,
        actor=f"device:{device_id}",
        act=Act.DEVICE_ACTIVATED if wanted.rotates is None else Act.KEY_ROTATED,
        subject=wanted.person_id,
        target=wanted.activation_id if wanted.rotates is None else wanted.rotates,
        detail={
            "device": device,
            "address": wanted.address,
            **({"way": "code"} if wanted.by_code else {}),
        },
    )


def _tell(connection: Connection, wanted: Redemption, entropy: Callable[[int], bytes]) -> None:
    """Tell the person by mail: who has a code read out to them is looking at no page.

    An address that they only named may be a stranger's, and the device's name is their own words.
    """
    address = post_address(connection, wanted.person_id)
    if address is None:
        return
    accounts = ", ".join(sorted({row.address for row in wanted.grants}))
    mail = new_mail(
        person_id=wanted.person_id,
        address=address,
        kind=MailKind.NEW_DEVICE,
        facts={"account": accounts, "device": shown_name(wanted.claim.name, wanted.claim.jkt)},
        now=wanted.now,
        entropy=entropy,
    )
    connection.execute(insert(OutgoingMail).values(mail))
