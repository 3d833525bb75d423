"""The API as the page shows it to people: what each operation takes and gives, with examples."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import msgspec
from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from app.accounts import causes
from app.api import messages, openapi
from app.api.area import PREFIX
from app.api.claiming import PROBLEMS as OF_CLAIMS
from app.api.operations import Operation
from app.api.problems import KINDS as PROBLEMS

__all__ = ["CAUSES", "EXAMPLES", "PREFIX", "PROBLEMS", "groups"]

# Why an account was refused, by the code.
CAUSES: Final = {str(code): words for code, words in causes.PROBLEMS.items()} | OF_CLAIMS

_DEVICE: Final = messages.DeviceClaim("bGFwdG9wLWlkZW50aXR5LWtleS10aHVtYnByaW50LTE", "Ann's laptop")
_ANN: Final = messages.ClaimedAccount("ann@example.org", "…")
EXAMPLES: Final[Mapping[type, msgspec.Struct]] = {
    messages.ActivationRequest: messages.ActivationRequest(
        [_ANN, messages.ClaimedAccount("ann@example.com", "…")], _DEVICE, "dGhpcy1yZXF1ZXN0LTAwMQ"
    ),
    messages.SessionRequest: messages.SessionRequest([_ANN], _DEVICE),
    messages.DocumentRequest: messages.DocumentRequest(_DEVICE),
}
TITLES: Final = {
    "activations": _("Activations"),
    "sessions": _("Sessions"),
    "accounts": _("Accounts"),
    "keys": _("Keys"),
    "devices": _("Devices"),
    "books": _("Service books"),
    "openapi.json": _("Description"),
}


@dataclass(frozen=True)
class Member:
    """One member of a JSON object, by its path from the top."""

    path: str
    kind: str
    is_required: bool
    meaning: str


@dataclass(frozen=True)
class Shown:
    """One operation on the page."""

    operation: Operation
    path: str
    takes: tuple[Member, ...]
    gives: tuple[Member, ...]
    problems: tuple[str, ...]
    example: str | None


@dataclass(frozen=True)
class Group:
    """The operations on one kind of thing."""

    name: str
    title: LazyString
    operations: tuple[Shown, ...]


def groups(
    table: Sequence[Operation],
    described: Mapping[str, Any],
    *,
    titles: Mapping[str, LazyString] = TITLES,
    examples: Mapping[type, msgspec.Struct] = EXAMPLES,
) -> list[Group]:
    """Return the table's operations by the thing they are about, in the order of the titles."""
    ordered = sorted(table, key=lambda operation: _place(operation, list(titles)))
    return [
        Group(name, titles[name], tuple(_shown(one, described, examples) for one in found))
        for name, found in groupby(ordered, _about)
    ]


def _place(operation: Operation, names: Sequence[str]) -> tuple[int, int, str, int]:
    """Sort by thing, then what is about all of them before what is about one."""
    return (
        names.index(_about(operation)),
        operation.path.count("/"),
        operation.path,
        ("POST", "PUT", "GET", "DELETE").index(operation.method),
    )


def _about(operation: Operation) -> str:
    return operation.path.split("/")[1]


def _shown(
    operation: Operation,
    described: Mapping[str, Any],
    examples: Mapping[type, msgspec.Struct],
) -> Shown:
    path = openapi.path_of(operation)
    facts = described["paths"][path][operation.method.lower()]
    known = described["components"]["schemas"]
    body = facts.get("requestBody", {}).get("content", {})
    answer = facts["responses"].get("200", {}).get("content", {})
    return Shown(
        operation=operation,
        path=path,
        takes=tuple(_members(_schema(body), known)),
        gives=tuple(_members(_schema(answer), known)),
        problems=tuple(openapi.problems_of(operation)),
        example=_example(operation, examples),
    )


def _schema(content: Mapping[str, Any]) -> Mapping[str, Any]:
    for media in content.values():
        found: Mapping[str, Any] = media["schema"]
        return found
    return {}


def _example(operation: Operation, examples: Mapping[type, msgspec.Struct]) -> str | None:
    if operation.takes is None:
        return None
    plain = msgspec.to_builtins(examples[operation.takes])
    return json.dumps(_without_absent(plain), indent=2, ensure_ascii=False)


def _without_absent(plain: Any) -> Any:
    if isinstance(plain, dict):
        return {name: _without_absent(each) for name, each in plain.items() if each is not None}
    return [_without_absent(each) for each in plain] if isinstance(plain, list) else plain


def _members(
    schema: Mapping[str, Any], known: Mapping[str, Any], above: str = ""
) -> Iterator[Member]:
    """Walk through an object's members, and theirs."""
    schema = _plain(schema, known)
    if schema.get("type") == "array":
        yield from _members(schema["items"], known, f"{above}[]")
        return
    required = schema.get("required", ())
    for name, each in schema.get("properties", {}).items():
        path = f"{above}.{name}".lstrip(".")
        yield Member(path, _kind(each, known), name in required, _meaning(each, known))
        yield from _members(each, known, path)


def _plain(schema: Mapping[str, Any], known: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a reference, and leave out that something may be null."""
    choices = [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]
    if len(choices) == 1:
        return _plain(choices[0], known)
    if "$ref" in schema:
        return _plain(known[schema["$ref"].rpartition("/")[2]], known)
    return schema


def _kind(schema: Mapping[str, Any], known: Mapping[str, Any]) -> str:
    plain = _plain(schema, known)
    if "enum" in plain:
        return " | ".join(json.dumps(each) for each in plain["enum"])
    may_be_null = any(each.get("type") == "null" for each in schema.get("anyOf", ()))
    return f"{plain.get('type', 'object')}{' | null' if may_be_null else ''}"


def _meaning(schema: Mapping[str, Any], known: Mapping[str, Any]) -> str:
    own = schema.get("description") or _plain(schema, known).get("description", "")
    return str(own)
