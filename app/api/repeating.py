"""Requests that make something can be sent again: the same Idempotency-Key, the same answer.

What was answered is kept for a day, in the transaction of what was made: so there is both, or
neither. The same key with another request is refused.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import msgspec
from flask import request
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.admin_api import holder
from app.api.openapi import KEY, KEY_HEADER
from app.api.problems import ProblemError
from app.extensions import handfast
from app.models import ApiAnswer
from app.tokens.services import ANSWERS_KEPT, forget_answer

if TYPE_CHECKING:
    from app.tokens.services import Holder

T = TypeVar("T", bound=msgspec.Struct)


def once(kind: type[T], work: Callable[[Session], T]) -> T:
    """Do the work in one transaction and return its answer, or the answer that it had before."""
    here, key = handfast(), _key()
    if key is None:
        with here.database.write() as session:
            return work(session)
    whose, asked = holder.current_holder(), _asked()
    try:
        with here.database.write() as session:
            before = _before(session, whose, key)
            if before is None:
                forget_answer(session, whose.id, key)
                answer = work(session)
                _keep(session, whose, key, asked, answer, here.clock.now())
                return answer
    except IntegrityError:
        # The same request came twice at the same moment, and the other one was first.
        with here.database.read() as session:
            before = _before(session, whose, key)
        if before is None:
            raise
    if before.request_hash != asked:
        raise ProblemError("key-used-before")
    return msgspec.json.decode(before.answer, type=kind)


def _key() -> str | None:
    untrusted = request.headers.get(KEY_HEADER)
    if untrusted is not None and not re.fullmatch(KEY, untrusted):
        raise ProblemError("malformed", f"{KEY_HEADER} is 1 to 64 letters of ASCII")
    return untrusted


def _asked() -> bytes:
    asked = hashlib.sha256(f"{request.method} {request.path}\n".encode())
    asked.update(request.get_data())
    return asked.digest()


def _before(session: Session, whose: Holder, key: str) -> ApiAnswer | None:
    query = select(ApiAnswer).where(
        ApiAnswer.token_id == whose.id,
        ApiAnswer.key == key,
        ApiAnswer.created_at > handfast().clock.now() - ANSWERS_KEPT,
    )
    return session.scalar(query)


def _keep(
    session: Session, whose: Holder, key: str, asked: bytes, answer: msgspec.Struct, now: int
) -> None:
    session.add(
        ApiAnswer(
            token_id=whose.id,
            key=key,
            request_hash=asked,
            answer=msgspec.json.encode(answer).decode(),
            created_at=now,
        )
    )
    session.flush()
