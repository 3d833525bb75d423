"""What a log, a traceback or a test's output shows of an object: none of its secrets."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any, Final

import app
import plugin
import protocol

SECRET: Final = {
    "code",
    "codes",
    "hash",
    "password",
    "passphrase",
    "secret",
    "secrets",
    "token",
    "typed",
    "untrusted",
}
PLAIN: Final = {"bool", "int", "<class 'bool'>", "<class 'int'>"}
# Fields that are called like a secret and are none; a number or a yes is none in any case.
HARMLESS: Final = {
    "app.api.openapi.Described.token": "words of a description",
    "app.auditing.chain.Head.hash": "the chain's heads are published",
    "app.auditing.searching.Line.hash": "the chain's links are on the page and in exports",
    "plugin.network.http_answer.Answer.untrusted_link": "an address of the portal, in its logs too",
    "plugin.trust.issuers.Trust.untrusted_key_set": "public keys, signed",
    "protocol.responder.Replied.secrets": "what is secret in it hides itself",
}


def every_dataclass() -> Iterator[type[Any]]:
    for root in (app, plugin, protocol):
        for found in pkgutil.walk_packages(root.__path__, f"{root.__name__}."):
            if found.name.endswith(".__main__"):
                continue
            module = importlib.import_module(found.name)
            for value in vars(module).values():
                if (
                    isinstance(value, type)
                    and dataclasses.is_dataclass(value)
                    and value.__module__ == found.name
                ):
                    yield value


def shown_secrets() -> set[str]:
    """Name the fields that ``repr`` shows and that are called like something secret."""
    return {
        f"{one.__module__}.{one.__qualname__}.{each.name}"
        for one in every_dataclass()
        for each in dataclasses.fields(one)
        if each.repr
        and SECRET & set(each.name.strip("_").split("_"))
        and str(each.type).removesuffix(" | None") not in PLAIN
    }


def test_no_object_shows_what_is_called_a_secret() -> None:
    assert shown_secrets() == set(HARMLESS)
