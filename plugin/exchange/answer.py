"""What an answer of the key exchange service says: the message asked for, or an error code."""

from typing import Final

import msgspec

from plugin.decoding import decode
from plugin.i18n import _
from plugin.network.http_answer import Answer, TransportError
from protocol import media_type
from protocol.errors import ErrorCode

# An error answer proves nothing, but sending the same again would not change these.
FINAL: Final = frozenset(
    {
        ErrorCode.MALFORMED,
        ErrorCode.UNSUPPORTED_SUITE,
        ErrorCode.TOO_LARGE,
        ErrorCode.UNSUPPORTED_MEDIA_TYPE,
        ErrorCode.WRONG_DEVICE,
        ErrorCode.DEVICE_REVOKED,
        ErrorCode.USED,
    }
)


class ErrorAnswerError(Exception):
    """The service, or somebody on the way, answered with an error code."""

    def __init__(self, code: ErrorCode) -> None:
        super().__init__(code)
        self.code = code


class _Problem(msgspec.Struct):
    code: str


def accepted(answer: Answer) -> bytes:
    """Return the untrusted message of a good answer, or raise what the answer says."""
    if answer.status == 200 and answer.media_type == media_type.EXCHANGE:
        return answer.untrusted_body
    try:
        code = ErrorCode(decode(answer.untrusted_body, _Problem).code)
    except ValueError:
        raise TransportError(_("it gave no usable answer (%d)") % answer.status) from None
    raise ErrorAnswerError(code)
