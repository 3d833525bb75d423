"""The service's steps: stateless, because its state lives in the rows of the caller."""

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey

from protocol import cpace, key_schedule
from protocol.encoding import Bytes16, Bytes32, Bytes64, encode, lv_cat
from protocol.errors import (
    ErrorCode,
    LocalProtocolError,
    RemoteProtocolError,
    VerificationError,
)
from protocol.key_schedule import Context, labelled, mac
from protocol.messages import (
    Ciphertext,
    Complete,
    Confirm,
    DeviceIdentity,
    Init,
    KeyName,
    Reply,
    Result,
)
from protocol.sealing import seal, unseal
from protocol.session import GrantName, SessionKey, session_keys
from protocol.signing import SigningKey, VerifyKey


@dataclass(frozen=True, slots=True)
class RunSecrets:
    """What the service keeps of a run between reply and confirm; seal it at rest."""

    prk: bytes = field(repr=False)
    th2: bytes

    def to_bytes(self) -> bytes:
        """128 bytes: PRK, then TH2."""
        return self.prk + self.th2

    @classmethod
    def from_bytes(cls, data: bytes) -> "RunSecrets":
        """The opposite of to_bytes."""
        if len(data) != 128:
            raise LocalProtocolError("stored run secrets have 128 bytes")
        return cls(prk=data[:64], th2=data[64:])


@dataclass(frozen=True, slots=True)
class Replied:
    """The exact reply body, TH1 as the run's name, and the secrets to keep."""

    reply: bytes
    run: bytes
    secrets: RunSecrets


@dataclass(frozen=True, slots=True)
class DeviceClaim:
    """A device that proved it knows the run's keys and holds its identity key."""

    jkt: str
    identity: bytes
    name: str
    platform: str
    handler: str
    th3: bytes


@dataclass(frozen=True, slots=True)
class Completed:
    """The exact complete body and the keys, in document order."""

    body: bytes
    keys: tuple[SessionKey, ...]


def init_hash(context: Context, init: Init) -> bytes:
    """TH1 (64 bytes), the name of the run an init asks for."""
    return key_schedule.init_transcript(context, init)


def check_admission(prs: bytes, th1: bytes, tag: bytes | msgspec.UnsetType) -> bool:
    """Whether the init's sender holds the document; takes the same time either way."""
    given = b"" if tag is msgspec.UNSET else tag
    return hmac.compare_digest(key_schedule.admission_tag(prs, th1), given)


def respond(
    context: Context,
    prs: bytes,
    init: Init,
    *,
    exchange_key: SigningKey,
    entropy: Callable[[int], bytes],
    th1: bytes | None = None,
) -> Replied:
    """Answer an admitted init; only the ML-KEM ciphertext has randomness not from `entropy`.

    `th1` is what init_hash gave for this init, if the caller has it already.
    """
    return respond_with(
        context,
        prs,
        init,
        exchange_key=exchange_key,
        scalar=entropy(32),
        encapsulated=_encapsulate(init.kem),
        th1=th1,
    )


def respond_with(
    context: Context,
    prs: bytes,
    init: Init,
    *,
    exchange_key: SigningKey,
    scalar: bytes,
    encapsulated: tuple[bytes, bytes],
    th1: bytes | None = None,
) -> Replied:
    """`respond` for a given scalar and (KEM secret, ciphertext): test vectors need this."""
    channel = context.channel()
    kem_secret, ciphertext = encapsulated
    share = cpace.share(scalar, cpace.calculate_generator(prs, channel, init.nonce))
    k = cpace.agree(scalar, init.share)
    isk = cpace.intermediate_key(init.nonce, k, (init.share, init.kem), (share, ciphertext))
    th1 = th1 or key_schedule.init_transcript(context, init)
    th2 = key_schedule.reply_transcript(th1, exchange_key.kid, share, ciphertext)
    reply = Reply(
        v=1,
        key=exchange_key.kid,
        share=Bytes32(share),
        kem=Ciphertext(ciphertext),
        signature=Bytes64(exchange_key.sign(lv_cat("handfast/1 service signature", th2))),
    )
    secrets = RunSecrets(prk=key_schedule.run_key(prs, kem_secret, isk), th2=th2)
    return Replied(reply=encode(reply), run=th1, secrets=secrets)


def accept_confirm(secrets: RunSecrets, confirm: Confirm) -> DeviceClaim:
    """Check tag, open, check the device's signature; else raise RemoteProtocolError(REFUSED)."""
    th3 = key_schedule.confirm_transcript(secrets.th2, confirm.sealed)
    expected = mac(labelled(secrets.prk, "device tag", secrets.th2, 64), th3)
    if not hmac.compare_digest(expected, confirm.tag):
        raise RemoteProtocolError(ErrorCode.REFUSED, "the device's tag is wrong")
    device = unseal(secrets.prk, "device seal", secrets.th2, confirm.sealed, DeviceIdentity)
    identity = VerifyKey(device.identity)
    try:
        identity.verify(device.signature, device_statement(secrets.th2, device))
    except VerificationError as error:
        raise RemoteProtocolError(ErrorCode.REFUSED, "the device's signature is wrong") from error
    return DeviceClaim(
        jkt=identity.kid,
        identity=identity.x,
        name=device.name,
        platform=device.platform,
        handler=device.handler,
        th3=th3,
    )


def complete(
    secrets: RunSecrets, claim: DeviceClaim, *, sub: str, grants: Sequence[GrantName]
) -> Completed:
    """Derive every key and write the complete; send nothing before both are stored."""
    keys = session_keys(secrets.prk, claim.th3, grants)
    result = Result(device=claim.jkt, sub=sub, keys=tuple(_key_name(key) for key in keys))
    sealed = seal(secrets.prk, "service seal", secrets.th2, result)
    th4 = key_schedule.complete_transcript(claim.th3, sealed)
    tag = mac(labelled(secrets.prk, "service tag", secrets.th2, 64), th4)
    return Completed(body=encode(Complete(v=1, sealed=sealed, tag=Bytes64(tag))), keys=keys)


def device_statement(th2: bytes, device: DeviceIdentity) -> bytes:
    """What the device's identity key signs in a confirm."""
    return lv_cat(
        "handfast/1 device signature",
        th2,
        device.identity,
        device.name,
        device.platform,
        device.handler,
    )


def _encapsulate(untrusted_key: bytes) -> tuple[bytes, bytes]:
    try:
        return MLKEM768PublicKey.from_public_bytes(untrusted_key).encapsulate()
    except ValueError as error:
        raise RemoteProtocolError(ErrorCode.MALFORMED, "not an ML-KEM-768 key") from error


def _key_name(key: SessionKey) -> KeyName:
    return KeyName(
        grant=key.grant,
        account=key.account,
        service=key.service,
        service_uid=key.service_uid,
        key_id=Bytes16(key.raw_key_id),
        book=key.book,
    )
