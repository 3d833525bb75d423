"""Whose fault it was: our bug (Local), the peer's message (Remote), a document (Verification)."""

from enum import StrEnum
from http import HTTPStatus
from types import MappingProxyType
from typing import Final


class ErrorCode(StrEnum):
    """What an exchange answers when it does not answer with a message (docs/protocol.md 11)."""

    MALFORMED = "malformed"
    UNSUPPORTED_SUITE = "unsupported-suite"
    TOO_LARGE = "too-large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported-media-type"
    REFUSED = "refused"
    WRONG_DEVICE = "wrong-device"
    DEVICE_REVOKED = "device-revoked"
    USED = "used"
    REPLAYED = "replayed"
    BUSY = "busy"
    UNAVAILABLE = "unavailable"

    @property
    def status(self) -> int:
        """The HTTP status that goes with the code."""
        return _ANSWERS[self][0].value

    @property
    def sentence(self) -> str:
        """The fixed English sentence of the problem body."""
        return _ANSWERS[self][1]


_ANSWERS: Final = MappingProxyType(
    {
        ErrorCode.MALFORMED: (HTTPStatus.BAD_REQUEST, "the message is malformed"),
        ErrorCode.UNSUPPORTED_SUITE: (HTTPStatus.BAD_REQUEST, "the suite is not supported"),
        ErrorCode.TOO_LARGE: (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the message is too large"),
        ErrorCode.UNSUPPORTED_MEDIA_TYPE: (
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "the media type is not supported",
        ),
        ErrorCode.REFUSED: (HTTPStatus.FORBIDDEN, "the exchange was refused"),
        ErrorCode.WRONG_DEVICE: (
            HTTPStatus.FORBIDDEN,
            "the activation is meant for another device",
        ),
        ErrorCode.DEVICE_REVOKED: (HTTPStatus.FORBIDDEN, "the device was revoked"),
        ErrorCode.USED: (HTTPStatus.CONFLICT, "the activation was already used"),
        ErrorCode.REPLAYED: (HTTPStatus.CONFLICT, "the packet was already received"),
        ErrorCode.BUSY: (HTTPStatus.TOO_MANY_REQUESTS, "too many requests"),
        ErrorCode.UNAVAILABLE: (HTTPStatus.SERVICE_UNAVAILABLE, "the service is unavailable"),
    }
)


class Reason(StrEnum):
    """Why a signed thing was not accepted."""

    TOO_LARGE = "too-large"
    NOT_A_DOCUMENT = "not-a-document"
    HEADER = "header"
    UNKNOWN_KEY = "unknown-key"
    BAD_SIGNATURE = "bad-signature"
    PAYLOAD = "payload"
    WRONG_ISSUER = "wrong-issuer"
    WRONG_ORIGIN = "wrong-origin"
    WRONG_AUDIENCE = "wrong-audience"
    UNSUPPORTED_SUITE = "unsupported-suite"
    NOT_YET_VALID = "not-yet-valid"
    EXPIRED = "expired"
    UNKNOWN_EXCHANGE = "unknown-exchange"
    WRONG_DEVICE = "wrong-device"
    ALREADY_USED = "already-used"
    STALE_KEY_SET = "stale-key-set"


class LocalProtocolError(Exception):
    """Our side called the protocol wrongly: a bug here, not an attack."""


class RemoteProtocolError(Exception):
    """The peer sent something this protocol does not allow."""

    def __init__(self, code: ErrorCode, message: str = "") -> None:
        super().__init__(message or code.sentence)
        self.code = code


class VerificationError(Exception):
    """A signed thing did not verify, or verified and is not acceptable here and now."""

    def __init__(self, reason: Reason, message: str = "") -> None:
        super().__init__(message or reason.value)
        self.reason = reason
