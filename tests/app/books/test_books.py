"""Service books say what is known of an account, the same way until it changes."""

from types import SimpleNamespace
from typing import Any

import pytest

from app.accounts import proof
from app.accounts.mail_checks import ACCEPTED, Step, View
from app.books.services import book_of, books_of
from app.clock import HOUR
from app.mailservers.provider import Credential
from app.mailservers.provider_table import PROVIDERS
from app.mailservers.server import (
    FoundBy,
    MailServer,
    SmtpServer,
    VouchedBy,
    from_provider,
)
from protocol.service_book import Server, ServiceBook, sign_book
from protocol.signing import SigningKey
from tests.app.exchange.reporting import activated
from tests.app.service_fixtures import NOON, Service

ISSUER = "https://portal.example.org"
SMTP = SmtpServer("smtp.example.org", 587, "starttls")


def row(**changed: Any) -> SimpleNamespace:
    facts = {
        "address": "ann@example.org",
        "host": "imap.example.org",
        "port": 993,
        "security": "tls",
        "username": "ann",
        "smtp_host": None,
        "smtp_port": None,
        "smtp_security": None,
        "settings_at": None,
        "added_at": NOON,
        "service": "mail",
        "service_uid": "080123456789abcdefghjkm1",
    }
    return SimpleNamespace(**{**facts, **changed})


def test_mail_is_read_and_sent_where_that_is_known() -> None:
    sending = {"smtp_host": "smtp.example.org", "smtp_port": 587, "smtp_security": "starttls"}

    book = book_of(row(**sending), issuer=ISSUER)

    assert book.servers == (
        Server("imap", "imap.example.org", 993, "tls", "ann"),
        Server("smtp", "smtp.example.org", 587, "starttls", "ann"),
    )
    assert book.provider is None
    assert book_of(row(), issuer=ISSUER).servers == book.servers[:1]


@pytest.mark.parametrize("service", ["contacts", "calendar"])
def test_what_nobody_has_found_is_left_open(service: str) -> None:
    book = book_of(row(service=service), issuer=ISSUER)

    assert book.servers == ()
    assert 60 <= book.sync.interval <= 604_800


def test_a_known_provider_is_named_for_people() -> None:
    assert book_of(row(host="imap.gmail.com"), issuer=ISSUER).provider == "Google"


@pytest.mark.parametrize(
    ("host", "written"), [("::1", "[::1]"), ("192.0.2.7", "192.0.2.7"), ("IMAP_1", None)]
)
def test_a_host_is_written_as_devices_read_it(host: str, written: str | None) -> None:
    servers = book_of(row(host=host), issuer=ISSUER).servers

    assert [server.host for server in servers] == ([] if written is None else [written])


def test_a_user_name_that_cannot_be_written_leaves_the_server_out() -> None:
    assert book_of(row(username="a" * 255), issuer=ISSUER).servers == ()


def books(service: Service) -> list[ServiceBook]:
    with service.database.read_connection() as connection:
        return books_of(connection, service.ann.person_id, issuer=service.config.issuer)


def accepted(server: MailServer) -> View:
    return View(
        id="check",
        address="ann@example.org",
        step=Step.SIGNING_IN,
        outcome=ACCEPTED,
        why=None,
        server=server,
        username="ann@example.org",
        named=False,
        used=True,
        began_at=NOON,
    )


def sign_in(service: Service, server: MailServer) -> None:
    here = proof.Here(service.clock.now(), 0, service.entropy)
    with service.database.write() as session:
        assert proof.sign_in(session, accepted(server), here) == service.ann.person_id


def own_server(**changed: Any) -> MailServer:
    facts = {
        "domain": "example.org",
        "host": "mail.example.org",
        "port": 993,
        "security": "tls",
        "username_form": "address",
        "credential": Credential.PASSWORD,
        "vouched_by": VouchedBy.AUTOCONFIG,
        "found_by": FoundBy.AUTOCONFIG,
        "certificate_name": "mail.example.org",
    }
    return MailServer(**{**facts, **changed})


def test_every_service_of_a_person_has_a_book_that_can_be_signed(service: Service) -> None:
    found = books(service)

    assert [book.service for book in found] == ["mail", "contacts", "calendar"]
    assert {book.account for book in found} == {"ann@example.org"}
    key = SigningKey.generate(entropy=service.entropy)
    assert all(sign_book(book, key) for book in found)


def test_a_sign_in_changes_the_book_only_where_the_settings_changed(service: Service) -> None:
    first = books(service)
    service.clock.advance(HOUR)
    sign_in(service, own_server())
    assert books(service) == first

    sign_in(service, own_server(smtp=SMTP))

    mail = books(service)[0]
    assert [server.role for server in mail.servers] == ["imap", "smtp"]
    assert mail.iat == service.now_seconds


def test_a_changed_book_comes_with_the_next_report(service: Service) -> None:
    line = activated(service)
    line.send()
    sign_in(service, own_server(smtp=SMTP))

    book = line.send().book

    assert book is not None


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda one: one.key)
def test_every_provider_has_a_sending_side(provider: Any) -> None:
    server = from_provider("example.org", provider, FoundBy.TABLE)

    assert server.smtp is not None
    assert (server.smtp.port, server.smtp.security) in {(465, "tls"), (587, "starttls")}
