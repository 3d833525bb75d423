"""The words by whose beginnings staff find a person.

A person has each word of their name, and of each of their mail addresses the whole, the part before
the @, the pieces of that part, and the domain. They are cut to what a term holds, so a longer
beginning finds what its first letters find.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from app.models import MailAccount, Person, PersonTerm

LONGEST: Final = 64
_BETWEEN_WORDS: Final = re.compile(r"[\s,;:()\[\]<>\"/]+")
_BETWEEN_PIECES: Final = re.compile(r"[._+-]+")


def words_of(name: str, addresses: Iterable[str]) -> list[str]:
    """Return the search words of a person with this name and these addresses, in byte order."""
    words = set(split(name))
    # Of a double name each half is looked for, too.
    words |= {piece for word in words for piece in _BETWEEN_PIECES.split(word)}
    for address in map(normal, addresses):
        local, _, domain = address.rpartition("@")
        words |= {address, local, domain, *_BETWEEN_PIECES.split(local)}
    return sorted({cut(word) for word in words if word}, key=str.encode)


def refresh(session: Session, person_id: str) -> None:
    """Write a person's search words anew; call it wherever their name or accounts change."""
    session.flush()
    name = session.scalar(select(Person.name).where(Person.id == person_id))
    addresses = session.scalars(
        select(MailAccount.address).where(MailAccount.person_id == person_id)
    ).all()
    session.execute(delete(PersonTerm).where(PersonTerm.person_id == person_id))
    words = words_of(name or "", addresses)
    if words:
        session.execute(
            insert(PersonTerm), [{"term": word, "person_id": person_id} for word in words]
        )


def split(text: str) -> list[str]:
    """Return the words of a name or of what somebody looks for, as terms have them."""
    return [cut(word) for word in _BETWEEN_WORDS.split(normal(text)) if word]


def normal(text: str) -> str:
    """Return a text in the one spelling that terms have, without what no database keeps."""
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(letter for letter in plain if letter.isprintable() or letter.isspace())


def cut(word: str) -> str:
    """Return as much of a word as a term holds."""
    return word[:LONGEST]
