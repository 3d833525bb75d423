"""The device's steps: each takes the state of the one before it away."""

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey

from protocol import cpace, key_schedule, service_uid
from protocol.encoding import (
    ActivationName,
    Bytes32,
    Bytes64,
    KeyId,
    PublicId,
    Sealed,
    ServiceName,
    Subject,
    Text,
    decode,
    encode,
    lv_cat,
)
from protocol.errors import (
    ErrorCode,
    LocalProtocolError,
    Reason,
    RemoteProtocolError,
    VerificationError,
)
from protocol.key_schedule import Context, labelled, mac
from protocol.messages import (
    SUITE,
    Complete,
    Confirm,
    DeviceIdentity,
    EncapsulationKey,
    Init,
    Reply,
    Result,
    read_complete,
    read_reply,
)
from protocol.responder import device_statement
from protocol.sealing import seal, unseal
from protocol.session import DeviceDescription, GrantName, SessionKey, session_keys
from protocol.signing import SigningKey, VerifyKey
from protocol.states import State, after


@dataclass(frozen=True, slots=True)
class _Offer:
    """The secrets of an offered run; gone once a reply has been accepted."""

    prs: bytes = field(repr=False)
    scalar: bytes = field(repr=False)
    kem: MLKEM768PrivateKey = field(repr=False)
    init: Init


class Initiator:
    """A run seen from the device, up to the confirm."""

    def __init__(
        self,
        context: Context,
        prs: bytes,
        *,
        exchange_keys: Mapping[str, VerifyKey],
        entropy: Callable[[int], bytes],
    ) -> None:
        self.context = context
        # May be replaced by a fresher key set's keys when a reply names an unknown one.
        self.exchange_keys = exchange_keys
        self.state = State.START
        self._offer: _Offer | None = _offer(context, prs, entropy)

    def __repr__(self) -> str:
        return f"Initiator({self.context.activation}, {self.state})"

    def init(self) -> bytes:
        """The exact body to post to /init; resend these bytes, never a second init."""
        offer = self._step(Init)
        return encode(offer.init)

    def receive_reply(
        self,
        untrusted: bytes,
        *,
        identity: SigningKey,
        device: DeviceDescription,
        grants: Sequence[GrantName] = (),
        sub: str | None = None,
    ) -> "Pending":
        """Verify a reply and write the confirm: store what this returns, then send it.

        RemoteProtocolError (malformed) and VerificationError (unknown-key, bad-signature) are
        noise: no secret was used and another reply may be tried. After a good signature the
        run's secrets are gone, whatever happens.
        """
        init = self._expect(Reply).init
        _check_expected(self.context.kind, len(grants), sub)
        reply = read_reply(untrusted)
        th1, th2 = self._verified(init, reply)
        prk = _run_key(self._step(Reply), reply)
        sealed = seal(prk, "device seal", th2, _introduce(identity, device, th2))
        th3 = key_schedule.confirm_transcript(th2, sealed)
        tag = mac(labelled(prk, "device tag", th2, 64), th3)
        return Pending(
            kind=self.context.kind,
            issuer=self.context.issuer,
            activation=self.context.activation,
            sub=sub,
            device=identity.kid,
            run=Bytes64(th1),
            th2=Bytes64(th2),
            th3=Bytes64(th3),
            prk=Bytes64(prk),
            sealed=sealed,
            tag=Bytes64(tag),
            named=tuple(_Named.of(grant) for grant in grants),
        )

    def _verified(self, init: Init, reply: Reply) -> tuple[bytes, bytes]:
        """Return TH1 and TH2 once the service's signature over them is good; or raise."""
        key = self.exchange_keys.get(reply.key)
        if key is None:
            raise VerificationError(Reason.UNKNOWN_KEY, f"no exchange key {reply.key}")
        th1 = key_schedule.init_transcript(self.context, init)
        th2 = key_schedule.reply_transcript(th1, reply.key, reply.share, reply.kem)
        key.verify(reply.signature, lv_cat("handfast/1 service signature", th2))
        return th1, th2

    def _expect(self, message: type[Init] | type[Reply]) -> _Offer:
        """Return the offer if `message` may come now; otherwise end the run."""
        try:
            after(self.state, message)
        except LocalProtocolError:
            self._offer = None
            raise
        if self._offer is None:
            raise LocalProtocolError("this run has ended")
        return self._offer

    def _step(self, message: type[Init] | type[Reply]) -> _Offer:
        offer = self._expect(message)
        self.state = after(self.state, message)
        if self.state is not State.OFFERED:
            self._offer = None
        return offer


class _Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: PublicId
    account: Text
    service: ServiceName
    service_uid: str

    @classmethod
    def of(cls, grant: GrantName) -> "_Named":
        return cls(grant.id, grant.account, grant.service, grant.service_uid)


class Pending(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A run whose confirm may have been sent: store it sealed until a complete answers it."""

    kind: key_schedule.Kind
    issuer: str
    activation: ActivationName
    # A typed code says neither whose it is nor what for: the complete does.
    sub: Subject | None
    device: KeyId
    run: Bytes64
    th2: Bytes64
    th3: Bytes64
    prk: Bytes64
    sealed: Sealed
    tag: Bytes64
    named: tuple[_Named, ...]

    def __repr__(self) -> str:
        return f"Pending({self.activation}, {self.issuer})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return [("activation", self.activation), ("issuer", self.issuer)]

    @property
    def state(self) -> State:
        """Waiting for a complete, however long."""
        return State.KEYED

    @property
    def grants(self) -> tuple[GrantName, ...]:
        """The grants of the document, in its order."""
        return tuple(
            GrantName(one.id, one.account, one.service, one.service_uid) for one in self.named
        )

    @property
    def confirm(self) -> bytes:
        """The exact body to post to /confirm, the same every time."""
        return encode(
            Confirm(v=1, activation=self.activation, run=self.run, sealed=self.sealed, tag=self.tag)
        )

    def to_bytes(self) -> bytes:
        """Everything, secrets included: only for a sealed store."""
        return encode(self)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Pending":
        """The opposite of to_bytes."""
        try:
            return decode(data, cls)
        except RemoteProtocolError as error:
            raise LocalProtocolError("the stored run is damaged") from error

    def receive_complete(self, untrusted: bytes) -> "Established":
        """Check tag, open, compare; or raise RemoteProtocolError, and this stays pending."""
        after(self.state, Complete)
        complete = read_complete(untrusted)
        th4 = key_schedule.complete_transcript(self.th3, complete.sealed)
        expected = mac(labelled(self.prk, "service tag", self.th2, 64), th4)
        if not hmac.compare_digest(expected, complete.tag):
            raise RemoteProtocolError(ErrorCode.REFUSED, "the service's tag is wrong")
        result = unseal(self.prk, "service seal", self.th2, complete.sealed, Result)
        keys = _agreed_keys(self, result)
        return Established(device=result.device, sub=result.sub, keys=keys)


@dataclass(frozen=True, slots=True)
class Established:
    """Both sides hold the same keys; `device` is this device's jkt."""

    device: str
    sub: str
    keys: tuple[SessionKey, ...]

    @property
    def state(self) -> State:
        """Nothing comes after this."""
        return State.ESTABLISHED


def _check_expected(kind: key_schedule.Kind, grants: int, sub: str | None) -> None:
    """What is expected of the complete is known before, except for a typed code."""
    if kind == "rotation" and grants != 1:
        raise LocalProtocolError("a rotation has one grant")
    said = (grants > 0, sub is not None)
    if said != ((False, False) if kind == "code" else (True, True)):
        raise LocalProtocolError("owner and grants are known before, or both are learnt")


def _offer(context: Context, prs: bytes, entropy: Callable[[int], bytes]) -> _Offer:
    nonce, scalar = entropy(32), entropy(32)
    kem = MLKEM768PrivateKey.from_seed_bytes(entropy(64))
    generator = cpace.calculate_generator(prs, context.channel(), nonce)
    init = Init(
        v=1,
        suite=SUITE,
        activation=context.activation,
        nonce=Bytes32(nonce),
        share=Bytes32(cpace.share(scalar, generator)),
        kem=EncapsulationKey(kem.public_key().public_bytes_raw()),
    )
    # A tag over a typed code could be used to guess it offline, so codes have none.
    if context.kind != "code":
        tag = key_schedule.admission_tag(prs, key_schedule.init_transcript(context, init))
        init = msgspec.structs.replace(init, admission=Bytes64(tag))
    return _Offer(prs=prs, scalar=scalar, kem=kem, init=init)


def _run_key(offer: _Offer, reply: Reply) -> bytes:
    """PRK, out of secrets that nobody keeps after this."""
    k = cpace.agree(offer.scalar, reply.share)
    isk = cpace.intermediate_key(
        offer.init.nonce, k, (offer.init.share, offer.init.kem), (reply.share, reply.kem)
    )
    return key_schedule.run_key(offer.prs, offer.kem.decapsulate(reply.kem), isk)


def _introduce(identity: SigningKey, device: DeviceDescription, th2: bytes) -> DeviceIdentity:
    unsigned = DeviceIdentity(
        identity=Bytes32(identity.public),
        name=device.name,
        platform=device.platform,
        handler=device.handler,
        signature=Bytes64(64),
    )
    signature = identity.sign(device_statement(th2, unsigned))
    return msgspec.structs.replace(unsigned, signature=Bytes64(signature))


def _check_learnt(grants: Sequence[GrantName]) -> None:
    """Hold the grants of a typed code to what 6.2 asks of a document's."""
    distinct = (
        {one.id for one in grants},
        {(one.account, one.service) for one in grants},
        {one.service_uid for one in grants},
    )
    if any(len(names) != len(grants) for names in distinct):
        raise RemoteProtocolError(ErrorCode.REFUSED, "a grant is listed twice")
    try:
        for one in grants:
            service_uid.parse(one.service_uid)
    except RemoteProtocolError as error:
        raise RemoteProtocolError(ErrorCode.REFUSED, str(error)) from error


def _agreed_keys(pending: Pending, result: Result) -> tuple[SessionKey, ...]:
    """The keys of the run if the service names exactly what was asked for."""
    received = tuple(
        GrantName(one.grant, one.account, one.service, one.service_uid) for one in result.keys
    )
    if result.device != pending.device:
        raise RemoteProtocolError(ErrorCode.REFUSED, "the service names another device")
    if pending.kind == "code":
        # Documents and rotations name their grants; here they are learnt, before consent.
        _check_learnt(received)
    elif received != pending.grants or result.sub != pending.sub:
        raise RemoteProtocolError(ErrorCode.REFUSED, "the service names other keys or owners")
    keys = session_keys(pending.prk, pending.th3, received)
    if any(key.raw_key_id != one.key_id for key, one in zip(keys, result.keys, strict=True)):
        raise RemoteProtocolError(ErrorCode.REFUSED, "the service's key ids differ")
    return tuple(
        SessionKey(
            grant=key.grant,
            account=key.account,
            service=key.service,
            service_uid=key.service_uid,
            key=key.key,
            book=one.book,
        )
        for key, one in zip(keys, result.keys, strict=True)
    )
