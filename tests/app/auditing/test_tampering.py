"""Whoever owns the database changes something, in every way: it is found, and where it is."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, insert, select, update

from app import audit
from app.audit import Act
from app.auditing.chain import START, Head, link_hash
from app.keystore.key_sets import rotate
from app.keystore.provider import KeyKind
from app.models import AuditEntry, AuditHead, AuditLink
from protocol.signing import SigningKey
from tests.app.auditing.house import House
from tests.app.service_fixtures import Entropy

# `{5}` is the number of the fifth entry; positions are 1 to 9 and heads stand at 3, 6 and 9.
CHANGES = {
    "a record": (
        ["UPDATE audit SET record = (SELECT record FROM audit WHERE id = {1}) WHERE id = {5}"],
        [("RECORD", 5)],
    ),
    "a column": (["UPDATE audit SET actor = 'staff:olu' WHERE id = {5}"], [("COLUMNS", 5)]),
    "the moment": (["UPDATE audit SET at = at - 1 WHERE id = {5}"], [("COLUMNS", 5)]),
    "the person": (["UPDATE audit SET subject_id = 'bob' WHERE id = {5}"], [("COLUMNS", 5)]),
    "the thing": (["UPDATE audit SET target = NULL WHERE id = {5}"], [("COLUMNS", 5)]),
    "the act": (["UPDATE audit SET act = 'signed-in' WHERE id = {5}"], [("COLUMNS", 5)]),
    "a detail": (
        ['UPDATE audit SET detail = \'{{"reason":"found"}}\' WHERE id = {5}'],
        [("DETAIL", 5)],
    ),
    "a salt": (
        ["UPDATE audit SET salt = (SELECT salt FROM audit WHERE id = {1}) WHERE id = {5}"],
        [("DETAIL", 5)],
    ),
    "a detail without its salt": (
        ["UPDATE audit SET salt = NULL WHERE id = {5}"],
        [("DETAIL", 5)],
    ),
    "a detail erased of somebody who is still here": (
        ["UPDATE audit SET detail = NULL, salt = NULL WHERE id = {5}"],
        [("ERASED", 5)],
    ),
    "an entry removed": (["DELETE FROM audit WHERE id = {5}"], [("ENTRY_GONE", 5)]),
    "an entry and its link removed": (
        ["DELETE FROM audit_link WHERE audit_id = {5}", "DELETE FROM audit WHERE id = {5}"],
        [("LINK_GONE", 5), ("RECORD", 6)],
    ),
    "an entry unlinked": (
        ["DELETE FROM audit_link WHERE audit_id = {5}"],
        [("LINK_GONE", 5), ("RECORD", 6), ("UNLINKED", None)],
    ),
    "entries that changed places": (
        [
            "UPDATE audit_link SET audit_id = 0 WHERE position = 4",
            "UPDATE audit_link SET audit_id = {4} WHERE position = 5",
            "UPDATE audit_link SET audit_id = {5} WHERE position = 4",
        ],
        [("ORDER", 4), ("ORDER", 5)],
    ),
    "numbers that changed places": (
        [
            "UPDATE audit SET id = 0 WHERE id = {4}",
            "UPDATE audit SET id = {4} WHERE id = {5}",
            "UPDATE audit SET id = {5} WHERE id = 0",
        ],
        [("RECORD", 4), ("RECORD", 5)],
    ),
    "a hash": (
        [
            "UPDATE audit_link SET hash = (SELECT hash FROM audit_link WHERE position = 1)"
            " WHERE position = 5"
        ],
        [("RECORD", 5), ("RECORD", 6)],
    ),
    "the tail without its head": (
        ["DELETE FROM audit_link WHERE position = 9", "DELETE FROM audit WHERE id = {9}"],
        [("UNSIGNED", 8), ("TAIL_GONE", 9), ("FILE_AHEAD", 9)],
    ),
    "the tail": (
        [
            "DELETE FROM audit_head WHERE position > 6",
            "DELETE FROM audit_link WHERE position > 6",
            "DELETE FROM audit WHERE id > {6}",
        ],
        [("FILE_AHEAD", 9)],
    ),
    "everything": (
        ["DELETE FROM audit_head", "DELETE FROM audit_link", "DELETE FROM audit"],
        [("FILE_AHEAD", 3), ("FILE_AHEAD", 6), ("FILE_AHEAD", 9)],
    ),
    "the last head": (["DELETE FROM audit_head WHERE position = 9"], [("UNSIGNED", 9)]),
    "the hash in a head": (
        [
            "UPDATE audit_head SET hash = (SELECT hash FROM audit_link WHERE position = 1)"
            " WHERE position = 6"
        ],
        [("SIGNATURE", 6)],
    ),
    "the time of a head": (
        ["UPDATE audit_head SET at = at + 1 WHERE position = 6"],
        [("SIGNATURE", 6)],
    ),
    "the key of a head": (
        ["UPDATE audit_head SET key_id = 'k' WHERE position = 6"],
        [("SIGNATURE", 6)],
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_it_is_found(house: House, what: str) -> None:
    statements, expected = CHANGES[what]
    house.tamper(*(statement.format(None, *house.ids()) for statement in statements))
    assert house.wrong() == expected


def test_a_chain_built_anew_is_not_signed_by_the_service(house: House) -> None:
    build_anew(house, SigningKey.generate(entropy=Entropy("mallory")))
    assert house.wrong(heads=False) == [("SIGNATURE", 9), ("UNSIGNED", 9)]


def test_a_chain_built_anew_is_found_by_the_file_even_if_the_key_was_stolen(house: House) -> None:
    (stolen,) = house.provider.load(KeyKind.AUDIT)
    build_anew(house, SigningKey.from_seed(stolen.secret))
    assert house.wrong(heads=False) == []
    assert house.wrong() == [("FILE_OTHER", 3), ("FILE_OTHER", 6), ("FILE_OTHER", 9)]


def test_a_chain_built_anew_under_the_old_heads_is_found(house: House) -> None:
    with house.database.read_connection() as connection:
        heads = connection.execute(select(AuditHead.__table__)).mappings().all()
    build_anew(house, SigningKey.generate(entropy=Entropy("mallory")))
    with house.broken_into() as connection:
        connection.execute(delete(AuditHead))
        connection.execute(insert(AuditHead), [dict(head) for head in heads])
    assert house.wrong(heads=False) == [("HEAD", 3), ("HEAD", 6), ("HEAD", 9), ("UNSIGNED", 9)]


def build_anew(house: House, key: SigningKey) -> None:
    """Write every record as if it told of something else, link all of them, and sign the end."""
    before = START
    with house.broken_into() as connection:
        entries = connection.execute(select(AuditEntry.__table__).order_by(AuditEntry.id)).all()
        connection.execute(delete(AuditLink))
        connection.execute(delete(AuditHead))
        for position, entry in enumerate(entries, start=1):
            record = bytes(entry.record).replace(b"staff:ada", b"staff:olu")
            before = link_hash(position, before, entry.id, record)
            this = update(AuditEntry).where(AuditEntry.id == entry.id)
            connection.execute(this.values(actor="staff:olu", record=record))
            connection.execute(
                insert(AuditLink).values(position=position, audit_id=entry.id, hash=before)
            )
        head = Head.sign(len(entries), before, at=house.clock.now(), key=key)
        connection.execute(insert(AuditHead).values(vars(head)))


def test_a_tail_that_was_cut_off_and_grew_again_is_found(house: House) -> None:
    file = house.heads.read_bytes()
    house.tamper(
        "DELETE FROM audit_head WHERE position > 6",
        "DELETE FROM audit_link WHERE position > 6",
        f"DELETE FROM audit WHERE id > {house.ids()[5]}",  # noqa: S608  # a number of ours
    )
    house.heads.unlink()
    house.write(3)
    house.seal()
    house.heads.write_bytes(file)
    assert house.wrong() == [("FILE_OTHER", 9)]


def test_a_head_in_the_file_that_nobody_signed_is_found(house: House) -> None:
    lines = house.heads.read_bytes().splitlines(keepends=True)
    house.heads.write_bytes(lines[0] + lines[1].replace(b'"at":1', b'"at":2') + lines[2])
    assert house.wrong() == [("FILE_LINE", 2)]


def test_a_line_that_is_no_head_is_found(house: House) -> None:
    lines = house.heads.read_bytes().splitlines(keepends=True)
    house.heads.write_bytes(lines[0] + b"rubbish\n" + lines[2])
    assert house.wrong() == [("FILE_LINE", 2)]


def test_a_file_that_was_cut_short_is_found(house: House) -> None:
    lines = house.heads.read_bytes().splitlines(keepends=True)
    house.heads.write_bytes(lines[0])
    assert house.wrong() == [("FILE_BEHIND", 9)]


def test_an_entry_that_waits_too_long_for_the_sealer_is_found(house: House) -> None:
    house.write()
    assert house.wrong() == [("UNLINKED", None)]


def test_a_head_signed_with_a_key_whose_time_was_over_is_found(house: House) -> None:
    rotate(
        house.provider,
        KeyKind.AUDIT,
        now=house.clock.now() - 1,
        entropy=lambda length: bytes([7]) * length,
        at_once=True,
    )
    assert [wrong for wrong, _ in house.wrong(heads=False)].count("SIGNATURE") == 3


def test_detail_may_go_with_its_person(house: House) -> None:
    with house.database.write() as session:
        audit.record(
            session,
            at=house.clock.now(),
            actor="staff:ada",
            act=Act.PERSON_DELETED,
            subject="ann",
            target="ann",
        )
    house.seal()
    house.tamper("UPDATE audit SET detail = NULL, salt = NULL")
    report = house.verify()
    assert report.faults == []
    assert report.erased == 9


def test_only_the_first_faults_are_told(house: House) -> None:
    house.tamper("DELETE FROM audit")
    house.write(120)
    house.seal()
    house.tamper("DELETE FROM audit")
    assert len(house.verify().faults) == 100
