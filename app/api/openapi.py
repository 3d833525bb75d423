"""The OpenAPI 3.1 description, made of the table of operations and the types of its messages."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import msgspec

from app.api import messages, problems
from app.api.area import PREFIX
from app.api.operations import MEDIA_TYPE, Operation
from app.api.pages import CURSOR, MOST, MOST_FILTER
from app.rights import Permission
from app.throttle import PER_ADDRESS

VERSION: Final = "1.0.0"
FILTER: Final = {"type": "string", "minLength": 1, "maxLength": MOST_FILTER}
_ARGUMENT: Final = re.compile(r"<(\w+)>")
_REFERENCES: Final = "#/components/schemas/{name}"
# What can go wrong with every request, and with such as need a token, a body or an object.
ALWAYS: Final = ("malformed", "wrong-host", "not-allowed", "too-many", "bug", "unavailable")
WITH_TOKEN: Final = ("sign-in-needed",)
WITH_BODY: Final = ("too-large", "not-json")
WITH_OBJECT: Final = ("not-found",)
# The name and the form of the header that makes a request safe to send again.
KEY_HEADER: Final = "Idempotency-Key"
KEY: Final = "[!-~]{1,64}"
REPEATING: Final = {
    "name": KEY_HEADER,
    "in": "header",
    "description": "A random text of yours. The same request with it again, within a day, is "
    "answered as before and does nothing.",
    "schema": {"type": "string", "pattern": f"^{KEY}$"},
}
PAGING: Final = (
    ("limit", "How many at most.", {"type": "integer", "minimum": 1, "maximum": MOST}),
    (
        "cursor",
        "After which one to go on: see the Link header.",
        {"type": "string", "pattern": f"^{CURSOR}$"},
    ),
)


@dataclass(frozen=True)
class Described:
    """What a description says of the whole API."""

    title: str
    description: str
    prefix: str
    # The name and the words of what a request shows.
    scheme: str
    token: str


OF_PEOPLE: Final = Described(
    "REST API",
    "Everything a person can do here, for programs.",
    PREFIX,
    "client",
    "The token of a client's session, as a sign-in answers it.",
)
OF_STAFF: Final = Described(
    "REST API of the administration",
    "What staff do for people, for programs of the organisation.",
    f"{PREFIX}/admin",
    "token",
    "A token that a member of staff made in WebAdmin; it begins with hfa_.",
)


def document(
    table: Sequence[Operation], *, issuer: str, name: str, described: Described = OF_PEOPLE
) -> dict[str, Any]:
    """Return the whole description as plain values."""
    schemas, components = _schemas(table)
    paths: dict[str, dict[str, Any]] = defaultdict(dict)
    for operation in table:
        paths[path_of(operation)][operation.method.lower()] = _operation(
            operation, schemas, described.scheme
        )
    return {
        "openapi": "3.1.1",
        "info": {
            "title": f"{name}: {described.title}",
            "version": VERSION,
            "description": f"{described.description} Errors are problem "
            "details (RFC 9457). Unknown members and parameters are refused.",
        },
        "servers": [{"url": f"{issuer}{described.prefix}"}],
        "paths": dict(paths),
        "components": {
            "schemas": components,
            "headers": _headers(),
            "securitySchemes": {
                described.scheme: {
                    "type": "http",
                    "scheme": "bearer",
                    "description": described.token,
                }
            },
        },
    }


def path_of(operation: Operation) -> str:
    """Return an operation's path in the form of OpenAPI: /keys/{key_id}."""
    return _ARGUMENT.sub(r"{\1}", operation.path)


def problems_of(operation: Operation) -> list[str]:
    """Return the codes of all problems that an operation can end with, by status."""
    codes = [*ALWAYS, *operation.problems]
    if operation.needs is not None or operation.heeds_token:
        codes += WITH_TOKEN
    if operation.takes is not None:
        codes += WITH_BODY
    if _ARGUMENT.search(operation.path):
        codes += WITH_OBJECT
    if operation.paged:
        codes += ("unknown-cursor",)
    if operation.is_repeatable:
        codes += ("key-used-before",)
    if operation.needs not in {None, Permission.OWN}:
        codes += ("not-permitted",)
        if operation.takes is not None or operation.filters:
            codes += ("unusable",)
    return sorted(dict.fromkeys(codes), key=lambda code: (problems.KINDS[code].status, code))


def _schemas(table: Sequence[Operation]) -> tuple[dict[Any, Any], dict[str, Any]]:
    """Return the schema of each type in the table, and the named ones that they refer to."""
    types = [each for one in table for each in (one.takes, one.gives) if each is not None]
    types = list(dict.fromkeys([*types, messages.Problem]))
    made, components = msgspec.json.schema_components(types, ref_template=_REFERENCES)
    schemas = dict(zip(types, made, strict=True))
    plain: tuple[dict[Any, Any], dict[str, Any]] = _anchored((schemas, components))
    return plain


def _anchored(schema: Any) -> Any:
    """Write the end of a text as JSON Schema does ($), where Python says \\\\Z."""
    if isinstance(schema, dict):
        return {
            name: value.replace("\\Z", "$") if name == "pattern" else _anchored(value)
            for name, value in schema.items()
        }
    if isinstance(schema, list | tuple):
        return type(schema)(_anchored(each) for each in schema)
    return schema


def _security(operation: Operation, scheme: str) -> list[dict[str, list[str]]]:
    if operation.heeds_token:
        return [{}, {scheme: []}]
    if operation.needs in {None, Permission.OWN}:
        return [] if operation.needs is None else [{scheme: []}]
    # What the token has to have: OpenAPI calls it a role.
    return [{scheme: [operation.needs]}]


def _operation(operation: Operation, schemas: dict[Any, Any], scheme: str) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": str(operation.summary),
        "tags": [operation.path.split("/")[1]],
        "security": _security(operation, scheme),
        "parameters": _parameters(operation),
        "responses": _responses(operation, schemas),
    }
    if operation.takes is not None:
        content = {"schema": schemas[operation.takes]}
        described["requestBody"] = {"required": True, "content": {MEDIA_TYPE: content}}
    return described


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _ARGUMENT.findall(operation.path)
    ]
    if operation.paged:
        found += [
            {"name": name, "in": "query", "description": description, "schema": schema}
            for name, description, schema in PAGING
        ]
    found += [{"name": name, "in": "query", "schema": dict(FILTER)} for name in operation.filters]
    if operation.is_repeatable:
        found.append(dict(REPEATING))
    return found


def _responses(operation: Operation, schemas: dict[Any, Any]) -> dict[str, Any]:
    good: dict[str, Any] = {"description": "Done.", "headers": _named("RateLimit")}
    if operation.gives is not None:
        good["content"] = {MEDIA_TYPE: {"schema": schemas[operation.gives]}}
    if operation.paged:
        good["headers"] |= _named("Link")
    found = {"204" if operation.gives is None else "200": good}
    by_status: dict[int, list[str]] = defaultdict(list)
    for code in problems_of(operation):
        by_status[problems.KINDS[code].status].append(code)
    for status, codes in by_status.items():
        titles = "; ".join(f"{code}: {problems.KINDS[code].title}" for code in codes)
        found[str(status)] = {
            "description": f"{HTTPStatus(status).phrase}. {titles}",
            "content": {problems.MEDIA_TYPE: {"schema": schemas[messages.Problem]}},
        }
        if status in {429, 503}:
            found[str(status)]["headers"] = _named("Retry-After")
    return found


def _named(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _headers() -> dict[str, Any]:
    return {
        "RateLimit": {
            "description": "What is left of the limit, and the seconds until it begins anew: "
            f'"{PER_ADDRESS.name}";r=59;t=900. RateLimit-Policy has the limits.',
            "schema": {"type": "string"},
        },
        "Link": {
            "description": 'The next page, if there is one: </api/v1/keys?cursor=…>; rel="next"',
            "schema": {"type": "string"},
        },
        "Retry-After": {
            "description": "The seconds to wait before another attempt.",
            "schema": {"type": "integer", "minimum": 1},
        },
    }
