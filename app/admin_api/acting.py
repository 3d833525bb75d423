"""What every operation has in common: who acts, in one transaction, and what goes wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import msgspec
from sqlalchemy.orm import Session

from app.admin_api import holder
from app.api.problems import ProblemError
from app.api.repeating import once
from app.extensions import handfast
from app.provisioning.services import (
    AlreadyInvitedError,
    DisabledPersonError,
    GoneError,
    Here,
    ReasonError,
    TooSoonError,
    UnusableError,
)
from app.staff.reach import Actor, ColleagueError, OutOfReachError

T = TypeVar("T", bound=msgspec.Struct)
# What can go wrong with an act on somebody.
PROBLEMS: Final = ("not-found", "colleague", "ended")


@contextmanager
def told() -> Iterator[None]:
    """Answer what services refuse as problems."""
    try:
        yield
    except OutOfReachError:
        raise ProblemError("not-found") from None
    except ColleagueError:
        raise ProblemError("colleague") from None
    except AlreadyInvitedError:
        raise ProblemError("address-taken") from None
    except (GoneError, DisabledPersonError, TooSoonError) as error:
        raise ProblemError("ended", _WHY.get(type(error))) from None
    except ReasonError:
        raise ProblemError("unusable", "the reason is 3 to 200 letters on one line") from None
    except UnusableError as error:
        raise ProblemError("unusable", f"this cannot be used: {error.field}") from None


def act(work: Callable[..., object], *what: Any, reason: str) -> None:
    """Do something for a person by the token's holder, in one transaction."""
    here, actor = handfast(), holder.actor()
    more = {"reason": reason, "now": here.clock.now(), "entropy": here.entropy}
    with told(), here.database.write() as session:
        work(session, actor, *what, **more)


def make(kind: type[T], work: Callable[[Session, Actor, Here], T]) -> T:
    """Make something for a person, once for each Idempotency-Key; return what it gives."""
    actor = holder.actor()
    with told():
        return once(kind, lambda session: work(session, actor, surroundings()))


def surroundings() -> Here:
    """Return what acts need that make new things."""
    here = handfast()
    return Here(here.clock.now(), here.entropy, here.config)


_WHY: Final = {
    DisabledPersonError: "this person is shut out",
    TooSoonError: "it was sent often enough for now",
}
