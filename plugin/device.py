"""This device: whom it trusts, who it is towards each issuer, and the keys it holds."""

import os
import platform
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final, get_args

import msgspec

from plugin.errors import ExitCode, UserError
from plugin.i18n import _
from plugin.keystore.records import (
    Contents,
    KeyRecord,
    PendingKind,
    PendingRecord,
    RemovalRecord,
    identity_key,
)
from plugin.keystore.sealing import AskPassphrase
from plugin.keystore.store import Store
from plugin.limits import CODE_PENDING_DAYS, PENDING_DAYS, REMOVAL_DAYS, USED_KEPT
from plugin.network.transport import Transport
from plugin.paths import Paths
from plugin.person.prompt import ask_passphrase
from plugin.person.short_id import short_id
from plugin.trust.issuers import TrustStore
from protocol.channel import BLOCK, ReportAnswer
from protocol.encoding import b64u, is_short_text
from protocol.handshake import DeviceDescription, Established
from protocol.signing import SigningKey

# The wheel carries this version too.
VERSION: Final = "0.1.0"
HANDLER: Final = f"handfast {VERSION}"
NAME_LIMIT: Final = 64


@dataclass(frozen=True)
class Device:
    """The parts every command works with; clock in seconds UTC."""

    paths: Paths
    clock: Callable[[], int]
    entropy: Callable[[int], bytes]
    sleep: Callable[[float], None]
    transport: Transport
    trust: TrustStore
    store: Store

    @classmethod
    def open(
        cls,
        paths: Paths,
        *,
        clock: Callable[[], int] = lambda: int(time.time()),
        entropy: Callable[[int], bytes] = os.urandom,
        sleep: Callable[[float], None] = time.sleep,
        transport: Transport | None = None,
        passphrase: AskPassphrase = ask_passphrase,
    ) -> "Device":
        """Put the device together; nothing is read, made or asked yet."""
        transport = transport or Transport()
        return cls(
            paths,
            clock,
            entropy,
            sleep,
            transport,
            TrustStore(paths, transport=transport, clock=clock),
            Store(paths, entropy=entropy, ask_passphrase=passphrase),
        )

    def description(self) -> DeviceDescription:
        """Say who this device is in the words its owner will see on the portal."""
        name = platform.node()[:NAME_LIMIT]
        # A host name may be anything; what the protocol cannot carry is not worth an error.
        if not is_short_text(name):
            name = "device"
        return DeviceDescription(name, platform.system() or "unknown", HANDLER)

    def identity(self, issuer: str) -> SigningKey:
        """Return the key this device signs with towards `issuer`; made once, kept sealed."""
        seed = self.store.read().identities.get(issuer)
        if seed is None:
            fresh = b64u(SigningKey.generate(entropy=self.entropy).seed())

            def keep(contents: Contents) -> Contents:
                if issuer in contents.identities:
                    return contents
                identities = {**contents.identities, issuer: fresh}
                return msgspec.structs.replace(contents, identities=identities)

            seed = self.store.change(keep).identities[issuer]
        return identity_key(seed)

    def has_used(self, activation: str) -> bool:
        """Say whether this device ever stored something from the document with this id."""
        return _has_used(self.store.read(), activation)

    def add_pending(self, record: PendingRecord) -> bool:
        """Store what a confirm needs, durably; False when another handler was first."""
        added = True

        def add(contents: Contents) -> Contents:
            nonlocal added
            if record.kind == "code":
                is_taken = any(record.is_same_code(other) for other in contents.pending)
            else:
                is_taken = _has_used(contents, record.activation)
            if is_taken:
                added = False
                return contents
            now = self.clock()
            used = {jti: at for jti, at in contents.used.items() if now - at < USED_KEPT}
            if record.kind != "code":
                # Handles of codes come again, so none of them counts as used.
                used[record.activation] = now
            return msgspec.structs.replace(contents, pending=(*contents.pending, record), used=used)

        self.store.change(add)
        return added

    def activate_keys(
        self, record: PendingRecord, established: Established
    ) -> tuple[KeyRecord, ...]:
        """Turn a pending exchange into active keys in one atomic write; may be repeated."""
        fresh = self._keys_of(record, established)

        def activate(contents: Contents) -> Contents:
            if record not in contents.pending:
                return contents
            known = {key.key_id: key for key in contents.keys}
            replaced = known.get(record.replaces or "")
            added = tuple(
                # The book is about the account and service, so the successor has it at once.
                msgspec.structs.replace(key, book=replaced.book if replaced else None)
                for key in fresh
                if key.key_id not in known
            )
            return msgspec.structs.replace(
                contents,
                pending=tuple(other for other in contents.pending if other != record),
                keys=contents.keys + added,
                # Whoever activates again need not be told any more what was removed before.
                removals=tuple(
                    one
                    for one in contents.removals
                    if one.issuer != record.issuer or one.noted is None
                ),
            )

        stored = {key.key_id: key for key in self.store.change(activate).keys}
        return tuple(stored.get(key.key_id, key) for key in fresh)

    def refuse_keys(self, record: PendingRecord, established: Established) -> None:
        """End a code's exchange that the person refused: its keys are only to be ended now."""
        fresh = self._keys_of(record, established)

        def refuse(contents: Contents) -> Contents:
            if record not in contents.pending:
                return contents
            return msgspec.structs.replace(
                contents,
                pending=tuple(other for other in contents.pending if other != record),
                unwanted=contents.unwanted + fresh,
            )

        self.store.change(refuse)

    def give_up(self, records: Collection[PendingRecord]) -> None:
        """Drop exchanges that the person gave up."""
        self.store.change(
            lambda contents: msgspec.structs.replace(
                contents, pending=tuple(one for one in contents.pending if one not in records)
            )
        )

    def _keys_of(self, record: PendingRecord, established: Established) -> tuple[KeyRecord, ...]:
        now = self.clock()
        return tuple(
            KeyRecord.of(
                key,
                issuer=record.issuer,
                device=established.device,
                sub=established.sub,
                exchange=record.exchange,
                now=now,
            )
            for key in established.keys
        )

    def pending(self) -> tuple[PendingRecord, ...]:
        """Return the exchanges still to finish; those that are too old end here.

        That is after seven days, for a typed code after one: a mistyped one is refused for ever.
        """
        now = self.clock()
        oldest = {
            kind: now - (CODE_PENDING_DAYS if kind == "code" else PENDING_DAYS) * 86400
            for kind in get_args(PendingKind)
        }

        def keep_young(contents: Contents) -> Contents:
            held = {key.key_id for key in contents.keys}
            # A rotation goes on as long as its old key: the service offers no other meanwhile.
            return msgspec.structs.replace(
                contents,
                pending=tuple(
                    record
                    for record in contents.pending
                    if record.created >= oldest[record.kind] or record.replaces in held
                ),
            )

        contents = self.store.read()
        if keep_young(contents) == contents:
            return contents.pending
        return self.store.change(keep_young).pending

    def reserve_numbers(self, key_id: str, *, leap: int = 0) -> range:
        """Return numbers for packets under a key, which nobody else on this device will get.

        They begin behind `leap` numbers that nobody gets.
        """
        first = 0

        def reserve(contents: Contents) -> Contents:
            nonlocal first
            key = _held(contents, key_id)
            first = key.reserved + leap + 1
            reserved = key.reserved + leap + BLOCK
            return _with_key(contents, msgspec.structs.replace(key, reserved=reserved))

        self.store.change(reserve)
        return range(first, first + BLOCK)

    def keep_report(
        self, key_id: str, answer: ReportAnswer, *, exchange: str, book: str | None
    ) -> KeyRecord:
        """Store what an authenticated answer says, in one atomic write; `book` is verified.

        Older keys for the same account and service end here: the service has ended them too.
        """
        now = self.clock()

        def keep(contents: Contents) -> Contents:
            key = _held(contents, key_id)
            told = msgspec.structs.replace(
                key,
                exchange=exchange,
                book=book or key.book,
                proven=now if key.proven is None else key.proven,
                reported=now,
                waiting=answer.waiting,
            )
            older = contents.keys[: contents.keys.index(key)]
            ended = {other.key_id for other in older if other.serves == key.serves}
            contents = _without_keys(_with_key(contents, told), ended)
            if answer.rotation is None:
                return contents
            offered = answer.rotation.activation
            return _without_rotations(contents, {key_id}, but=offered)

        return _held(self.store.change(keep), key_id)

    def end_key(self, key_id: str) -> None:
        """Drop a key that ended on the service, and the rotation of it that was under way."""
        self.store.change(lambda contents: _without_keys(contents, {key_id}))

    def remove_owner(self, key: KeyRecord, *, noticed: int, exchange: str) -> None:
        """Drop all that is here of a key's owner, as a notice of the time `noticed` says of it.

        What answers the notice is stored in the same write, so that no crash forgets it.
        """
        now = self.clock()

        def remove(contents: Contents) -> Contents:
            gone = [one for one in contents.keys if one.is_owned_like(key)]
            accounts = {one.account for one in (*gone, key)}
            record = RemovalRecord(
                key.issuer, exchange, key.device, key.key_id, noticed, tuple(sorted(accounts)), now
            )
            left = _without_keys(contents, {one.key_id for one in (*gone, key)})
            return msgspec.structs.replace(
                left,
                pending=tuple(
                    one for one in left.pending if not one.belongs_to(key.issuer, key.sub)
                ),
                unwanted=tuple(one for one in left.unwanted if not one.is_owned_like(key)),
                tokens={name: one for name, one in left.tokens.items() if name != key.issuer},
                programs=tuple(
                    one
                    for one in left.programs
                    if one.issuer != key.issuer or one.account not in accounts
                ),
                removals=(*(one for one in left.removals if one.key != key.key_id), record),
            )

        self.store.change(remove)

    def removals(self) -> tuple[RemovalRecord, ...]:
        """Return what services had removed here in the last 90 days."""
        oldest = self.clock() - REMOVAL_DAYS * 86400
        return tuple(one for one in self.store.read().removals if one.removed >= oldest)

    def removal_is_over(self, record: RemovalRecord) -> None:
        """Note that a removal need not be answered any more; the person can still be told of it."""
        noted = msgspec.structs.replace(record, noted=self.clock())
        self.store.change(
            lambda contents: msgspec.structs.replace(
                contents,
                removals=tuple(noted if one == record else one for one in contents.removals),
            )
        )

    def forget_issuer(self, issuer: str) -> None:
        """Drop identity key, sign-in and all that is unfinished of an issuer; its keys stay."""
        self.store.change(
            lambda contents: msgspec.structs.replace(
                contents,
                identities={
                    other: seed for other, seed in contents.identities.items() if other != issuer
                },
                tokens={
                    other: token for other, token in contents.tokens.items() if other != issuer
                },
                pending=tuple(record for record in contents.pending if record.issuer != issuer),
                unwanted=tuple(key for key in contents.unwanted if key.issuer != issuer),
                removals=tuple(one for one in contents.removals if one.issuer != issuer),
            )
        )

    def forget(self, identifier: str) -> None:
        """Drop one key by key id, or one unfinished exchange by activation id."""

        def drop(contents: Contents) -> Contents:
            left = _without_keys(contents, {identifier})
            pending = tuple(one for one in left.pending if one.activation != identifier)
            return msgspec.structs.replace(left, pending=pending)

        self.store.change(drop)


def _has_used(contents: Contents, activation: str) -> bool:
    return activation in contents.used or any(
        record.activation == activation for record in contents.pending
    )


def _held(contents: Contents, key_id: str) -> KeyRecord:
    for key in (*contents.keys, *contents.unwanted):
        if key.key_id == key_id:
            return key
    raise UserError(
        _("the key %s is not on this device any more") % short_id(key_id),
        _('see "handfast keys list"'),
        ExitCode.UNFINISHED,
    )


def _with_key(contents: Contents, changed: KeyRecord) -> Contents:
    """Put the changed record into the place of the old one: the order says which is newer."""

    def put(keys: tuple[KeyRecord, ...]) -> tuple[KeyRecord, ...]:
        return tuple(changed if key.key_id == changed.key_id else key for key in keys)

    return msgspec.structs.replace(
        contents, keys=put(contents.keys), unwanted=put(contents.unwanted)
    )


def _without_keys(contents: Contents, key_ids: Collection[str]) -> Contents:
    left = msgspec.structs.replace(
        contents,
        keys=tuple(key for key in contents.keys if key.key_id not in key_ids),
        unwanted=tuple(key for key in contents.unwanted if key.key_id not in key_ids),
    )
    return _without_rotations(left, key_ids)


def _without_rotations(
    contents: Contents, key_ids: Collection[str], *, but: str | None = None
) -> Contents:
    return msgspec.structs.replace(
        contents,
        pending=tuple(
            record
            for record in contents.pending
            if record.replaces not in key_ids or record.activation == but
        ),
    )
