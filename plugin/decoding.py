"""JSON that this device wrote or is configured with; the peers' messages have protocol.encoding."""

from typing import TypeVar

import msgspec

T = TypeVar("T")


class DecodingError(ValueError):
    """The bytes are not what they should be."""


def decode(untrusted: bytes, as_type: type[T]) -> T:
    """Return the value, or raise DecodingError; never anything else, however the bytes look."""
    try:
        return msgspec.json.decode(untrusted, type=as_type, strict=True)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DecodingError(str(error)) from error
