"""The device's states as one table; the diagram in docs/protocol.md is made from it."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from protocol.errors import LocalProtocolError
from protocol.messages import Complete, Init, Message, Reply


class State(StrEnum):
    """How far a device is in a run."""

    START = "start"
    OFFERED = "offered"
    KEYED = "keyed"
    ESTABLISHED = "established"


TRANSITIONS: Final[Mapping[tuple[State, type[Message]], State]] = MappingProxyType(
    {
        (State.START, Init): State.OFFERED,
        (State.OFFERED, Reply): State.KEYED,
        (State.KEYED, Complete): State.ESTABLISHED,
    }
)


def after(state: State, message: type[Message]) -> State:
    """The state that follows, or LocalProtocolError: an illegal step is the end of the run."""
    try:
        return TRANSITIONS[state, message]
    except KeyError:
        raise LocalProtocolError(f"no {message.__name__} when {state}") from None
