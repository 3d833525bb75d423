"""What a finished run leaves: one key per grant, and the names that go with it."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

from protocol.encoding import b64u, is_short_text, lv_cat
from protocol.errors import LocalProtocolError
from protocol.key_schedule import expand
from protocol.words import words

Direction = Literal["to-device", "to-service"]

_KEY_ID: Final = lv_cat("handfast/1 key id")
_FINGERPRINT: Final = lv_cat("handfast/1 fingerprint")
_ROTATE: Final = lv_cat("handfast/1 rotate")
_PURPOSE: Final = re.compile("[a-z][a-z0-9-]{0,31}")


@dataclass(frozen=True, slots=True)
class GrantName:
    """A grant without its password."""

    id: str
    account: str
    service: str
    service_uid: str


@dataclass(frozen=True, slots=True)
class DeviceDescription:
    """How a device introduces itself; each 1 to 100 characters that can be shown."""

    name: str
    platform: str
    handler: str

    def __post_init__(self) -> None:
        if not all(map(is_short_text, (self.name, self.platform, self.handler))):
            raise LocalProtocolError("a device description that cannot be sent")


@dataclass(frozen=True, slots=True)
class SessionKey:
    """The key of one (device, account, service); 32 bytes that never travel."""

    grant: str
    account: str
    service: str
    service_uid: str
    key: bytes = field(repr=False)
    book: str | None = None

    @property
    def key_id(self) -> str:
        """The public name of the key: 16 bytes derived from it, as base64url."""
        return b64u(self.raw_key_id)

    @property
    def raw_key_id(self) -> bytes:
        """The key id as bytes."""
        return expand(self.key, _KEY_ID, 16)

    @property
    def fingerprint(self) -> bytes:
        """8 bytes for people to compare."""
        return expand(self.key, _FINGERPRINT, 8)

    @property
    def words(self) -> tuple[str, str, str, str]:
        """The fingerprint's first 44 bits as four words."""
        return words(self.fingerprint)

    def purpose_key(self, purpose: str, direction: Direction) -> bytes:
        """A 32-byte key for one purpose and one direction."""
        return expand(self.key, lv_cat("handfast/1 key", purpose, direction), 32)

    def program_key(self, purpose: str, direction: Direction) -> bytes:
        """A 32-byte key for programs: apart from every key that the protocol itself uses."""
        if not is_purpose(purpose):
            raise LocalProtocolError("not the name of a purpose")
        return self.purpose_key("program/" + purpose, direction)


def is_purpose(text: str) -> bool:
    """Whether `text` may name what a program uses a key for."""
    return _PURPOSE.fullmatch(text) is not None


def rotation_prs(issuer: str, key: SessionKey) -> bytes:
    """The CPace password of a rotation: 64 bytes that only holders of the old key can tell."""
    secret = expand(key.key, _ROTATE, 64)
    return hashlib.sha512(lv_cat("handfast/1 rotation", issuer, key.key_id, secret)).digest()


def session_keys(prk: bytes, th3: bytes, grants: Iterable[GrantName]) -> tuple[SessionKey, ...]:
    """session_i for every grant, in document order."""
    return tuple(
        SessionKey(
            grant=grant.id,
            account=grant.account,
            service=grant.service,
            service_uid=grant.service_uid,
            key=expand(
                prk,
                lv_cat("handfast/1 session key", th3, grant.id, grant.service, grant.service_uid),
                32,
            ),
        )
        for grant in grants
    )
