"""Configuration: one frozen type per role, from the environment, refusing what is unsafe.

Every setting stands in ``SETTINGS`` with its default and meaning; ``.env.example`` and
``docs/deploying.md`` list the same ones, and a test compares them. A secret setting ``X`` may
also come from the file that ``X_FILE`` names.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from protocol.origin import is_exchange_url


class ConfigError(Exception):
    """A setting is missing, malformed or unsafe; says which and what to do."""


@dataclass(frozen=True)
class Setting:
    """One environment variable."""

    name: str
    default: str
    meaning: str
    secret: bool = False


SETTINGS: Final = (
    Setting("HANDFAST_ISSUER", "https://localhost:8443", "public origin of the portal"),
    Setting("HANDFAST_EXCHANGE_URL", "http://localhost:8480", "where devices find the exchange"),
    Setting("HANDFAST_STATE_DIR", "var", "folder for the database and the keys"),
    Setting("HANDFAST_KEYS_DIR", "", "folder of the keys; empty: STATE_DIR/keys"),
    Setting("HANDFAST_ROOT_DIR", "", "folder of the root key; empty: KEYS_DIR/root"),
    Setting(
        "DATABASE_URL",
        "",
        "SQLAlchemy URL; empty: SQLite at STATE_DIR/handfast.sqlite3",
        secret=True,
    ),
    Setting("HANDFAST_SERVICE_NAME", "Handfast", "name of the service on its pages"),
    Setting("HANDFAST_DOCUMENT_MINUTES", "5", "lifetime of a document, 1 to 10 minutes"),
    Setting("HANDFAST_ACTIVATION_DAYS", "7", "how long an activation waits for a device"),
    Setting("HANDFAST_SESSION_HOURS", "12", "lifetime of a session"),
    Setting("HANDFAST_ROTATE_DAYS", "90", "age at which a key is replaced, give or take a tenth"),
    Setting("HANDFAST_CONFIRM_HOURS", "24", "how long an owner may confirm a new device"),
    Setting("HANDFAST_TRUSTED_PROXIES", "", "addresses whose X-Forwarded-* headers count"),
    Setting("HANDFAST_DNS", "", "resolver ADDRESS:PORT; empty: the system's"),
    Setting("HANDFAST_MAIL_CHECKS", "16", "mail checks at the same time"),
    Setting("HANDFAST_MAIL_CHECK_SECONDS", "20", "deadline of one mail check"),
    Setting("HANDFAST_SHARD", "0", "shard written into new service UIDs, 0 to 1023"),
    Setting("HANDFAST_CLIENT_DIR", "", "folder of the client to download; empty: dist"),
)


@dataclass(frozen=True)
class Config:
    """What every role knows."""

    issuer: str
    exchange_url: str
    state_dir: Path
    keys_dir: Path
    database_url: str = field(repr=False)
    service_name: str
    document_minutes: int
    activation_days: int
    session_hours: int
    trusted_proxies: tuple[str, ...]
    shard: int


@dataclass(frozen=True)
class PortalConfig(Config):
    """What the portal knows beyond that."""

    dns: tuple[str, int] | None
    mail_checks: int
    mail_check_seconds: int
    client_dir: Path


@dataclass(frozen=True)
class ExchangeConfig(Config):
    """What the key exchange service knows beyond that."""

    rotate_days: int
    confirm_hours: int


@dataclass(frozen=True)
class WorkerConfig(Config):
    """What the worker knows beyond that."""


@dataclass(frozen=True)
class OperatorConfig(Config):
    """What the operator's commands know beyond that."""

    root_dir: Path


def portal_config(environment: Mapping[str, str]) -> PortalConfig:
    """Read the portal's configuration, or raise ConfigError."""
    read = _Reader(environment)
    client_dir = read.text("HANDFAST_CLIENT_DIR")
    return PortalConfig(
        **_common(read),
        dns=read.endpoint("HANDFAST_DNS"),
        mail_checks=read.integer("HANDFAST_MAIL_CHECKS", 1, 256),
        mail_check_seconds=read.integer("HANDFAST_MAIL_CHECK_SECONDS", 1, 120),
        # Beside the code, where `make` puts what it builds.
        client_dir=Path(client_dir or Path(__file__).parent.parent / "dist").resolve(),
    )


def exchange_config(environment: Mapping[str, str]) -> ExchangeConfig:
    """Read the key exchange service's configuration, or raise ConfigError."""
    read = _Reader(environment)
    return ExchangeConfig(
        **_common(read),
        rotate_days=read.integer("HANDFAST_ROTATE_DAYS", 1, 3650),
        confirm_hours=read.integer("HANDFAST_CONFIRM_HOURS", 1, 720),
    )


def worker_config(environment: Mapping[str, str]) -> WorkerConfig:
    """Read the worker's configuration, or raise ConfigError."""
    return WorkerConfig(**_common(_Reader(environment)))


def operator_config(environment: Mapping[str, str]) -> OperatorConfig:
    """Read the configuration of the operator's commands, or raise ConfigError."""
    read = _Reader(environment)
    common, root_dir = _common(read), read.text("HANDFAST_ROOT_DIR")
    elsewhere = Path(root_dir).resolve() if root_dir else common["keys_dir"] / "root"
    return OperatorConfig(**common, root_dir=elsewhere)


def _common(read: _Reader) -> dict[str, Any]:
    state_dir = Path(read.text("HANDFAST_STATE_DIR")).resolve()
    keys_dir = read.text("HANDFAST_KEYS_DIR")
    database_url = read.text("DATABASE_URL") or f"sqlite:///{state_dir / 'handfast.sqlite3'}"
    return {
        "issuer": read.origin("HANDFAST_ISSUER", ("https",)),
        "exchange_url": read.origin("HANDFAST_EXCHANGE_URL", ("http", "https")),
        "state_dir": state_dir,
        "keys_dir": Path(keys_dir).resolve() if keys_dir else state_dir / "keys",
        "database_url": database_url,
        "service_name": read.text("HANDFAST_SERVICE_NAME"),
        "document_minutes": read.integer("HANDFAST_DOCUMENT_MINUTES", 1, 10),
        "activation_days": read.integer("HANDFAST_ACTIVATION_DAYS", 1, 30),
        "session_hours": read.integer("HANDFAST_SESSION_HOURS", 1, 24 * 7),
        "trusted_proxies": read.addresses("HANDFAST_TRUSTED_PROXIES"),
        "shard": read.integer("HANDFAST_SHARD", 0, 1023),
    }


class _Reader:
    """Reads settings from an environment and says which one is wrong."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._settings = {setting.name: setting for setting in SETTINGS}

    def text(self, name: str) -> str:
        setting = self._settings[name]
        file = self._environment.get(f"{name}_FILE") if setting.secret else None
        if file:
            try:
                return Path(file).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise ConfigError(f"{name}_FILE: cannot read {file}: {error.strerror}") from None
        return self._environment.get(name) or setting.default

    def integer(self, name: str, low: int, high: int) -> int:
        text = self.text(name)
        if not text.isdecimal() or not low <= int(text) <= high:
            raise ConfigError(f"{name}: expected a whole number from {low} to {high}, got {text!r}")
        return int(text)

    def origin(self, name: str, schemes: tuple[str, ...]) -> str:
        text = self.text(name)
        if text.partition("://")[0] not in schemes:
            raise ConfigError(
                f"{name}: expected {' or '.join(schemes)}://HOST[:PORT], got {text!r}"
            )
        # Devices refuse every other spelling, so that a key set with it could not be signed.
        if not is_exchange_url(text):
            raise ConfigError(
                f"{name}: no path, query, upper case or default port is allowed, got {text!r}"
            )
        return text

    def endpoint(self, name: str) -> tuple[str, int] | None:
        text = self.text(name)
        if not text:
            return None
        host, _, port = text.rpartition(":")
        if not host or not port.isdecimal():
            raise ConfigError(f"{name}: expected ADDRESS:PORT, got {text!r}")
        return host.strip("[]"), int(port)

    def addresses(self, name: str) -> tuple[str, ...]:
        listed = tuple(part.strip() for part in self.text(name).split(",") if part.strip())
        for address in listed:
            try:
                ipaddress.ip_network(address)
            except ValueError:
                raise ConfigError(f"{name}: {address!r} is not an address or network") from None
        return listed
