"""The two sealed texts of a run: each key seals one message once, so the nonce is constant."""

from typing import Final, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from protocol.encoding import Sealed, decode, encode
from protocol.errors import ErrorCode, RemoteProtocolError
from protocol.key_schedule import labelled

T = TypeVar("T")

_NONCE: Final = bytes(12)


def seal(prk: bytes, label: str, th2: bytes, content: object) -> Sealed:
    """Encrypt `content` under k(label); never call it twice for one run and label."""
    key = AESGCM(labelled(prk, label, th2, 32))
    return Sealed(key.encrypt(_NONCE, encode(content), th2))


def unseal(prk: bytes, label: str, th2: bytes, sealed: bytes, as_type: type[T]) -> T:
    """Decrypt and decode, or raise RemoteProtocolError(REFUSED)."""
    key = AESGCM(labelled(prk, label, th2, 32))
    try:
        return decode(key.decrypt(_NONCE, sealed, th2), as_type)
    except (InvalidTag, RemoteProtocolError) as error:
        raise RemoteProtocolError(ErrorCode.REFUSED, "the sealed text does not open") from error
