"""Configuration: one frozen type per role, from the environment, refusing what is unsafe.

Every setting stands in ``SETTINGS`` with its default and meaning; ``.env.example`` and
``docs/deploying.md`` list the same ones, and a test compares them. A secret setting ``X`` may
also come from the file that ``X_FILE`` names.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from pathlib import Path
from typing import Any, Final

from app.mailservers.address import AddressError, MailAddress, parse
from app.mailservers.server import Security
from app.outbox.places import MOST_BOUNCES_LETTERS, BounceMailbox, Submission
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
    Setting("HANDFAST_QUIET_DAYS", "365", "after so long unused an address may be another's"),
    Setting("HANDFAST_TRUSTED_PROXIES", "", "addresses whose X-Forwarded-* headers count"),
    Setting("HANDFAST_DNS", "", "resolver ADDRESS:PORT; empty: the system's"),
    Setting("HANDFAST_MAIL_CHECKS", "16", "mail checks at the same time"),
    Setting("HANDFAST_MAIL_CHECK_SECONDS", "20", "deadline of one mail check"),
    Setting("HANDFAST_SHARD", "0", "shard written into new service UIDs, 0 to 1023"),
    Setting("HANDFAST_CLIENT_DIR", "", "folder of the client to download; empty: dist"),
    Setting(
        "HANDFAST_AUDIT_HEADS", "", "file of the audit's heads; empty: STATE_DIR/audit-heads.log"
    ),
    Setting("HANDFAST_WEBHOOK_NETWORKS", "", "networks beyond public ones that webhooks may be in"),
    Setting("HANDFAST_WEBHOOK_CA", "", "file with the webhooks' CA; empty: the system's"),
    Setting("HANDFAST_SMTP_HOST", "", "mail server that takes mail to people; empty: none is sent"),
    Setting("HANDFAST_SMTP_PORT", "465", "port of it"),
    Setting("HANDFAST_SMTP_SECURITY", "tls", "tls, or starttls (usual on port 587)"),
    Setting("HANDFAST_SMTP_USERNAME", "", "user name there"),
    Setting("HANDFAST_SMTP_PASSWORD", "", "password there", secret=True),
    Setting("HANDFAST_MAIL_FROM", "", "sender of mail to people: Name <address>"),
    Setting("HANDFAST_MAIL_CA", "", "file with the mail servers' CA; empty: the system's"),
    Setting("HANDFAST_BOUNCES", "", "address that returned mail comes to; empty: none is noticed"),
    Setting("HANDFAST_BOUNCES_HOST", "", "IMAP server of that mailbox; empty: the SMTP host"),
    Setting("HANDFAST_BOUNCES_PORT", "993", "port of it, TLS from the first byte"),
    Setting("HANDFAST_BOUNCES_USERNAME", "", "user name there; empty: the address"),
    Setting("HANDFAST_BOUNCES_PASSWORD", "", "password there", secret=True),
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
    quiet_days: int
    client_dir: Path


@dataclass(frozen=True)
class ExchangeConfig(Config):
    """What the key exchange service knows beyond that."""

    rotate_days: int
    confirm_hours: int


@dataclass(frozen=True)
class WorkerConfig(Config):
    """What the worker knows beyond that; it alone holds the passwords for mail."""

    audit_heads: Path
    dns: tuple[str, int] | None
    webhook_networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]
    webhook_ca: Path | None
    submission: Submission | None
    bounce_mailbox: BounceMailbox | None


@dataclass(frozen=True)
class OperatorConfig(Config):
    """What the operator's commands know beyond that."""

    root_dir: Path
    audit_heads: Path


def portal_config(environment: Mapping[str, str]) -> PortalConfig:
    """Read the portal's configuration, or raise ConfigError."""
    read = _Reader(environment)
    client_dir = read.text("HANDFAST_CLIENT_DIR")
    return PortalConfig(
        **_common(read),
        dns=read.endpoint("HANDFAST_DNS"),
        mail_checks=read.integer("HANDFAST_MAIL_CHECKS", 1, 256),
        mail_check_seconds=read.integer("HANDFAST_MAIL_CHECK_SECONDS", 1, 120),
        quiet_days=read.integer("HANDFAST_QUIET_DAYS", 30, 3650),
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
    read = _Reader(environment)
    submission = _submission(read) if read.text("HANDFAST_SMTP_HOST") else None
    bounces = None if submission is None else submission.bounces
    return WorkerConfig(
        **_common(read),
        audit_heads=_audit_heads(read),
        dns=read.endpoint("HANDFAST_DNS"),
        webhook_networks=tuple(
            ipaddress.ip_network(each) for each in read.addresses("HANDFAST_WEBHOOK_NETWORKS")
        ),
        webhook_ca=read.file("HANDFAST_WEBHOOK_CA"),
        submission=submission,
        bounce_mailbox=None if bounces is None else _bounce_mailbox(read, bounces),
    )


def operator_config(environment: Mapping[str, str]) -> OperatorConfig:
    """Read the configuration of the operator's commands, or raise ConfigError."""
    read = _Reader(environment)
    common, root_dir = _common(read), read.text("HANDFAST_ROOT_DIR")
    elsewhere = Path(root_dir).resolve() if root_dir else common["keys_dir"] / "root"
    return OperatorConfig(**common, root_dir=elsewhere, audit_heads=_audit_heads(read))


def _audit_heads(read: _Reader) -> Path:
    named = read.text("HANDFAST_AUDIT_HEADS")
    return Path(named or Path(read.text("HANDFAST_STATE_DIR")) / "audit-heads.log").resolve()


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


def _submission(read: _Reader) -> Submission:
    name, sender = read.sender("HANDFAST_MAIL_FROM")
    return Submission(
        host=read.text("HANDFAST_SMTP_HOST"),
        port=read.integer("HANDFAST_SMTP_PORT", 1, 65535),
        security=read.security("HANDFAST_SMTP_SECURITY"),
        username=read.needed("HANDFAST_SMTP_USERNAME"),
        password=read.needed("HANDFAST_SMTP_PASSWORD"),
        ca=read.file("HANDFAST_MAIL_CA"),
        sender=sender,
        sender_name=name,
        bounces=_bounces(read) if read.text("HANDFAST_BOUNCES") else None,
    )


def _bounces(read: _Reader) -> MailAddress:
    address = read.mail_address("HANDFAST_BOUNCES")
    if len(address.local.encode()) > MOST_BOUNCES_LETTERS or "+" in address.local:
        raise ConfigError(
            f"HANDFAST_BOUNCES: before the @ at most {MOST_BOUNCES_LETTERS} letters and no plus "
            f"sign are allowed, got {address.local!r}"
        )
    return address


def _bounce_mailbox(read: _Reader, address: MailAddress) -> BounceMailbox:
    return BounceMailbox(
        host=read.text("HANDFAST_BOUNCES_HOST") or read.text("HANDFAST_SMTP_HOST"),
        port=read.integer("HANDFAST_BOUNCES_PORT", 1, 65535),
        username=read.text("HANDFAST_BOUNCES_USERNAME") or address.text,
        password=read.needed("HANDFAST_BOUNCES_PASSWORD"),
        ca=read.file("HANDFAST_MAIL_CA"),
    )


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

    def needed(self, name: str) -> str:
        text = self.text(name)
        if not text:
            raise ConfigError(f"{name}: is needed to send mail")
        return text

    def security(self, name: str) -> Security:
        text = self.text(name)
        allowed: dict[str, Security] = {"tls": "tls", "starttls": "starttls"}
        if text not in allowed:
            raise ConfigError(f"{name}: expected tls or starttls, got {text!r}")
        return allowed[text]

    def file(self, name: str) -> Path | None:
        text = self.text(name)
        if text and not Path(text).is_file():
            raise ConfigError(f"{name}: there is no file {text}")
        return Path(text).resolve() if text else None

    def mail_address(self, name: str) -> MailAddress:
        return self._parsed(name, self.text(name))

    def sender(self, name: str) -> tuple[str, MailAddress]:
        """Return a display name, empty where there is none, and the address."""
        display_name, address = parseaddr(self.needed(name))
        return display_name, self._parsed(name, address)

    def _parsed(self, name: str, text: str) -> MailAddress:
        try:
            return parse(text)
        except AddressError as error:
            raise ConfigError(f"{name}: {error}, got {text!r}") from None

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
