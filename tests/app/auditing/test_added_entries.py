"""Somebody who owns the database adds what the audit never had, to hide what they took out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import insert, update
from sqlalchemy.exc import IntegrityError

from app.audit import Act, record, row_of
from app.auditing.sealing import ImpossibleNumberError
from app.clock import HOUR, MINUTE, SECOND
from app.models import AuditEntry, AuditHead, AuditLink, Person
from tests.app.auditing.house import House


def erase(house: House) -> None:
    with house.broken_into() as connection:
        connection.execute(
            update(AuditEntry).where(AuditEntry.subject_id == "ann").values(detail=None, salt=None)
        )


def deletion(house: House, **others: Any) -> dict[str, Any]:
    """Return the entry that would say that Ann was deleted."""
    row = row_of(
        at=house.clock.now(),
        actor="operator",
        act=Act.PERSON_DELETED,
        subject="ann",
        target="ann",
        detail=None,
        entropy=bytes,
    )
    return {**row, **others}


def add(house: House, row: Mapping[str, Any]) -> None:
    with house.broken_into() as connection:
        connection.execute(insert(AuditEntry).values(**row))


def wrongs(house: House) -> list[str]:
    return [wrong for wrong, _ in house.wrong()]


def keep(house: House) -> None:
    with house.database.write() as session:
        session.add(Person(id="ann", created_at=0))


@pytest.mark.parametrize("number", [-5, 0])
def test_a_deletion_that_was_never_linked_excuses_nothing(house: House, number: int) -> None:
    erase(house)
    add(house, deletion(house, id=number))
    assert wrongs(house) == ["ERASED"] * 9 + ["NUMBER"]


def test_a_deletion_that_waits_too_long_excuses_nothing(house: House) -> None:
    erase(house)
    add(house, deletion(house))
    assert wrongs(house) == ["ERASED"] * 9 + ["UNLINKED"]


def test_a_deletion_from_the_future_excuses_nothing(house: House) -> None:
    erase(house)
    at = house.clock.now() + HOUR
    add(house, deletion(house, at=at, record=deletion(house)["record"]))
    assert wrongs(house) == ["ERASED"] * 9 + ["COLUMNS", "FUTURE"]


def test_a_deletion_whose_record_says_something_else_excuses_nothing(house: House) -> None:
    erase(house)
    add(house, deletion(house, record=b"rubbish"))
    house.seal()
    assert wrongs(house) == ["ERASED"] * 9 + ["COLUMNS"]


def test_a_deletion_of_somebody_who_is_still_here_excuses_nothing(house: House) -> None:
    keep(house)
    erase(house)
    with house.database.write() as session:
        record(
            session, at=house.clock.now(), actor="operator", act=Act.PERSON_DELETED, target="ann"
        )
    house.seal()
    assert wrongs(house) == ["ERASED"] * 9


def test_a_deletion_excuses_nothing_that_came_after_it(house: House) -> None:
    with house.database.write() as session:
        record(
            session, at=house.clock.now(), actor="operator", act=Act.PERSON_DELETED, target="ann"
        )
    house.write()
    house.seal()
    erase(house)
    assert house.wrong() == [("ERASED", 11)]


def test_a_deletion_of_this_moment_need_not_be_linked_yet(house: House) -> None:
    erase(house)
    # The house is verified two minutes from now.
    record_at = house.clock.now() + 2 * MINUTE - SECOND
    with house.database.write() as session:
        record(session, at=record_at, actor="operator", act=Act.PERSON_DELETED, target="ann")
    assert house.wrong() == []


@pytest.mark.parametrize("number", [-1, 0])
def test_an_entry_below_every_number_is_found(house: House, number: int) -> None:
    add(house, {**deletion(house, id=number), "act": "key-revoked"})
    assert "NUMBER" in wrongs(house)


def test_an_unlinked_entry_from_the_future_is_found(house: House) -> None:
    at = house.clock.now() + HOUR
    with house.database.write() as session:
        record(session, at=at, actor="operator", act=Act.KEY_REVOKED, subject="ann")
    assert wrongs(house) == ["FUTURE"]


def test_a_link_outside_of_the_chain_does_not_make_an_entry_linked(house: House) -> None:
    house.write()
    link = {"position": -1, "audit_id": house.ids()[-1], "hash": bytes(32)}
    with house.broken_into() as connection:
        connection.execute(insert(AuditLink).values(link))
    assert wrongs(house) == ["UNLINKED"]


def test_numbers_that_nobody_gives_do_not_stop_the_verifier(house: House) -> None:
    with house.broken_into() as connection:
        connection.execute(update(AuditLink).where(AuditLink.position == 9).values(audit_id=-7))
        connection.execute(update(AuditHead).where(AuditHead.position == 9).values(at=-1))
    assert wrongs(house) == ["ENTRY_GONE", "SIGNATURE", "UNSIGNED", "UNLINKED"]


def test_a_line_with_a_number_that_nobody_gives_is_found(house: House) -> None:
    lines = house.heads.read_bytes().splitlines(keepends=True)
    for position in (b"-9", b"1" + b"0" * 40):
        spoilt = lines[2].replace(b'"position":9', b'"position":' + position)
        house.heads.write_bytes(lines[0] + lines[1] + spoilt)
        assert house.wrong() == [("FILE_LINE", 3), ("FILE_BEHIND", 9)]


def test_the_sealer_goes_on_and_complains(house: House) -> None:
    add(house, deletion(house, id=-5))
    house.write(2)
    with pytest.raises(ImpossibleNumberError):
        house.seal()
    report = house.verify()
    assert (report.entries, report.unlinked) == (11, 1)
    assert [(fault.wrong.name, fault.audit_id) for fault in report.faults] == [("NUMBER", -5)]


@pytest.mark.parametrize("number", [-1, 0])
def test_the_database_takes_no_such_number(house: House, number: int) -> None:
    with (
        pytest.raises(IntegrityError, match="ck_audit_id"),
        house.database.write_connection() as connection,
    ):
        connection.execute(insert(AuditEntry).values(**deletion(house, id=number)))
