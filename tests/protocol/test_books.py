"""A service book is what the portal or the exchange signed, for one account and service."""

from dataclasses import replace

import pytest
from msgspec import structs

from protocol.encoding import encode
from protocol.errors import LocalProtocolError, Reason, VerificationError
from protocol.service_book import (
    Server,
    ServiceBook,
    book_hash,
    open_book,
    reopen_verified_book,
    sign_book,
)
from protocol.signing import unverified_payload
from protocol.trust import KeySet, verify_key_set
from tests.protocol.test_vectors import Case, load, named, outcome
from tests.vectors import books, cast

BOOKS = load("handfast-book.json")


def key_set() -> KeySet:
    return verify_key_set(BOOKS["key_set"].encode(), cast.BUNDLE, now=BOOKS["now"])


@pytest.mark.parametrize("case", named(BOOKS["cases"]))
def test_book(case: Case) -> None:
    raw = case["book"].encode()
    assert outcome(lambda: open_book(raw, key_set(), BOOKS["exchange"])) == case["expect"]
    if case["expect"] == "accepted":
        book = open_book(raw, key_set(), BOOKS["exchange"])
        assert encode(book) == unverified_payload(raw)
        assert book.is_for(books.KEY) == case["is_for"]
        assert reopen_verified_book(raw) == book


def test_the_hash_is_over_the_text() -> None:
    assert book_hash(BOOKS["cases"][0]["book"]) == BOOKS["hash"]


def test_the_same_settings_are_the_same_book() -> None:
    assert sign_book(books.BOOK, cast.EXCHANGE_KEY) == books.RAW


def test_a_book_of_another_exchange_is_nobodys() -> None:
    with pytest.raises(VerificationError) as refusal:
        open_book(books.RAW, key_set(), "http://localhost:8481")
    assert refusal.value.reason is Reason.UNKNOWN_KEY


def test_a_kept_book_outlives_its_signer() -> None:
    entry = replace(key_set().exchanges[0], keys=(cast.entry(cast.STRANGER),))
    later = replace(key_set(), exchanges=(entry,))
    with pytest.raises(VerificationError):
        open_book(books.RAW, later, cast.EXCHANGE)
    assert reopen_verified_book(books.RAW) == books.BOOK


@pytest.mark.parametrize("damaged", [b"", b"a.b.c", books.RAW[:-1], b"\xff"])
def test_a_damaged_book_in_the_store_is_our_bug(damaged: bytes) -> None:
    with pytest.raises(LocalProtocolError):
        reopen_verified_book(damaged)


def long_server(port: int) -> Server:
    return Server("imap", "imap.example.org", port, "tls", "𝄞" * 254)


@pytest.mark.parametrize(
    "book",
    [
        structs.replace(books.BOOK, aud="handfast-portal"),
        structs.replace(books.BOOK, service_uid="UID"),
        structs.replace(books.BOOK, servers=(structs.replace(books.IMAP, host="Mail.example"),)),
        structs.replace(books.BOOK, servers=tuple(long_server(port) for port in range(1, 9))),
    ],
)
def test_what_no_device_takes_is_not_signed(book: ServiceBook) -> None:
    with pytest.raises(LocalProtocolError):
        sign_book(book, cast.EXCHANGE_KEY)
