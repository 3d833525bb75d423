"""Every decoder returns something that encodes to the same bytes, or raises its own error."""

import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from protocol import activation, service_book, service_uid, trust
from protocol.channel import ReportAnswer, open_answer, open_request, read_packet
from protocol.encoding import b64u, decode, encode, unb64u
from protocol.errors import LocalProtocolError, RemoteProtocolError, VerificationError
from protocol.handshake import Pending, read_complete, read_confirm, read_init, read_reply
from protocol.messages import DeviceIdentity, Result
from protocol.notice import Notice, open_notice
from protocol.removal import Noted, read_removed
from protocol.sealing import unseal
from protocol.signing import decode_payload, unverified_payload
from protocol.trust import TrustBundle, sign_key_set, verify_key_set
from tests.vectors import books, cast, notices, packets, removals

RUN = cast.run()
KEY_SET = sign_key_set(cast.KEY_SET, cast.ROOT)
NOTICE = notices._good("revoked")
NOTICE_CLAIMS = unverified_payload(NOTICE)

Decoder = Callable[[bytes], bytes]


def through(read: Callable[[bytes], object]) -> Decoder:
    return lambda data: encode(read(data))


def unsealed(as_type: type[DeviceIdentity] | type[Result]) -> bytes:
    """The plain text that the fixed run seals."""
    prk, th2 = RUN.replied.secrets.prk, RUN.replied.secrets.th2
    if as_type is DeviceIdentity:
        return encode(unseal(prk, "device seal", th2, RUN.pending.sealed, as_type))
    return encode(
        unseal(prk, "service seal", th2, read_complete(RUN.completed.body).sealed, as_type)
    )


def sealed_request(data: bytes) -> object:
    """What the service makes of any text that a device seals."""
    return open_request(packets.KEY, read_packet(packets._raw(data)))


def sealed_answer(data: bytes) -> object:
    """What the device makes of any text that a service seals."""
    body = packets._raw(data, "to-device")
    return open_answer(packets.KEY, body, number=5, expected=ReportAnswer)


SAMPLES: dict[str, tuple[Decoder, bytes]] = {
    "init": (through(read_init), RUN.init),
    "reply": (through(read_reply), RUN.replied.reply),
    "confirm": (through(read_confirm), RUN.pending.confirm),
    "complete": (through(read_complete), RUN.completed.body),
    "trust bundle": (lambda data: TrustBundle.from_json(data).to_json(), cast.BUNDLE.to_json()),
    "pending": (lambda data: Pending.from_bytes(data).to_bytes(), RUN.pending.to_bytes()),
    "document claims": (
        lambda data: encode(activation._to_wire(activation._from_payload(data))),
        encode(activation._to_wire(cast.DOCUMENT)),
    ),
    "key set claims": (
        lambda data: encode(trust._to_wire(trust._from_payload(data))),
        encode(trust._to_wire(cast.KEY_SET)),
    ),
    "device identity": (
        through(lambda data: decode(data, DeviceIdentity)),
        unsealed(DeviceIdentity),
    ),
    "result": (through(lambda data: decode(data, Result)), unsealed(Result)),
    "packet": (through(read_packet), packets.packed(packets.LATER, 65)),
    "request": (through(sealed_request), encode(packets.LATER)),
    "answer": (through(sealed_answer), encode(packets.ROTATING)),
    "service book claims": (
        through(lambda data: service_book._read(data, cast.ISSUER)),
        encode(books.BOOK),
    ),
    "removed": (through(read_removed), removals.BODY),
    "noted": (through(lambda data: decode(data, Noted)), removals.ANSWER),
    "notice claims": (through(lambda data: decode_payload(data, Notice)), NOTICE_CLAIMS),
}
REFUSALS = (RemoteProtocolError, VerificationError, LocalProtocolError)


def same_or_refused(decoder: Decoder, data: bytes) -> None:
    try:
        again = decoder(data)
    except REFUSALS:
        return
    assert again == data


decoders = pytest.mark.parametrize("name", list(SAMPLES))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@decoders
@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=300))
@example(data=b"[" * 60_000)
@example(data=b'{"a":' * 10_000)
@example(data=b'"\xff"')
@example(data=b'{"v":1,"v":1}')
@example(data=b'{"v":1e400}')
@example(data=b"1" * 5000)
def test_any_bytes(name: str, data: bytes) -> None:
    same_or_refused(SAMPLES[name][0], data)


@decoders
@settings(max_examples=100, deadline=None)
@given(value=json_values)
def test_any_json(name: str, value: Any) -> None:
    same_or_refused(SAMPLES[name][0], json.dumps(value).encode("utf-8", "replace"))


@decoders
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_member_changed(name: str, data: st.DataObject) -> None:
    decoder, sample = SAMPLES[name]
    members = json.loads(sample)
    member = data.draw(st.sampled_from(sorted(members)))
    members[member] = data.draw(json_values)
    text = json.dumps(members, separators=(",", ":"), ensure_ascii=False)
    same_or_refused(decoder, text.encode("utf-8", "replace"))


@decoders
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_piece_replaced(name: str, data: st.DataObject) -> None:
    decoder, sample = SAMPLES[name]
    start = data.draw(st.integers(0, len(sample)))
    end = data.draw(st.integers(start, min(len(sample), start + 6)))
    piece = data.draw(st.binary(max_size=6) | st.sampled_from([b"null", b'""', b" ", b"\\u0041"]))
    same_or_refused(decoder, sample[:start] + piece + sample[end:])


def open_sample(untrusted: bytes) -> None:
    activation.open_document(untrusted, [cast.TRUSTED])


def verify_sample(untrusted: bytes) -> None:
    verify_key_set(untrusted, cast.BUNDLE, now=cast.NOW)


def open_book_sample(untrusted: bytes) -> None:
    service_book.open_book(untrusted, cast.KEY_SET, cast.EXCHANGE)


def open_notice_sample(untrusted: bytes) -> None:
    open_notice(untrusted, cast.KEY_SET, cast.EXCHANGE, now=cast.NOW)


OPENERS: dict[str, tuple[Callable[[bytes], None], bytes]] = {
    "document": (open_sample, cast.RAW),
    "keys": (verify_sample, KEY_SET),
    "book": (open_book_sample, books.RAW),
    "notice": (open_notice_sample, NOTICE),
}
SIGNED = pytest.mark.parametrize(("opener", "raw"), list(OPENERS.values()), ids=list(OPENERS))


@SIGNED
def test_every_truncation_is_refused(opener: Callable[[bytes], None], raw: bytes) -> None:
    for length in range(len(raw)):
        with pytest.raises(VerificationError):
            opener(raw[:length])


@SIGNED
def test_a_thousand_flipped_bits_are_refused(opener: Callable[[bytes], None], raw: bytes) -> None:
    chance = random.Random(20_260)  # noqa: S311 a repeatable choice of bits, not a secret
    for _ in range(1000):
        position, bit = chance.randrange(len(raw)), chance.randrange(8)
        spoilt = bytearray(raw)
        spoilt[position] ^= 1 << bit
        with pytest.raises(VerificationError):
            opener(bytes(spoilt))


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=400) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_no_document(data: bytes) -> None:
    for opener, _ in OPENERS.values():
        with pytest.raises(VerificationError):
            opener(data)


@given(text=st.text(max_size=60) | st.text("ABQZabz019-_=+/", max_size=60))
def test_base64url_has_one_spelling(text: str) -> None:
    try:
        data = unb64u(text)
    except RemoteProtocolError:
        return
    assert b64u(data) == text


@given(data=st.binary(max_size=300))
def test_base64url_returns_what_went_in(data: bytes) -> None:
    assert unb64u(b64u(data), length=len(data)) == data


@given(shard=st.integers(0, service_uid.MAX_SHARD), random=st.binary(min_size=17, max_size=17))
def test_service_uid_returns_its_shard(shard: int, random: bytes) -> None:
    text = service_uid.make(shard, entropy=lambda _: random)
    assert service_uid.parse(text).shard == shard
    assert len(text) == service_uid.LENGTH


@given(text=st.text(max_size=40) | st.text("0123456789ABCDEFGHJKMNPQRSTVWXYZ", max_size=40))
def test_any_text_is_a_service_uid_or_refused(text: str) -> None:
    try:
        uid = service_uid.parse(text)
    except RemoteProtocolError:
        return
    assert text[4:-1] == uid.random
