"""Reads what a request brings, strictly: one type, one meaning, no surprises of JSON."""

from __future__ import annotations

import json
import re
from typing import Any, Final, TypeVar

import msgspec
from flask import request

from app.api.problems import ProblemError
from app.security import announces_body

T = TypeVar("T")
MOST_DEEP: Final = 5
_TOKENS: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)


def read_body(as_type: type[T]) -> T:
    """Return the request's body as a type, or raise ProblemError."""
    if request.mimetype != "application/json":
        raise ProblemError("not-json")
    return decode(request.get_data(), as_type)


def require_no_body() -> None:
    """Refuse a body where nothing is asked for, without reading it."""
    if announces_body():
        raise ProblemError("malformed", "no body is expected here")


def decode(untrusted: bytes, as_type: type[T]) -> T:
    """Return strict JSON as a type, or raise ProblemError.

    Refused: unknown members, a name twice in one object, half characters, numbers that are none,
    and more than five levels.
    """
    if _depth(untrusted) > MOST_DEEP:
        raise ProblemError("malformed", "the JSON is nested too deeply")
    try:
        plain = json.loads(
            untrusted.decode(), object_pairs_hook=_once, parse_float=_number, parse_constant=_none
        )
        # A lone surrogate can be escaped in JSON and be written nowhere else.
        json.dumps(plain, ensure_ascii=False).encode()
        return msgspec.convert(plain, as_type)
    except msgspec.ValidationError as error:
        raise ProblemError("malformed", str(error)) from None
    except ValueError:
        raise ProblemError("malformed", "this is not strict JSON") from None


def _depth(untrusted: bytes) -> int:
    """Count the levels without building anything, since a parser may go down with them."""
    depth = deepest = 0
    for token in _TOKENS.finditer(untrusted):
        if token[0] in (b"[", b"{"):
            depth += 1
            deepest = max(deepest, depth)
        elif token[0] in (b"]", b"}"):
            depth -= 1
    return deepest


def _once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(members)
    if len(plain) != len(members):
        raise ValueError("a name occurs twice")
    return plain


def _number(text: str) -> int | float:
    """Read 993.0 as the whole number that it is, as JSON Schema does."""
    number = float(text)
    return int(number) if number.is_integer() else number


def _none(text: str) -> None:
    raise ValueError(f"{text} is no number")
