"""Packets: what a device says under its key, each accepted once; docs/protocol.md 16."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from app.activation.confirmation import expire_unconfirmed, is_overdue
from app.activation.ending import forget_answers, retire_keys, revoke_keys
from app.audit import Act, record_own
from app.books.services import book_of
from app.clock import seconds
from app.crashpoints import crashpoint
from app.database import Database, DatabaseUnavailableError
from app.exchange import packet_statements as statements
from app.exchange.redemption import LostRaceError, shown_name
from app.exchange.removals import Removals
from app.exchange.rotations import WISH_PAUSE, Rotations
from app.keystore.places import key_place
from app.models import DeviceState, KeyState
from app.models.tables import ACTIVATION, SERVICE_KEY
from protocol.channel import (
    End,
    EndAnswer,
    Packet,
    Report,
    ReportAnswer,
    Window,
    open_request,
    read_packet,
    seal_packet,
)
from protocol.errors import ErrorCode, RemoteProtocolError
from protocol.notice import Notice, sign_notice
from protocol.service_book import book_hash, sign_book
from protocol.session import SessionKey

if TYPE_CHECKING:
    from app.clock import Clock
    from app.config import ExchangeConfig
    from app.keystore.rings import ExchangeKeys

# Each time another packet of the same key was faster, which one device does to itself only.
_TRIES: Final = 5


@dataclass(frozen=True)
class PacketAnswer:
    """The exact body of an answer: a packet, or the notice that the key has ended."""

    body: bytes
    is_notice: bool


class PacketService:
    """Takes packets; what it knows of them lives in rows only."""

    def __init__(
        self,
        database: Database,
        keys: ExchangeKeys,
        *,
        config: ExchangeConfig,
        clock: Clock,
        entropy: Callable[[int], bytes],
    ) -> None:
        self._database: Final = database
        self._keys: Final = keys
        self._issuer: Final = config.issuer
        self._clock: Final = clock
        self.removals: Final = Removals(database, keys, issuer=config.issuer, clock=clock)
        self._rotations: Final = Rotations(keys.grants, issuer=config.issuer, entropy=entropy)
        # An unknown key costs the same steps as a known one: this key, which nobody has.
        self._nobody: Final = SessionKey("", "", "", "", entropy(32))
        place = key_place(self._nobody.key_id)
        self._nobody_sealed: Final = keys.keys.seal(self._nobody.key, place, now=clock.now())

    def packet(self, untrusted: bytes) -> PacketAnswer:
        """Return the answer to a packet, or raise RemoteProtocolError.

        Whatever else happens, a packet has been used up or has changed nothing, and no number
        gets a second answer: the device sends again under a fresh one. So when a commit's outcome
        is unknown, CommitUnknownError it is: a duplicate of this packet may be the one that
        counted, and its answer may have left already.
        """
        packet = read_packet(untrusted)
        for _ in range(_TRIES):
            try:
                return self._once(packet, self._clock.now())
            except (LostRaceError, IntegrityError):
                continue
        raise DatabaseUnavailableError("other packets of this key were faster")

    def _once(self, packet: Packet, now: int) -> PacketAnswer:
        row = self._find(packet.key, now)
        ended = _ended(row)
        if ended is not None:
            notice = Notice(iss=self._issuer, iat=seconds(now), key=packet.key, state=ended)
            signed = sign_notice(notice, self._keys.exchange.current(now))
            return PacketAnswer(signed, is_notice=True)
        key = self._open_key(row)
        request = open_request(key, msgspec.structs.replace(packet, key=key.key_id))
        # It cannot have opened; but then nothing below would hold.
        if row.id is None:
            raise RemoteProtocolError(ErrorCode.REFUSED)
        crashpoint("packet.opened")
        window = Window(row.received, row.window).accept(packet.number)
        with self._database.write_connection() as connection:
            answer = self._accept(connection, row, key, request, window, now)
            sealed = seal_packet(key, "to-device", packet.number, answer)
            crashpoint("packet.computed")
        crashpoint("packet.committed")
        return PacketAnswer(sealed, is_notice=False)

    def _find(self, key_id: str, now: int) -> Any:
        """Return what is known of a key, after its device's time to be confirmed was looked at."""
        row = self._look_up(key_id)
        is_late = is_overdue(row.confirmed_at, row.confirm_by, now)
        if row.state != KeyState.ACTIVE or not is_late:
            return row
        with self._database.write_connection() as connection:
            expire_unconfirmed(connection, row.device_id, now=now)
        return self._look_up(key_id)

    def _look_up(self, key_id: str) -> Any:
        with self._database.look_up() as connection:
            return statements.FIND.row(connection, {"key_id": key_id})

    def _open_key(self, row: Any) -> SessionKey:
        if row.id is None:
            self._keys.keys.open(self._nobody_sealed, key_place(self._nobody.key_id))
            return self._nobody
        key = self._keys.keys.open(row.key_sealed, key_place(row.id))
        return SessionKey(row.grant_id, row.address, row.service, row.service_uid, key)

    def _accept(
        self,
        connection: Connection,
        row: Any,
        key: SessionKey,
        request: Report | End,
        window: Window,
        now: int,
    ) -> ReportAnswer | EndAnswer:
        """Use up the number and do what the packet asks for, in the caller's transaction."""
        device = statements.SEE_DEVICE.row(connection, _seen(row, request, now))
        if device is None:
            raise LostRaceError
        accepted = statements.ACCEPT.row(connection, _counted(row, request, window, now))
        if accepted is None:
            raise LostRaceError
        if isinstance(request, End):
            _end(connection, row, now)
            return EndAnswer()
        if row.proven_at is None:
            _prove(connection, row, now)
        if device.confirmed_at is None:
            # Whoever renews an unconfirmed key would confirm the device by it.
            return ReportAnswer(book=None, waiting=True, rotation=None, at=seconds(now))
        due = accepted.rotate_at is not None and accepted.rotate_at <= now
        return ReportAnswer(
            book=self._book(row, request, now),
            waiting=False,
            rotation=self._rotations.offer(connection, row, key, due=due, now=now),
            at=seconds(now),
        )

    def _book(self, row: Any, request: Report, now: int) -> str | None:
        """Return the service book, if it is not the one that the device holds."""
        key = self._keys.exchange.current(now)
        book = sign_book(book_of(row, issuer=self._issuer), key).decode()
        return None if book_hash(book) == request.book else book


def _ended(row: Any) -> Any:
    """Tell how a key ended, as a notice says it; None if it is active, or unknown."""
    if row.id is None:
        return None if row.gone_at is None else KeyState.REVOKED.value
    if row.device_state == DeviceState.REVOKED:
        return KeyState.REVOKED.value if row.wipe_asked_at is None else "remove"
    return None if row.state == KeyState.ACTIVE else row.state


def _seen(row: Any, request: Report | End, now: int) -> dict[str, Any]:
    """What the device is called now; who ends a key says nothing about that."""
    named = row if isinstance(request, End) else request
    return {
        "of_device": row.device_id,
        "new_name": shown_name(named.name, row.jkt),
        "new_platform": named.platform,
        "new_handler": named.handler,
        "now": now,
    }


def _counted(row: Any, request: Report | End, window: Window, now: int) -> dict[str, Any]:
    """Which numbers count as used from now on, if nobody changed them meanwhile; and the wish."""
    wants_rotation = isinstance(request, Report) and request.rotate
    return {
        "of_key": row.id,
        "high": window.high,
        "seen": window.seen,
        "high_before": row.received,
        "seen_before": row.window,
        "now": now,
        "proves": int(isinstance(request, Report)),
        "wish": int(wants_rotation),
        "wished_since": now - WISH_PAUSE,
    }


def _prove(connection: Connection, row: Any, now: int) -> None:
    """Note that the device holds the key, and retire what it replaces; 19.4."""
    record_own(connection, Act.KEY_PROVEN, row.person_id, row.id, now, _actor(row))
    forget_answers(connection, [row.activation_id])
    replaced = (
        (SERVICE_KEY.c.device_id == row.device_id)
        & (SERVICE_KEY.c.account_service_id == row.account_service_id)
        & (SERVICE_KEY.c.id != row.id)
        # A key in use is older than one that was never used, whatever the clock said meanwhile.
        & (SERVICE_KEY.c.proven_at.is_not(None) | (SERVICE_KEY.c.created_at < row.created_at))
    )
    for key_id in retire_keys(connection, replaced, now=now, reason="replaced"):
        record_own(connection, Act.KEY_RETIRED, row.person_id, key_id, now, _actor(row))


def _end(connection: Connection, row: Any, now: int) -> None:
    """End the key; if nothing but this packet came under it, what it was to replace stays.

    Somebody may have refused what a typed code brought, and keeps the key from before. But who
    ends the new key of a rotation means the old one as well.
    """
    ending = SERVICE_KEY.c.id == row.id
    if row.proven_at is None:
        rotated = select(ACTIVATION.c.rotates_key_id).where(ACTIVATION.c.id == row.activation_id)
        ending = ending | (SERVICE_KEY.c.id == rotated.scalar_subquery())
    for key_id in revoke_keys(connection, ending, now=now, reason="by-device"):
        record_own(connection, Act.KEY_REVOKED, row.person_id, key_id, now, _actor(row))


def _actor(row: Any) -> str:
    return f"device:{row.device_id}"
