"""The sealer: every entry gets one place, once, whoever comes late and however many seal."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, text

from app.auditing import heads_file, sealing
from app.auditing.sealing import HeadsAheadError
from app.models import AuditEntry, AuditLink
from tests.app.auditing.house import House


def links(house: House) -> list[tuple[int, int]]:
    with house.database.read() as session:
        query = select(AuditLink.position, AuditLink.audit_id).order_by(AuditLink.position)
        return [(row.position, row.audit_id) for row in session.execute(query)]


def test_an_untouched_audit_is_intact(house: House) -> None:
    report = house.verify()
    assert report.faults == []
    assert (report.entries, report.heads, report.lines, report.unlinked) == (9, 3, 3, 0)


def test_sealing_again_changes_nothing(house: House) -> None:
    before, lines = links(house), house.heads.read_bytes()
    assert house.seal() == 0
    assert (links(house), house.heads.read_bytes()) == (before, lines)


def test_a_link_is_computed_as_the_documentation_has_it(house: House) -> None:
    with house.database.read() as session:
        first, second = session.scalars(select(AuditLink).order_by(AuditLink.position).limit(2))
        entry = session.get_one(AuditEntry, second.audit_id)
    parts = (
        b"handfast/1 audit link",
        (2).to_bytes(8, "big"),
        first.hash,
        entry.id.to_bytes(8, "big"),
        entry.record,
    )
    hashed = b""
    for part in parts:
        length = len(part)
        low = bytes([length]) if length < 128 else bytes([length % 128 + 128, length // 128])
        hashed += low + part
    assert second.hash == hashlib.sha256(hashed).digest()


def test_who_comes_late_is_linked_at_the_next_place(house: House) -> None:
    # On PostgreSQL a transaction may commit after others whose entries have higher numbers.
    house.tamper("UPDATE audit SET id = id + 100 WHERE id = (SELECT max(id) FROM audit)")
    house.tamper("DELETE FROM audit_head", "DELETE FROM audit_link")
    house.heads.unlink()
    house.seal()
    late = house.ids()[-1] - 50
    with house.database.write_connection() as connection:
        connection.execute(
            text(
                "INSERT INTO audit (id, at, actor, act, record) SELECT :id, at, actor, act, :record"
                " FROM audit WHERE id = (SELECT max(id) FROM audit)"
            ),
            {"id": late, "record": record_without_detail(house)},
        )
    assert house.seal() == 1
    assert links(house)[-1] == (10, late)
    assert house.wrong() == []


def record_without_detail(house: House) -> bytes:
    at = house.clock.now()
    text_ = (
        f'{{"act":"key-revoked","actor":"staff:ada","at":{at},'
        '"commitment":null,"subject":null,"target":null}'
    )
    return text_.encode()


def test_who_comes_very_late_is_found_and_linked_by_the_operator(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "WINDOW", 1)
    first = house.ids()[0]
    house.tamper(
        "DELETE FROM audit_head",
        "DELETE FROM audit_link WHERE audit_id <> (SELECT max(id) FROM audit)",
        "UPDATE audit_link SET position = 1",
    )
    house.heads.unlink()
    assert house.seal() == 0
    assert ("UNLINKED", None) in house.wrong()
    assert house.seal(everything=True) == 8
    assert links(house)[1] == (2, first)


def test_several_batches_are_one_chain(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "BATCH", 4)
    house.write(10)
    assert [house.seal(), house.seal(), house.seal(), house.seal()] == [4, 4, 2, 0]
    assert house.verify().faults == []
    assert house.verify().entries == 19


def test_two_sealers_at_once_give_no_place_twice(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "BATCH", 3)
    house.write(30)
    with ThreadPoolExecutor(2) as pool:
        linked = sum(pool.map(lambda _: house.seal(), range(12)))
    assert linked == 30
    assert [position for position, _ in links(house)] == list(range(1, 40))
    assert house.wrong() == []


def test_two_sealers_on_different_files_do_not_fork_the_chain(house: House) -> None:
    house.write(20)
    other = House(house.database, house.clock, house.provider, house.heads.with_name("b.log"))
    with ThreadPoolExecutor(2) as pool:
        linked = sum(pool.map(lambda one: one.seal(), [house, other]))
    assert linked == 20
    assert other.wrong() == []


def test_a_head_that_the_machine_lost_on_the_way_to_the_file_is_written_later(
    house: House,
) -> None:
    whole = house.heads.read_bytes()
    house.heads.write_bytes(whole[: whole[:-1].rindex(b"\n") + 20])
    house.seal()
    assert house.heads.read_bytes() == whole


def test_nothing_is_sealed_onto_another_chain(house: House) -> None:
    house.tamper("DELETE FROM audit_head WHERE position = 9")
    house.write()
    with pytest.raises(HeadsAheadError):
        house.seal()
    assert len(links(house)) == 9


def test_nothing_is_sealed_after_a_spoilt_heads_file(house: House) -> None:
    house.heads.write_bytes(b"{}\n")
    with pytest.raises(HeadsAheadError):
        house.seal()


def test_the_heads_file_is_closed_to_others(house: House) -> None:
    assert house.heads.stat().st_mode & 0o777 == 0o600


def test_a_link_instead_of_the_heads_file_is_not_followed(house: House) -> None:
    house.heads.rename(house.heads.with_name("elsewhere"))
    house.heads.symlink_to(house.heads.with_name("elsewhere"))
    with pytest.raises(OSError, match="symbolic"), heads_file.opened(house.heads):
        raise AssertionError("it was opened")
