"""Search words: what staff can find a person by, and that they follow every change."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from app.accounts.removal import remove_account
from app.models import MailAccount, Person, PersonTerm
from app.people import terms
from tests.app.portal_fixtures import ANN, Portal
from tests.app.service_fixtures import Service


def test_a_person_is_found_by_name_address_and_their_pieces() -> None:
    assert terms.words_of("Ann-Marie  SMITH", ["a.smith_jr+home@mail.example.org"]) == [
        "a",
        "a.smith_jr+home",
        "a.smith_jr+home@mail.example.org",
        "ann",
        "ann-marie",
        "home",
        "jr",
        "mail.example.org",
        "marie",
        "smith",
    ]


def test_spellings_of_one_word_are_one_word() -> None:
    # A ligature, wide letters and a German double s.
    assert terms.split("ﬁnn ＡＮＮ Groß") == ["finn", "ann", "gross"]


def test_words_are_in_byte_order() -> None:
    words = terms.words_of("zoë \U00010428bc \uffcbfoo", [])
    assert words == sorted(words, key=str.encode)


@given(st.text(max_size=200), st.lists(st.text(max_size=90), max_size=3))
def test_whatever_a_name_is_its_words_can_be_stored(name: str, addresses: list[str]) -> None:
    for word in terms.words_of(name, addresses):
        assert 0 < len(word) <= terms.LONGEST
        assert "\0" not in word
        word.encode()


@given(st.text(max_size=200))
def test_who_types_a_whole_name_finds_each_of_its_words(name: str) -> None:
    assert set(terms.split(name)) <= set(terms.words_of(name, []))


def _terms(service: Service, person_id: str) -> list[str]:
    with service.database.read() as session:
        found = session.scalars(select(PersonTerm.term).where(PersonTerm.person_id == person_id))
        return sorted(found, key=str.encode)


def test_words_are_written_anew(service: Service) -> None:
    person = service.ann.person_id
    with service.database.write() as session:
        terms.refresh(session, person)
        session.execute(update(Person).where(Person.id == person).values(name="Ann Smith"))
        terms.refresh(session, person)
    assert _terms(service, person) == ["ann", "ann@example.org", "example.org", "smith"]


def test_words_go_with_the_account(service: Service) -> None:
    person, now = service.ann.person_id, service.clock.now()
    with service.database.write() as session:
        terms.refresh(session, person)
        account = session.get_one(MailAccount, service.ann.account_id)
        remove_account(session, account, actor="system", reason="test", now=now)
    assert _terms(service, person) == []


def test_who_signs_in_can_be_found(portal: Portal) -> None:
    portal.browser().sign_in(ANN)
    assert {row.term for row in portal.rows(PersonTerm)} >= {"ann", ANN}
