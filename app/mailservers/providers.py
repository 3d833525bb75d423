"""Look-ups in the built-in provider table: by exact mail domain, by MX host, by IMAP host."""

from typing import Final

from app.mailservers.provider import Provider
from app.mailservers.provider_table import PROVIDERS

_BY_DOMAIN: Final = {domain: provider for provider in PROVIDERS for domain in provider.domains}
# Where two providers share an IMAP host the earlier one in the table names it.
_BY_IMAP_HOST: Final = {provider.imap_host: provider for provider in reversed(PROVIDERS)}


def by_domain(domain: str) -> Provider | None:
    """The provider that owns exactly this mail domain; never a suffix somebody may register."""
    return _BY_DOMAIN.get(domain)


def by_mx(mx_host: str) -> Provider | None:
    """The provider behind an MX host, only those that verify who owns a customer's domain."""
    host = mx_host.rstrip(".").lower()
    for provider in PROVIDERS:
        if any(host == suffix or host.endswith(f".{suffix}") for suffix in provider.mx_suffixes):
            return provider
    return None


def by_imap_host(host: str) -> Provider | None:
    """The provider that runs an IMAP host, so that the right credential is asked for."""
    return _BY_IMAP_HOST.get(host)
