"""The chain: each link is a hash over the one before it, and its end is signed. No I/O here."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Annotated, Final

import msgspec

from protocol.encoding import b64u, lv_cat, unb64u
from protocol.errors import RemoteProtocolError
from protocol.signing import SigningKey, VerifyKey

LINK_LABEL: Final = "handfast/1 audit link"
HEAD_LABEL: Final = "handfast/1 audit head"
# What stands for the link before the first one.
START: Final = bytes(32)


_Number = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class HeadFormatError(Exception):
    """A line of the heads file is not one of ours."""


def link_hash(position: int, before: bytes, audit_id: int, record: bytes) -> bytes:
    """Return the hash of the link at a position; ``before`` is the hash of the one before it."""
    return hashlib.sha256(
        lv_cat(LINK_LABEL, _number(position), before, _number(audit_id), record)
    ).digest()


@dataclass(frozen=True)
class Head:
    """The chain's end at a moment, signed with the audit key."""

    position: int
    hash: bytes
    at: int
    key_id: str
    signature: bytes

    @classmethod
    def sign(cls, position: int, link: bytes, *, at: int, key: SigningKey) -> Head:
        """Sign the link at a position as the chain's end."""
        signature = key.sign(_signed(position, link, at))
        return cls(position, link, at, key.kid, signature)

    def verify(self, key: VerifyKey) -> None:
        """Raise VerificationError unless this key signed it."""
        key.verify(self.signature, _signed(self.position, self.hash, self.at))

    def to_line(self) -> bytes:
        """Return its line of the heads file, with the line's end."""
        line = _Line(self.at, b64u(self.hash), self.key_id, self.position, b64u(self.signature))
        return msgspec.json.encode(line) + b"\n"

    @classmethod
    def from_line(cls, untrusted: bytes) -> Head:
        """Read a line, or raise HeadFormatError; its signature is another matter."""
        try:
            line = msgspec.json.decode(untrusted, type=_Line)
            link, signature = unb64u(line.hash, length=32), unb64u(line.signature, length=64)
        except (msgspec.MsgspecError, RemoteProtocolError) as error:
            raise HeadFormatError(type(error).__name__) from error
        return cls(line.position, link, line.at, line.key, signature)


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    at: _Number
    hash: str
    key: str
    position: _Number
    signature: str


def _signed(position: int, link: bytes, at: int) -> bytes:
    return lv_cat(HEAD_LABEL, _number(position), link, _number(at))


def _number(value: int) -> bytes:
    # Signed, so that a number below zero that somebody put there does not stop the verifier.
    return value.to_bytes(8, "big", signed=True)
