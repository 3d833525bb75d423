"""Packets under one key of the fixed run: good ones, spoilt ones, and orders of arrival."""

import hmac
import json
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from protocol.channel import (
    Direction,
    End,
    EndAnswer,
    Packet,
    Report,
    ReportAnswer,
    Rotation,
    read_packet,
    seal_packet,
)
from protocol.encoding import Sealed, encode, lv_cat
from protocol.service_book import book_hash
from protocol.session import SessionKey
from tests.vectors import books, cast, rotations

Json = dict[str, Any]
_change = msgspec.structs.replace

KEY: Final = books.KEY
OTHER: Final = cast.run().established.keys[1]
LAST: Final = 2**53 - 1
FIRST: Final = Report(cast.DEVICE.name, cast.DEVICE.platform, cast.DEVICE.handler, None, False)
LATER: Final = _change(FIRST, book=book_hash(books.RAW.decode()), rotate=True)
FULL: Final = ReportAnswer(books.RAW.decode(), False, None, cast.NOW)
WAITING: Final = ReportAnswer(None, True, None, cast.NOW)
ROTATING: Final = ReportAnswer(
    None, False, Rotation(rotations.CONTEXT.activation, rotations.GRANTS[0].id), cast.NOW
)
TEXT: Final = b'{"act":"end"}'
LABEL: Final = "handfast/1 packet nonce"


def content() -> Json:
    """The key, its two directions, bodies one by one, and bodies in an order."""
    return {
        "session_key": KEY.key.hex(),
        "key_id": KEY.key_id,
        "to-service": KEY.purpose_key("packet", "to-service").hex(),
        "to-device": KEY.purpose_key("packet", "to-device").hex(),
        "nonce to-service": KEY.purpose_key("packet nonce", "to-service").hex(),
        "nonce to-device": KEY.purpose_key("packet nonce", "to-device").hex(),
        "requests": requests(),
        "answers": answers(),
        "arrivals": arrivals(),
        "program_keys": [
            {
                "purpose": purpose,
                "direction": direction,
                "key": KEY.program_key(purpose, direction).hex(),
            }
            for purpose in ("backup", "a1-b2")
            for direction in _DIRECTIONS
        ],
    }


_DIRECTIONS: Final[tuple[Direction, ...]] = ("to-service", "to-device")


def requests() -> list[Json]:
    """What the service receives; an accepted one has its content."""
    return _listed(
        [
            ("a first report", "accepted", packed(FIRST, 1)),
            ("a report that asks for a new key", "accepted", packed(LATER, 65)),
            ("an end", "accepted", packed(End(), 2)),
            ("the last number", "accepted", packed(End(), LAST)),
            *_spoilt("to-service", "to-device"),
            *_malformed(packed(End(), 5)),
            ("an act nobody knows", "malformed", _raw(b'{"act":"begin"}')),
            ("an answer inside", "malformed", _raw(encode(WAITING))),
            ("a name over two lines", "malformed", _raw(encode(_change(FIRST, name="a\nb")))),
            ("act as the last member", "malformed", _raw(_act_last())),
            ("white space inside", "malformed", _raw(b'{"act": "end"}')),
            ("nothing inside", "malformed", _raw(b"")),
        ],
        "to-service",
    )


def answers() -> list[Json]:
    """What the device receives after it sent number 5."""
    return _listed(
        [
            ("a book", "accepted", packed(FULL, 5)),
            ("a device that waits", "accepted", packed(WAITING, 5)),
            ("a rotation", "accepted", packed(ROTATING, 5)),
            ("ended", "accepted", packed(EndAnswer(), 5)),
            ("answer to the packet before", "refused", packed(WAITING, 4)),
            ("answer to the packet after", "refused", packed(WAITING, 6)),
            *_spoilt("to-device", "to-service"),
            *_malformed(packed(EndAnswer(), 5)),
            ("a request inside", "malformed", _raw(encode(FIRST), "to-device")),
        ],
        "to-device",
    )


def arrivals() -> list[Json]:
    """Orders of arrival at a service that has not seen the key before."""
    orders: list[tuple[str, list[int], str]] = [
        ("in order", [1, 2, 3], "aaa"),
        ("the same twice", [1, 1], "ar"),
        ("doubled on the way", [1, 2, 2, 1, 3], "aarra"),
        ("reordered", [3, 1, 2, 3, 2, 1], "aaarrr"),
        ("a block skipped", [1, 65, 2, 1], "aaar"),
        ("behind the window", [65, 1, 66, 2, 3], "arara"),
        ("a leap over the whole window", [5, 5 + 64, 5, 6], "aara"),
        ("to the last number and back", [LAST, LAST, LAST - 63, LAST - 64, 1], "ararr"),
    ]
    return [
        {
            "name": name,
            "arrive": [
                {
                    "body": packed(End(), number).decode(),
                    "expect": {"a": "accepted", "r": "replayed"}[letter],
                }
                for number, letter in zip(numbers, outcomes, strict=True)
            ],
        }
        for name, numbers, outcomes in orders
    ]


def packed(content: Report | End | ReportAnswer | EndAnswer, number: int) -> bytes:
    """Seal in the direction in which such a thing goes."""
    to_service = isinstance(content, Report | End)
    return seal_packet(KEY, "to-service" if to_service else "to-device", number, content)


_Case = tuple[str, str, bytes]


def _listed(cases: list[_Case], direction: Direction) -> list[Json]:
    return [
        {"name": name, "body": body.decode(), "expect": expect}
        | ({"content": _inside(body, direction)} if expect == "accepted" else {})
        for name, expect, body in cases
    ]


def _inside(body: bytes, direction: Direction) -> str:
    """The text that a packet seals."""
    packet = read_packet(body)
    cipher = AESGCM(KEY.purpose_key("packet", direction))
    nonce, locked = packet.sealed[:12], packet.sealed[12:]
    return cipher.decrypt(nonce, locked, _bound(direction, packet.number)).decode()


def _bound(direction: Direction, number: int, key: SessionKey = KEY) -> bytes:
    """The associated data, written here once more."""
    return lv_cat("handfast/1 packet", key.key_id, direction, number.to_bytes(8, "big"))


def _mac(key: bytes, *fields: str | bytes) -> bytes:
    return hmac.digest(key, lv_cat(*fields), "sha512")


def _raw(plain: bytes, direction: Direction = "to-service", **other: Any) -> bytes:
    """A packet with the number 5, of which `other` says what is not as it should be."""
    associated = other.get("associated", _bound(direction, 5))
    key = other.get("key", KEY.purpose_key("packet", direction))
    nonce_key = other.get("nonce key", KEY.purpose_key("packet nonce", direction))
    nonce = other.get("nonce", _mac(nonce_key, LABEL, associated, plain)[:12])
    sealed = Sealed(nonce + AESGCM(key).encrypt(nonce, plain, associated))
    return encode(Packet(v=1, key=other.get("named", KEY.key_id), number=5, sealed=sealed))


def _spoilt(direction: Direction, back: Direction) -> list[_Case]:
    """Packets that must not open: each differs from a good one in one thing."""
    changes = [
        *_other_keys(direction, back),
        *_other_nonces(direction),
        *_other_nonce_keys(direction, back),
        *_other_bindings(direction),
    ]
    good = read_packet(_raw(TEXT, direction))
    return [
        ("reflected", "refused", _raw(TEXT, back)),
        *((name, "refused", _raw(TEXT, direction, **change)) for name, change in changes),
        *(
            (name, "refused", encode(_change(good, sealed=Sealed(sealed))))
            for name, sealed in _altered(good.sealed).items()
        ),
    ]


_Changes = list[tuple[str, Json]]


def _other_keys(direction: Direction, back: Direction) -> _Changes:
    """Sealed for another key, the other direction or another purpose."""
    return [
        ("another key's secret", {"key": OTHER.purpose_key("packet", direction)}),
        ("another key's name outside", {"named": OTHER.key_id}),
        ("another key's name in the binding", {"associated": _bound(direction, 5, OTHER)}),
        ("secret of the other direction", {"key": KEY.purpose_key("packet", back)}),
        ("binding of the other direction", {"associated": _bound(back, 5)}),
        ("secret of another purpose", {"key": KEY.purpose_key("contacts", direction)}),
        ("secret of a program", {"key": KEY.program_key("packet", direction)}),
    ]


def _other_nonces(direction: Direction) -> _Changes:
    """Nonces that do not come from the text and its binding in the one right way."""
    key, bound = KEY.purpose_key("packet nonce", direction), _bound(direction, 5)
    joined = LABEL.encode() + bound + TEXT
    nonces = {
        "nonce that counts": bytes(4) + (5).to_bytes(8, "big"),
        "nonce of zeros": bytes(12),
        "nonce of another number": _mac(key, LABEL, _bound(direction, 4), TEXT),
        "nonce of another text": _mac(key, LABEL, bound, b'{"act":"End"}'),
        "nonce without the text": _mac(key, LABEL, bound),
        "nonce of text before binding": _mac(key, LABEL, TEXT, bound),
        "nonce without label": _mac(key, bound, TEXT),
        "nonce with the wrong label": _mac(key, "handfast/1 packet", bound, TEXT),
        "nonce of the last bytes": _mac(key, LABEL, bound, TEXT)[-12:],
        "nonce of SHA-256": hmac.digest(key, lv_cat(LABEL, bound, TEXT), "sha256"),
        "nonce of fields just joined": hmac.digest(key, joined, "sha512"),
    }
    return [(name, {"nonce": nonce[:12]}) for name, nonce in nonces.items()]


def _other_nonce_keys(direction: Direction, back: Direction) -> _Changes:
    """Nonces made with a secret that is for something else."""
    keys = {
        "nonce key of the other direction": KEY.purpose_key("packet nonce", back),
        "nonce under the key of packets": KEY.purpose_key("packet", direction),
        "nonce under another key": OTHER.purpose_key("packet nonce", direction),
    }
    return [(name, {"nonce key": key}) for name, key in keys.items()]


def _other_bindings(direction: Direction) -> _Changes:
    """Associated data that lack something or name another number."""
    bindings = {
        "binding of another number": _bound(direction, 4),
        "binding without label": _bound(direction, 5)[18:],
        "no binding": b"",
    }
    return [(name, {"associated": bound}) for name, bound in bindings.items()]


def _altered(sealed: bytes) -> dict[str, bytes]:
    """Sealed bytes that somebody touched on the way."""
    nonce, locked = sealed[:12], sealed[12:]
    return {
        "altered nonce": bytes([nonce[0] ^ 1]) + nonce[1:] + locked,
        "altered text": nonce + bytes([locked[0] ^ 1]) + locked[1:],
        "altered tag": sealed[:-1] + bytes([sealed[-1] ^ 1]),
        "text cut": sealed[:-1],
        "nonce at the end": locked + nonce,
        "no nonce": locked,
        "nonce of 16 bytes": nonce + bytes(4) + locked,
        "shorter than nonce and tag": sealed[:27],
        "a nonce and nothing more": nonce,
        "shorter than a nonce": sealed[:7],
        "nothing sealed": b"",
    }


def _malformed(good: bytes) -> list[_Case]:
    """Bodies that do not decode, each by one change to a good one."""
    members = json.loads(good)
    backwards = dict(reversed(members.items()))
    changes: dict[str, Json] = {
        "number 0": members | {"number": 0},
        "number -1": members | {"number": -1},
        "number 2 to the 53": members | {"number": 2**53},
        "number as text": members | {"number": "5"},
        "number 5.0": members | {"number": 5.0},
        "no number": {name: members[name] for name in ("v", "key", "sealed")},
        "version 2": members | {"v": 2},
        "key id of 32 bytes": members | {"key": cast.IDENTITY.kid},
        "key id with unused bits": members | {"key": members["key"][:-1] + "B"},
        "padded": members | {"sealed": members["sealed"] + "="},
        "a member more": members | {"direction": "to-service"},
        "members in another order": backwards,
    }
    twice = good.replace(b'"number":5', b'"number":5,"number":5')
    return [
        *((name, "malformed", _compact(change)) for name, change in changes.items()),
        ("number twice", "malformed", twice),
        ("number with a leading zero", "malformed", good.replace(b":5,", b":05,")),
        ("a final newline", "malformed", good + b"\n"),
        ("a list", "malformed", b"[" + good + b"]"),
        ("more than 65,536 bytes", "too-large", _compact(members | {"sealed": "A" * 65_536})),
    ]


def _act_last() -> bytes:
    members = json.loads(encode(FIRST))
    return _compact(dict(reversed(members.items())))


def _compact(value: Json) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
