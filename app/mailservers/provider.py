"""What is known about one mail provider."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

UsernameForm = Literal["address", "local-part"]


class Credential(StrEnum):
    """What a mail server accepts from a program."""

    PASSWORD = "password"  # noqa: S105 - a kind of credential, not a secret
    APP_PASSWORD = "app-password"  # noqa: S105 - a kind of credential, not a secret
    OAUTH_ONLY = "oauth-only"


@dataclass(frozen=True, slots=True)
class Provider:
    """A well-known mail provider. `why` is English and goes through gettext on pages."""

    key: str
    name: str
    domains: frozenset[str]
    imap_host: str
    smtp_host: str
    smtp_port: int
    credential: Credential
    why: str
    help_url: str
    mx_suffixes: tuple[str, ...] = ()
    username_form: UsernameForm = "address"
    imap_port: int = 993
