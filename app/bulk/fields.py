"""What the fields of one line mean, and what is wrong with them; nothing is looked up here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from app.bulk.problems import Found, Problem
from app.mailservers.address import AddressError, parse
from app.models import ServiceName
from app.provisioning.acts import LONGEST_NAME, UnusableError, usable_name

_BETWEEN_SERVICES: Final = re.compile(r"[\s,;|]+")
BETWEEN_GROUPS: Final = "|"
MOST_SHOWN: Final = 100
LONGEST_LANGUAGE: Final = 16
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,2}")


@dataclass(frozen=True)
class Fields:
    """One line, understood; ``address`` is the normal form, None where it is none."""

    address: str | None
    name: str
    # In the order in which pages name them.
    services: tuple[str, ...]
    # Names.
    groups: tuple[str, ...]
    language: str | None
    problems: tuple[Found, ...]


def understand(address: str, name: str, services: str, groups: str, language: str) -> Fields:
    """Return what a line says, with every problem of it that shows by itself."""
    problems: list[Found] = []
    normal = _address(address, problems)
    chosen = _services(services, problems)
    return Fields(
        normal,
        _name(name, problems),
        chosen,
        tuple(dict.fromkeys(one.strip() for one in groups.split(BETWEEN_GROUPS) if one.strip())),
        _language(language, problems),
        tuple(problems),
    )


def _address(text: str, problems: list[Found]) -> str | None:
    if not text:
        problems.append(Found(Problem.ADDRESS_MISSING))
        return None
    try:
        return parse(text).text
    except AddressError:
        problems.append(Found(Problem.ADDRESS_BAD))
        return None


def _name(text: str, problems: list[Found]) -> str:
    if len(text) > LONGEST_NAME:
        problems.append(Found(Problem.NAME_LONG))
        return ""
    try:
        return usable_name(text)
    except UnusableError:
        problems.append(Found(Problem.NAME_BAD))
        return ""


def _services(text: str, problems: list[Found]) -> tuple[str, ...]:
    """Return the services that a line names; every one where it names none."""
    named = [one for one in _BETWEEN_SERVICES.split(text.lower()) if one]
    known = {service.value for service in ServiceName}
    problems += [
        Found(Problem.SERVICE_UNKNOWN, one[:MOST_SHOWN]) for one in named if one not in known
    ]
    return tuple(one.value for one in ServiceName if one.value in named or not named)


def _language(text: str, problems: list[Found]) -> str | None:
    if text and (len(text) > LONGEST_LANGUAGE or not _LANGUAGE.fullmatch(text)):
        problems.append(Found(Problem.LANGUAGE_UNKNOWN, text[:MOST_SHOWN]))
        return None
    return text or None
