"""What programs on this device say to the agent, and what it answers: docs/device-api.md.

One JSON object a line; unlike the messages of the protocol, people write these in any language,
so that white space and the order of members do not matter. Everything else does.
"""

import json
from enum import StrEnum
from typing import Any, Final, Literal

import msgspec

from plugin.errors import ExitCode, UserError
from plugin.i18n import _
from protocol.encoding import PublicId, ServiceName, Text
from protocol.session import Direction, is_purpose

MAX_LINE: Final = 4096


class AgentCode(StrEnum):
    """Why there is no key; programs tell the cases apart by these and not by the text."""

    MALFORMED = "malformed"
    TOO_LARGE = "too-large"
    NOT_YOURS = "not-yours"
    UNKNOWN_PROGRAM = "unknown-program"
    NO_KEY = "no-key"
    AMBIGUOUS = "ambiguous"
    REFUSED = "refused"
    NO_WAY_TO_ASK = "no-way-to-ask"
    BUSY = "busy"
    LOCKED = "locked"
    UNAVAILABLE = "unavailable"


class AgentError(UserError):
    """Why a program gets no key, for the program and for the person behind it."""

    def __init__(self, code: AgentCode, message: str, hint: str) -> None:
        super().__init__(message, hint, ExitCode.USAGE)
        self.agent_code = code


class KeyRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A program asks for the key of one service, purpose and direction."""

    v: Literal[1]
    service: ServiceName
    purpose: str
    direction: Direction
    account: Text | None = None
    key_id: PublicId | None = None


class KeyAnswer(msgspec.Struct, frozen=True):
    """The derived key, base64url; and the name of the key that it comes from."""

    v: Literal[1]
    key: str
    key_id: str
    account: str
    service: str

    def __repr__(self) -> str:
        return "<KeyAnswer>"


class Trouble(msgspec.Struct, frozen=True):
    """The content of an error."""

    code: AgentCode
    message: str
    hint: str


class ErrorAnswer(msgspec.Struct, frozen=True):
    """There is no key."""

    v: Literal[1]
    error: Trouble


def read_request(untrusted_line: bytes) -> KeyRequest:
    """Return the request, or raise AgentError."""
    try:
        value = json.loads(untrusted_line.decode(), object_pairs_hook=_without_repetition)
        request = msgspec.convert(value, KeyRequest, strict=True)
        if not is_purpose(request.purpose):
            raise ValueError("not the name of a purpose")
    except (ValueError, RecursionError) as error:
        raise AgentError(
            AgentCode.MALFORMED,
            _("the program's request is not one that this version knows"),
            _("its author finds the format in docs/device-api.md"),
        ) from error
    return request


def line_of(answer: KeyAnswer | ErrorAnswer) -> bytes:
    """Return the answer as a line."""
    return msgspec.json.encode(answer) + b"\n"


def error_line(error: AgentError) -> bytes:
    """Return the line that says why there is no key."""
    return line_of(ErrorAnswer(1, Trouble(error.agent_code, error.message, error.hint)))


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands twice")
    return members
