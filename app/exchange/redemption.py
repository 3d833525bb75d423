"""The one transaction that turns a confirmed run into keys; docs/protocol.md, service, confirm."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection

from app.audit import Act, record
from app.crashpoints import crashpoint
from app.exchange import statements
from app.keystore.places import key_place
from app.models import DeviceState, KeyState, new_id
from protocol.handshake import DeviceClaim, GrantName, RunSecrets, SessionKey, complete

if TYPE_CHECKING:
    from app.database import Database
    from app.keystore.sealing import Sealer


# Letters and symbols by category that are drawn as nothing.
BLANK: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0\u17b4\u17b5")


class LostRaceError(Exception):
    """Another request changed the activation between our look and our write."""


class RevokedDeviceError(Exception):
    """The owner revoked this device."""


@dataclass(frozen=True)
class Redemption:
    """One accepted confirm: who claims which activation, from where, and the run's secrets."""

    activation_id: str
    person_id: str
    # The grants' rows in document order: grant_id, account_service_id, address, service(_uid).
    grants: Sequence[Any]
    run: bytes
    confirm_hash: bytes
    secrets: RunSecrets = field(repr=False)
    claim: DeviceClaim
    address: str
    now: int


class Redemptions:
    """Redeems activations; owner and services come from rows only."""

    def __init__(
        self, database: Database, sealer: Sealer, *, entropy: Callable[[int], bytes]
    ) -> None:
        self._database: Final = database
        self._sealer: Final = sealer
        self._entropy: Final = entropy
        self._upsert_device: Final = statements.upsert_device(database.engine.dialect)

    def redeem(self, wanted: Redemption) -> bytes:
        """Commit device, keys, audit and answer together; every secret of the runs goes.

        Raises LostRaceError, RevokedDeviceError, CommitUnknownError, DatabaseUnavailableError.
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
            self._activation(connection, wanted, device_id, completed.body)
            rows = [
                _key_row(wanted, device_id, grant.account_service_id, key, blob)
                for grant, key, blob in zip(wanted.grants, completed.keys, sealed, strict=True)
            ]
            statements.INSERT_KEYS.run_each(connection, rows)
            _record(connection, wanted, device_id)
        return completed.body

    def _device(self, connection: Connection, wanted: Redemption) -> str:
        claim = wanted.claim
        row = {
            "id": new_id(self._entropy),
            "person_id": wanted.person_id,
            "jkt": claim.jkt,
            "identity": claim.identity,
            "name": shown_name(claim),
            "platform": claim.platform,
            "handler": claim.handler,
            "state": DeviceState.ACTIVE.value,
            "created_at": wanted.now,
            "seen_at": wanted.now,
        }
        device = self._upsert_device.row(connection, row)
        if device is None:
            raise RevokedDeviceError
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


def shown_name(claim: DeviceClaim) -> str:
    """Return the device's name, or one made of its thumbprint where a person would see none.

    A device that cannot be seen in a list cannot be revoked there.
    """
    visible = any(
        unicodedata.category(character)[0] in "LNPS" and character not in BLANK
        for character in claim.name
    )
    return claim.name if visible else f"device {claim.jkt[:8]}"


def _key_row(
    wanted: Redemption, device_id: str, service_id: str, key: SessionKey, sealed: bytes
) -> dict[str, Any]:
    """A new key; an older one of the same service stays until this one is proven."""
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
    }


def _record(connection: Connection, wanted: Redemption, device_id: str) -> None:
    record(
        connection,
        at=wanted.now,
        actor=f"device:{device_id}",
        act=Act.DEVICE_ACTIVATED,
        subject=wanted.person_id,
        target=wanted.activation_id,
        detail={"device": shown_name(wanted.claim), "address": wanted.address},
    )
