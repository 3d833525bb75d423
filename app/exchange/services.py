"""Init and confirm, as docs/protocol.md has them for the service: each one short transaction."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from msgspec import UNSET
from sqlalchemy.exc import IntegrityError

from app.activation.codes import record_used_up
from app.activation.ending import kill
from app.activation.status import RUN_LIFETIME
from app.crashpoints import crashpoint
from app.database import CommitUnknownError, Database, DatabaseUnavailableError
from app.exchange import statements
from app.exchange.code_rates import CodeRates
from app.exchange.redemption import (
    EndedKeyError,
    LostRaceError,
    Redemption,
    Redemptions,
    RevokedDeviceError,
)
from app.keystore.places import prs_place, run_place
from app.models import ActivationState
from protocol.codes import HANDLE_LENGTH
from protocol.encoding import lv_cat
from protocol.errors import ErrorCode, RemoteProtocolError
from protocol.handshake import (
    Confirm,
    Context,
    Init,
    Replied,
    RunSecrets,
    accept_confirm,
    check_admission,
    init_hash,
    read_confirm,
    read_init,
    respond,
)
from protocol.key_schedule import Kind

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from app.clock import Clock
    from app.config import ExchangeConfig
    from app.keystore.rings import ExchangeKeys
    from app.prepared import Prepared

# An unknown or closed activation costs the same HMAC as a live one.
_NO_PRS: Final = bytes(64)


class ExchangeService:
    """The service's side of the key exchange; its state lives in rows only."""

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
        self._entropy: Final = entropy
        self._code_rates: Final = CodeRates(database)
        self._redemptions: Final = Redemptions(database, keys.keys, config=config, entropy=entropy)

    @property
    def workers(self) -> int:
        """How many may work at once: SQLite has one writer, PostgreSQL waits on the network."""
        return 1 if self._database.is_sqlite else 4

    def init(self, untrusted: bytes, *, address: str = "unknown") -> bytes:
        """Return the exact reply to an init, or raise RemoteProtocolError.

        DatabaseUnavailableError means that nothing is known to have changed and the same bytes
        may be sent again. ``address`` is whose runs of codes are counted.
        """
        init = read_init(untrusted)
        crashpoint("init.decoded")
        now = self._clock.now()
        row = self._find_for_init(init.activation)
        context = self._context(row, init.activation)
        th1 = init_hash(context, init)
        admission_hash = _admission_hash(init)
        if row is not None and row.attempts:
            stored = self._stored_reply(row.id, th1, admission_hash)
            if stored is not None:
                return stored
        prs = self._admit(row, init, th1, address, now)
        # Refused above; but then nothing below would hold.
        if row is None:
            raise RemoteProtocolError(ErrorCode.REFUSED)
        replied = respond(
            context,
            prs,
            init,
            exchange_key=self._keys.exchange.current(now),
            entropy=self._entropy,
            th1=th1,
        )
        crashpoint("init.computed")
        reply = self._store_reply(row, replied, admission_hash, address, now)
        crashpoint("init.committed")
        return reply

    def confirm(self, untrusted: bytes, *, address: str) -> bytes:
        """Return the exact complete for a confirm, or raise RemoteProtocolError."""
        confirm = read_confirm(untrusted)
        now = self._clock.now()
        confirm_hash = _confirm_hash(confirm)
        rows = self._find_for_confirm(confirm)
        stored = _stored_complete(rows, confirm_hash)
        if stored is not None:
            return stored
        if not rows:
            raise RemoteProtocolError(ErrorCode.REFUSED)
        row = rows[0]
        secrets = self._open_run(row, confirm, now)
        claim = accept_confirm(secrets, confirm)
        crashpoint("confirm.opened")
        if row.bound_jkt is not None and row.bound_jkt != claim.jkt:
            raise RemoteProtocolError(ErrorCode.WRONG_DEVICE)
        body = self._redeem(
            Redemption(
                activation_id=row.id,
                person_id=row.person_id,
                grants=rows,
                run=confirm.run,
                confirm_hash=confirm_hash,
                secrets=secrets,
                claim=claim,
                address=address,
                now=now,
                # A rotation says nothing about whose hands the device is in.
                bound=row.bound_jkt is not None and row.rotates_key_id is None,
                rotates=row.rotates_key_id,
                by_code=row.kind == "code",
            ),
            confirm,
        )
        crashpoint("confirm.committed")
        return body

    def is_healthy(self) -> bool:
        """Say whether the database answers."""
        try:
            with self._database.read_connection() as connection:
                connection.exec_driver_sql("SELECT 1")
        except DatabaseUnavailableError:
            return False
        return True

    def _find_for_init(self, activation: str) -> Any | None:
        if is_handle(activation):
            return self._find(statements.FIND_CODE_FOR_INIT, of_handle=activation)
        return self._find(statements.FIND_FOR_INIT, of_activation=activation)

    def _context(self, row: Any | None, activation: str) -> Context:
        """What a run is about comes from its row; an unknown one is what its name looks like."""
        if row is None:
            kind: Kind = "code" if is_handle(activation) else "document"
            return Context(self._issuer, activation, kind=kind)
        return Context(self._issuer, activation, kind=row.kind, bound_jkt=row.bound_jkt)

    def _kill(self, activation: str) -> None:
        """End a rotation whose old key ended before it could be replaced."""
        with self._database.write_connection() as connection:
            kill(connection, [activation], reason="key-ended")

    def _find(self, statement: Prepared, **parameters: object) -> Any | None:
        with self._database.look_up() as connection:
            return statement.row(connection, parameters)

    def _stored_reply(self, activation: str, th1: bytes, admission_hash: bytes) -> bytes | None:
        run = self._find(statements.FIND_REPLY, of_activation=activation, run_name=th1)
        if run is None or not hmac.compare_digest(run.admission_hash, admission_hash):
            return None
        return bytes(run.reply)

    def _admit(self, row: Any | None, init: Init, th1: bytes, address: str, now: int) -> bytes:
        """Return the PRS of an activation that this init may use, or refuse."""
        if is_handle(init.activation):
            return self._admit_code(row, init, address, now)
        prs = self._prs(row, now)
        admitted = check_admission(_NO_PRS if prs is None else prs, th1, init.admission)
        if prs is None or not admitted:
            raise RemoteProtocolError(ErrorCode.REFUSED)
        return prs

    def _admit_code(self, row: Any | None, init: Init, address: str, now: int) -> bytes:
        """The same of a code, which could be guessed offline by an admission tag: it has none."""
        self._code_rates.count_run(address, now=now)
        prs = self._prs(row, now)
        if prs is None:
            self._code_rates.count_miss(address, now=now)
        if prs is None or init.admission is not UNSET:
            raise RemoteProtocolError(ErrorCode.REFUSED)
        return prs

    def _prs(self, row: Any | None, now: int) -> bytes | None:
        if (
            row is None
            or row.state != ActivationState.OPEN
            or row.prs_sealed is None
            or row.attempts >= statements.MAX_ATTEMPTS
            or row.document_expires_at <= now
            or row.expires_at <= now
        ):
            return None
        return self._keys.grants.open(row.prs_sealed, prs_place(row.id))

    def _store_reply(
        self, row: Any, replied: Replied, admission_hash: bytes, address: str, now: int
    ) -> bytes:
        """Count the attempt and keep the reply in one commit, before anybody sees it."""
        secrets_sealed = self._keys.keys.seal(
            replied.secrets.to_bytes(), run_place(row.id, replied.run), now=now
        )
        run = {
            "activation_id": row.id,
            "run": replied.run,
            "admission_hash": admission_hash,
            "reply": replied.reply,
            "secrets_sealed": secrets_sealed,
            "created_at": now,
            "expires_at": now + RUN_LIFETIME,
        }
        try:
            with self._database.write_connection() as connection:
                counting = {"of_activation": row.id, "now": now}
                counted = statements.COUNT_ATTEMPT.row(connection, counting)
                if counted is None:
                    raise LostRaceError
                statements.INSERT_RUN.run(connection, run)
                if row.kind == "code" and counted.attempts == statements.MAX_ATTEMPTS:
                    _record_last_run(connection, row, address, now)
        except (LostRaceError, IntegrityError):
            # The same init at the same time, or somebody else took the last attempt.
            stored = self._stored_reply(row.id, replied.run, admission_hash)
            if stored is None:
                raise RemoteProtocolError(ErrorCode.REFUSED) from None
            return stored
        except CommitUnknownError:
            stored = self._stored_reply(row.id, replied.run, admission_hash)
            if stored is None:
                raise
            return stored
        return replied.reply

    def _find_for_confirm(self, confirm: Confirm) -> Sequence[Any]:
        find, name = statements.FIND_FOR_CONFIRM, "of_activation"
        if is_handle(confirm.activation):
            find, name = statements.FIND_CODE_FOR_CONFIRM, "of_handle"
        with self._database.look_up() as connection:
            return find.rows(connection, {name: confirm.activation, "run_name": confirm.run})

    def _open_run(self, row: Any, confirm: Confirm, now: int) -> RunSecrets:
        if (
            row.state != ActivationState.OPEN
            or row.secrets_sealed is None
            or row.run_expires_at <= now
            or row.expires_at <= now
        ):
            raise RemoteProtocolError(ErrorCode.REFUSED)
        place = run_place(row.id, confirm.run)
        return RunSecrets.from_bytes(self._keys.keys.open(row.secrets_sealed, place))

    def _redeem(self, wanted: Redemption, confirm: Confirm) -> bytes:
        """Return the answer that is in the rows afterwards, whoever put it there."""
        try:
            return self._redemptions.redeem(wanted)
        except RevokedDeviceError:
            raise RemoteProtocolError(ErrorCode.DEVICE_REVOKED) from None
        except EndedKeyError:
            self._kill(wanted.activation_id)
            raise RemoteProtocolError(ErrorCode.REFUSED) from None
        except (LostRaceError, IntegrityError):
            return self._look_again(confirm, wanted.confirm_hash, ErrorCode.REFUSED)
        except CommitUnknownError:
            return self._look_again(confirm, wanted.confirm_hash, None)

    def _look_again(
        self, confirm: Confirm, confirm_hash: bytes, otherwise: ErrorCode | None
    ) -> bytes:
        """Tell what became of the activation, on a new connection, and answer by that alone."""
        stored = _stored_complete(self._find_for_confirm(confirm), confirm_hash)
        if stored is not None:
            return stored
        if otherwise is None:
            raise DatabaseUnavailableError("the commit is unknown")
        raise RemoteProtocolError(otherwise)


def is_handle(activation: str) -> bool:
    """Tell whether an init or confirm is about a typed code, by the name that it gives."""
    return len(activation) == HANDLE_LENGTH


def _record_last_run(connection: Connection, row: Any, address: str, now: int) -> None:
    record_used_up(
        connection, person_id=row.person_id, activation_id=row.id, address=address, now=now
    )


def _stored_complete(rows: Sequence[Any], confirm_hash: bytes) -> bytes | None:
    """Return the answer that this very confirm was given, or say that another one was first."""
    if not rows or rows[0].state != ActivationState.REDEEMED:
        return None
    row = rows[0]
    if row.complete is None or not hmac.compare_digest(row.confirm_hash, confirm_hash):
        raise RemoteProtocolError(ErrorCode.USED)
    return bytes(row.complete)


def _admission_hash(init: Init) -> bytes:
    tag = b"" if init.admission is UNSET else init.admission
    return hashlib.sha512(lv_cat("handfast/1 stored admission", tag)).digest()


def _confirm_hash(confirm: Confirm) -> bytes:
    fields = (confirm.activation, confirm.run, confirm.sealed, confirm.tag)
    return hashlib.sha512(lv_cat("handfast/1 stored confirm", *fields)).digest()
