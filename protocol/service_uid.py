"""Service UIDs: opaque routing names whose prefix tells a proxy the shard (docs/protocol.md 12)."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from protocol.crockford import ALPHABET, encode_bits
from protocol.errors import ErrorCode, LocalProtocolError, RemoteProtocolError

VERSION: Final = 1
MAX_SHARD: Final = 2**15 - 1
LENGTH: Final = 31
_RANDOM_BITS: Final = 130


@dataclass(frozen=True, slots=True)
class ServiceUid:
    """A parsed service UID; `random` is its 26 opaque symbols."""

    version: int
    shard: int
    random: str


def make(shard: int, *, entropy: Callable[[int], bytes]) -> str:
    """Make a new UID: version (1 symbol), shard (3), random (26), check (1)."""
    if not 0 <= shard <= MAX_SHARD:
        raise LocalProtocolError(f"shard {shard} is not within 0 to {MAX_SHARD}")
    random = int.from_bytes(entropy(17), "big") >> (17 * 8 - _RANDOM_BITS)
    body = encode_bits(VERSION, 5) + encode_bits(shard, 15) + encode_bits(random, _RANDOM_BITS)
    return body + _check(body)


def parse(untrusted: str) -> ServiceUid:
    """Take a UID apart, or raise RemoteProtocolError."""
    if len(untrusted) != LENGTH or any(symbol not in ALPHABET for symbol in untrusted):
        raise RemoteProtocolError(ErrorCode.MALFORMED, "not a service UID")
    body = untrusted[:-1]
    if untrusted[-1] != _check(body):
        raise RemoteProtocolError(ErrorCode.MALFORMED, "wrong check symbol in service UID")
    version = ALPHABET.index(body[0])
    if version != VERSION:
        raise RemoteProtocolError(ErrorCode.MALFORMED, "unknown version of service UID")
    shard = 0
    for symbol in body[1:4]:
        shard = shard * 32 + ALPHABET.index(symbol)
    return ServiceUid(version=version, shard=shard, random=body[4:])


def _check(body: str) -> str:
    """One symbol of the same alphabet, so that a UID stays plain letters and digits."""
    return ALPHABET[hashlib.sha256(b"handfast/1 service uid" + body.encode()).digest()[0] >> 3]
