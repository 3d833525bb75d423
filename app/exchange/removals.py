"""A device says that it removed what it was told to remove; docs/protocol.md 18.1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, select

from app.clock import seconds
from app.crashpoints import crashpoint
from app.models.tables import DEVICE, SERVICE_KEY
from app.prepared import Prepared
from app.provisioning.wiping import confirmed
from protocol.errors import ErrorCode, RemoteProtocolError
from protocol.removal import Removed, check_removed, noted, read_removed
from protocol.signing import SigningKey, VerifyKey

if TYPE_CHECKING:
    from app.clock import Clock
    from app.database import Database
    from app.keystore.rings import ExchangeKeys

_FIND: Final = Prepared(
    select(DEVICE.c.id, DEVICE.c.identity, DEVICE.c.wipe_asked_at, DEVICE.c.wiped_at)
    .join(SERVICE_KEY, SERVICE_KEY.c.device_id == DEVICE.c.id)
    .where(SERVICE_KEY.c.id == bindparam("key_id"))
)
# Whose signature is looked at where there is no such key, so that the answer takes as long.
_NOBODY: Final = SigningKey.from_seed(bytes(32)).verify_key


class Removals:
    """Notes what devices say; the same statement again has the same answer."""

    def __init__(
        self, database: Database, keys: ExchangeKeys, *, issuer: str, clock: Clock
    ) -> None:
        self._database: Final = database
        self._keys: Final = keys
        self._issuer: Final = issuer
        self._clock: Final = clock

    def removed(self, untrusted: bytes) -> bytes:
        """Return the acknowledgement of a statement, or raise RemoteProtocolError."""
        said = read_removed(untrusted)
        now = self._clock.now()
        with self._database.look_up() as connection:
            device = _FIND.row(connection, {"key_id": said.key})
        identity = _NOBODY if device is None else VerifyKey(device.identity)
        check_removed(said, self._issuer, identity)
        if device is None or not _was_asked(device, said):
            raise RemoteProtocolError(ErrorCode.REFUSED, "nobody asked this device")
        if device.wiped_at is None:
            with self._database.write_connection() as connection:
                confirmed(connection, device.id, now)
            crashpoint("removal.committed")
        return noted(said, self._issuer, self._keys.exchange.current(now))


def _was_asked(device: Any, said: Removed) -> bool:
    """Tell whether the notice that this answers is not from before the request."""
    return device.wipe_asked_at is not None and said.at >= seconds(device.wipe_asked_at)
