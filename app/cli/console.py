"""What the operator's commands share: their surroundings and how they say that they failed."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, TypeVar

import click
from flask import current_app

from app import schema
from app.clock import Clock, SystemClock, as_datetime
from app.config import ConfigError, OperatorConfig
from app.database import Database, DatabaseUnavailableError
from app.keystore.provider import FileKeyProvider, KeyStoreError
from app.keystore.rings import PortalKeys

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
ACTOR = "operator"
Read = TypeVar("Read")


class OperatorError(click.ClickException):
    """Something the operator can mend: said in one line, with a hint what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint

    def show(self, file: IO[Any] | None = None) -> None:
        """Write the error and its hint to standard error."""
        click.echo(f"handfast: error: {self.message}", file=file, err=True)
        click.echo(f"handfast: hint: {self.hint}", file=file, err=True)


def read_config(environment: Mapping[str, str], read: Callable[[Mapping[str, str]], Read]) -> Read:
    """Read a configuration; a wrong setting is an error like every other one of a command."""
    try:
        return read(environment)
    except ConfigError as error:
        raise OperatorError(
            str(error),
            "set it right, or unset it for its default; docs/deploying.md lists them all",
        ) from None


class Operator:
    """The configuration and, built on first use, what it leads to."""

    def __init__(self, config: OperatorConfig) -> None:
        self.config = config
        self.clock: Clock = SystemClock()
        self.entropy: Callable[[int], bytes] = os.urandom

    @cached_property
    def database(self) -> Database:
        """The database, whatever the state of its schema."""
        self.config.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Database(self.config.database_url)

    @cached_property
    def keys(self) -> FileKeyProvider:
        """The folder of keys."""
        return FileKeyProvider(self.config.keys_dir, root_folder=self.config.root_dir)

    def portal_keys(self) -> PortalKeys:
        """Return the keys to sign documents and to seal passwords with; say what they lack."""
        with keys_told():
            return PortalKeys.open(self.keys, entropy=self.entropy, now=self.clock.now())

    @contextmanager
    def migrated(self) -> Iterator[Database]:
        """Yield the database once its schema is current; say so when it is not or is away."""
        try:
            if not schema.is_current(self.database):
                raise OperatorError(
                    "the database's schema is not up to date", "run: flask --app wsgi db upgrade"
                )
            yield self.database
        except DatabaseUnavailableError as error:
            raise OperatorError(
                f"the database does not answer ({error})",
                "see that it runs, has room and is not locked; then run the same command again",
            ) from error


def operator() -> Operator:
    """Return the surroundings of the running command."""
    found: Operator = current_app.extensions["handfast-operator"]
    return found


@contextmanager
def keys_told() -> Iterator[None]:
    """Tell the operator what is wrong with a key."""
    try:
        yield
    except KeyStoreError as error:
        raise OperatorError(str(error), error.hint) from error


def moment(value: int) -> str:
    """Show a moment to a person on a terminal."""
    shown: datetime = as_datetime(value)
    return shown.strftime("%Y-%m-%d %H:%M UTC")
