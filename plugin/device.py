"""This device: whom it trusts, who it is towards each issuer, and the keys it holds."""

import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec

from plugin.limits import PENDING_DAYS, USED_KEPT
from plugin.paths import Paths
from plugin.prompt import ask_passphrase
from plugin.records import Contents, KeyRecord, PendingRecord
from plugin.sealing import AskPassphrase
from plugin.store import Store
from plugin.transport import Transport
from plugin.trust import TrustStore
from protocol.encoding import b64u, is_short_text, unb64u
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
        return SigningKey.from_seed(unb64u(seed, length=32))

    def has_used(self, activation: str) -> bool:
        """Say whether this device ever stored something from the document with this id."""
        return _has_used(self.store.read(), activation)

    def add_pending(self, record: PendingRecord) -> bool:
        """Store what a confirm needs, durably; False when another handler was first."""
        added = True

        def add(contents: Contents) -> Contents:
            nonlocal added
            if _has_used(contents, record.activation):
                added = False
                return contents
            now = self.clock()
            used = {jti: at for jti, at in contents.used.items() if now - at < USED_KEPT}
            return msgspec.structs.replace(
                contents,
                pending=(*contents.pending, record),
                used={**used, record.activation: now},
            )

        self.store.change(add)
        return added

    def activate_keys(
        self, record: PendingRecord, established: Established
    ) -> tuple[KeyRecord, ...]:
        """Turn a pending exchange into active keys in one atomic write; may be repeated."""
        now = self.clock()
        fresh = tuple(
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

        def activate(contents: Contents) -> Contents:
            if record not in contents.pending:
                return contents
            known = {key.key_id for key in contents.keys}
            return msgspec.structs.replace(
                contents,
                pending=tuple(other for other in contents.pending if other != record),
                keys=contents.keys + tuple(key for key in fresh if key.key_id not in known),
            )

        self.store.change(activate)
        return fresh

    def pending(self) -> tuple[PendingRecord, ...]:
        """Return the exchanges still to finish; those of more than seven days ago end here."""
        oldest = self.clock() - PENDING_DAYS * 86400
        contents = self.store.read()
        if all(record.created >= oldest for record in contents.pending):
            return contents.pending
        return self.store.change(
            lambda current: msgspec.structs.replace(
                current,
                pending=tuple(record for record in current.pending if record.created >= oldest),
            )
        ).pending

    def forget_issuer(self, issuer: str) -> None:
        """Drop identity key and unfinished exchanges of an issuer; its keys stay."""
        self.store.change(
            lambda contents: msgspec.structs.replace(
                contents,
                identities={
                    other: seed for other, seed in contents.identities.items() if other != issuer
                },
                pending=tuple(record for record in contents.pending if record.issuer != issuer),
            )
        )

    def forget(self, identifier: str) -> None:
        """Drop one key by key id, or one unfinished exchange by activation id."""
        self.store.change(
            lambda contents: msgspec.structs.replace(
                contents,
                keys=tuple(key for key in contents.keys if key.key_id != identifier),
                pending=tuple(
                    record for record in contents.pending if record.activation != identifier
                ),
            )
        )


def _has_used(contents: Contents, activation: str) -> bool:
    return activation in contents.used or any(
        record.activation == activation for record in contents.pending
    )
