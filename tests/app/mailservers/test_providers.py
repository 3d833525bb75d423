"""The built-in provider table matches whole names only."""

import pytest

from app.mailservers.provider import Credential
from app.mailservers.provider_table import PROVIDERS
from app.mailservers.providers import by_domain, by_imap_host, by_mx


@pytest.mark.parametrize(
    ("domain", "key", "credential"),
    [
        ("gmail.com", "google", Credential.APP_PASSWORD),
        ("outlook.de", "microsoft-personal", Credential.OAUTH_ONLY),
        ("yahoo.co.uk", "yahoo", Credential.APP_PASSWORD),
        ("aol.com", "aol", Credential.APP_PASSWORD),
        ("me.com", "icloud", Credential.APP_PASSWORD),
        ("fastmail.com", "fastmail", Credential.APP_PASSWORD),
        ("gmx.de", "gmx", Credential.PASSWORD),
        ("web.de", "web-de", Credential.PASSWORD),
        ("zoho.eu", "zoho-eu", Credential.PASSWORD),
    ],
)
def test_a_known_domain_has_its_provider(domain: str, key: str, credential: Credential) -> None:
    provider = by_domain(domain)
    assert provider is not None
    assert (provider.key, provider.credential) == (key, credential)


@pytest.mark.parametrize(
    "domain",
    ["mail.gmail.com", "evilgmail.com", "yahoo.example", "yahoo.co.jp", "gmail.com.evil.example"],
)
def test_a_name_that_somebody_may_register_has_none(domain: str) -> None:
    assert by_domain(domain) is None


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("aspmx.l.google.com.", "google"),
        ("ALT1.ASPMX.L.GOOGLE.COM", "google"),
        ("example-org.mail.protection.outlook.com", "microsoft-365"),
        ("in1-smtp.messagingengine.com", "fastmail"),
    ],
)
def test_a_verifying_provider_is_known_by_its_mx(host: str, key: str) -> None:
    provider = by_mx(host)
    assert provider is not None
    assert provider.key == key


@pytest.mark.parametrize(
    "host",
    ["evil-l.google.com", "l.google.com.evil.example", "mx01.gmx.net", "mta5.am0.yahoodns.net"],
)
def test_other_mx_hosts_say_nothing(host: str) -> None:
    assert by_mx(host) is None


def test_only_providers_that_verify_their_customers_domains_are_known_by_mx() -> None:
    keys = {provider.key for provider in PROVIDERS if provider.mx_suffixes}
    assert keys == {"google", "microsoft-365", "fastmail"}


def test_no_domain_is_in_the_table_twice() -> None:
    domains = [domain for provider in PROVIDERS for domain in provider.domains]
    assert len(domains) == len(set(domains))


def test_a_provider_is_known_by_its_imap_host() -> None:
    provider = by_imap_host("imap.gmail.com")
    assert provider is not None
    assert provider.key == "google"
