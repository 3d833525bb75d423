"""One table of operations: routes, permissions, reading, answering and the OpenAPI document.

A view of the API is a function from what was read to what is answered. The decorator below adds
the route and its row to the table; nothing else knows both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import msgspec
from flask import Blueprint, Response, request
from flask_babel import LazyString

from app.api.area import PREFIX
from app.api.bodies import read_body, require_no_body
from app.api.pages import read_asked
from app.api.problems import ProblemError
from app.permissions import require
from app.rights import Permission

View = TypeVar("View", bound=Callable[..., Any])
MEDIA_TYPE: Final = "application/json"


@dataclass(frozen=True)
class Operation:
    """One way to use the API."""

    name: str
    method: str
    # In Flask's form: /keys/<key_id>.
    path: str
    summary: LazyString
    # None: anybody may, signed in or not.
    needs: Permission | None
    # It may be signed in all the same, and then does something for that person.
    heeds_token: bool = False
    takes: type | None = None
    # None: an answer without a body (204).
    gives: Any = None
    # A list, page by page.
    paged: bool = False
    # Names of further parameters of its query; each is text and may be absent.
    filters: tuple[str, ...] = ()
    # Asked again with the same Idempotency-Key, it answers as before and does nothing.
    is_repeatable: bool = False
    # What can go wrong beside what can always go wrong, by code.
    problems: tuple[str, ...] = ()


class Operations:
    """The table, and the blueprint that serves it."""

    def __init__(self, name: str, *, prefix: str = PREFIX) -> None:
        self.prefix: Final = prefix
        self.blueprint: Final = Blueprint(name, __name__, url_prefix=prefix)
        self.table: Final[list[Operation]] = []

    def add(
        self,
        method: str,
        path: str,
        summary: LazyString,
        *,
        needs: Permission | None = Permission.OWN,
        **facts: Any,
    ) -> Callable[[View], View]:
        """Serve a view under a path; ``facts`` are the fields of an Operation."""

        def serve(view: View) -> View:
            operation = Operation(view.__name__, method, path, summary, needs, **facts)
            answering = _answering(operation, view)
            if needs is not None:
                answering = require(needs)(answering)
            self.blueprint.add_url_rule(path, view.__name__, answering, methods=[method])
            self.table.append(operation)
            return view

        return serve


api: Final = Operations("api")
# For programs of the organisation, which act for others with tokens that staff made.
admin_api: Final = Operations("admin_api", prefix=f"{PREFIX}/admin")


def _answering(operation: Operation, view: Callable[..., Any]) -> Callable[..., Response]:
    def answer(**path: str) -> Response:
        asked: tuple[Any, ...] = ()
        if operation.paged:
            asked += (read_asked(request.args, operation.filters),)
        elif request.args:
            raise ProblemError("malformed", "no query is expected here")
        if operation.takes is not None:
            asked += (read_body(operation.takes),)
        else:
            require_no_body()
        return _answer(operation, view(*asked, **path))

    return answer


def _answer(operation: Operation, given: Any) -> Response:
    if operation.gives is None:
        return Response(status=204)
    return Response(msgspec.json.encode(given), content_type=MEDIA_TYPE)
