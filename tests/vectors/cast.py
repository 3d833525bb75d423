"""The fixed world of the vectors: every key, nonce and scalar follows from a label."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey

from protocol import service_uid
from protocol.activation import ActivationDocument, Grant, document_prs, sign_document
from protocol.encoding import b64u
from protocol.handshake import (
    Completed,
    Context,
    DeviceClaim,
    DeviceDescription,
    Established,
    GrantName,
    Initiator,
    Pending,
    Replied,
    accept_confirm,
    complete,
    read_confirm,
    read_init,
)
from protocol.responder import respond_with
from protocol.signing import SigningKey
from protocol.trust import ExchangeEntry, KeyEntry, KeySet, TrustBundle, TrustedIssuer

FOLDER: Final = Path(__file__).parent
ISSUER: Final = "https://localhost:8443"
EXCHANGE: Final = "http://localhost:8480"
NOW: Final = 1_800_000_000
DEVICE: Final = DeviceDescription("Ann’s laptop", "linux", "handfast 0.1")


def seed(label: str, length: int = 32) -> bytes:
    """SHAKE256 of the label: the only source of secrets in the vectors."""
    return hashlib.shake_256(b"handfast vectors: " + label.encode()).digest(length)


def entropy(label: str) -> Callable[[int], bytes]:
    """A deterministic stand-in for os.urandom: one SHAKE256 stream per label."""
    position = 0

    def take(length: int) -> bytes:
        nonlocal position
        position += length
        return seed(label, position)[-length:]

    return take


def key(label: str) -> SigningKey:
    """The Ed25519 key of a part in the play."""
    return SigningKey.from_seed(seed(label))


ROOT: Final = key("root")
NEXT_ROOT: Final = key("next root")
DOCUMENTS: Final = key("document key")
EXCHANGE_KEY: Final = key("exchange key")
IDENTITY: Final = key("ann's laptop")
STRANGER: Final = key("stranger")


def entry(signing_key: SigningKey) -> KeyEntry:
    """A key as it stands in a key set."""
    return KeyEntry(signing_key.kid, signing_key.public)


def identifier(label: str) -> str:
    """A public id."""
    return b64u(seed(label, 16))


BUNDLE: Final = TrustBundle(ISSUER, (ROOT.verify_key, NEXT_ROOT.verify_key))
KEY_SET: Final = KeySet(
    iss=ISSUER,
    version=7,
    iat=NOW - 86_400,
    exp=NOW + 30 * 86_400,
    documents=(entry(DOCUMENTS),),
    exchanges=(ExchangeEntry(EXCHANGE, (entry(EXCHANGE_KEY),)),),
)
TRUSTED: Final = TrustedIssuer(ISSUER, KEY_SET)


def grant(service: str) -> Grant:
    """One of Ann's grants."""
    return Grant(
        id=identifier("grant " + service),
        account="ann@example.org",
        service=service,
        service_uid=service_uid.make(5, entropy=entropy("uid " + service)),
        password=seed("password " + service),
    )


DOCUMENT: Final = ActivationDocument(
    iss=ISSUER,
    iat=NOW,
    exp=NOW + 300,
    jti=identifier("activation"),
    sub=identifier("ann"),
    exchange=EXCHANGE,
    grants=(grant("mail"), grant("contacts")),
)
RAW: Final = sign_document(DOCUMENT, DOCUMENTS)
PRS: Final = document_prs(RAW, [one.password for one in DOCUMENT.grants])
CONTEXT: Final = Context(ISSUER, DOCUMENT.jti)
NAMES: Final = tuple(
    GrantName(one.id, one.account, one.service, one.service_uid) for one in DOCUMENT.grants
)


@dataclass(frozen=True)
class Run:
    """Every step of a fixed run."""

    context: Context
    prs: bytes
    grants: tuple[GrantName, ...]
    init: bytes
    replied: Replied
    pending: Pending
    claim: DeviceClaim
    completed: Completed
    established: Established
    kem_secret: bytes


def offered() -> Initiator:
    """A device that has not sent its init yet; always the same one."""
    return Initiator(
        CONTEXT, PRS, exchange_keys=KEY_SET.exchange_keys(EXCHANGE), entropy=entropy("device")
    )


def receive(initiator: Initiator, reply: bytes) -> Pending:
    """Hand Ann's laptop a reply."""
    return initiator.receive_reply(
        reply, identity=IDENTITY, device=DEVICE, grants=NAMES, sub=DOCUMENT.sub
    )


def encapsulated() -> tuple[bytes, bytes]:
    """The given ciphertext (encapsulation has its own randomness) and what it decapsulates to."""
    ciphertext = bytes.fromhex(json.loads((FOLDER / "ciphertext.json").read_text())["ciphertext"])
    return kem_key().decapsulate(ciphertext), ciphertext


def kem_key() -> MLKEM768PrivateKey:
    """The device's decapsulation key: its 64-byte seed comes after nonce and scalar."""
    return MLKEM768PrivateKey.from_seed_bytes(seed("device", 128)[64:])


@cache
def run() -> Run:
    """Play the whole exchange."""
    return play(offered(), PRS, NAMES, scalar=seed("service"))


def play(initiator: Initiator, prs: bytes, grants: tuple[GrantName, ...], *, scalar: bytes) -> Run:
    """Play an exchange between `initiator` and a service that draws `scalar`."""
    init = initiator.init()
    replied = respond_with(
        initiator.context,
        prs,
        read_init(init),
        exchange_key=EXCHANGE_KEY,
        scalar=scalar,
        encapsulated=encapsulated(),
    )
    # Before the complete, a typed code says neither whose it is nor what for.
    is_silent = initiator.context.kind == "code"
    pending = initiator.receive_reply(
        replied.reply,
        identity=IDENTITY,
        device=DEVICE,
        grants=() if is_silent else grants,
        sub=None if is_silent else DOCUMENT.sub,
    )
    claim = accept_confirm(replied.secrets, read_confirm(pending.confirm))
    completed = complete(replied.secrets, claim, sub=DOCUMENT.sub, grants=grants)
    return Run(
        context=initiator.context,
        prs=prs,
        grants=grants,
        init=init,
        replied=replied,
        pending=pending,
        claim=claim,
        completed=completed,
        established=pending.receive_complete(completed.body),
        kem_secret=encapsulated()[0],
    )
