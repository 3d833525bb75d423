"""Names on the wire: media types, the file extension, and what an Accept header asks for."""

from typing import Final

ACTIVATION: Final = "application/vnd.handfast.activation+jwt"
EXCHANGE: Final = "application/vnd.handfast.exchange+json"
KEY_SET: Final = "application/vnd.handfast.keys+jwt"
NOTICE: Final = "application/vnd.handfast.notice+jwt"
PROBLEM: Final = "application/problem+json"
FILE_EXTENSION: Final = ".handfast"
FILE_NAME: Final = "activation.handfast"


def accepts_activation(accept_header: str) -> bool:
    """Say whether the header names the activation type itself; a wildcard does not count."""
    return any(_names_activation(media_range) for media_range in accept_header.split(","))


def _names_activation(media_range: str) -> bool:
    name, *parameters = (part.strip().lower() for part in media_range.split(";"))
    return name == ACTIVATION and all(_wanted(parameter) for parameter in parameters)


def _wanted(parameter: str) -> bool:
    name, _, value = parameter.partition("=")
    if name.strip() != "q":
        return True
    try:
        return 0 < float(value) <= 1
    except ValueError:
        return False
