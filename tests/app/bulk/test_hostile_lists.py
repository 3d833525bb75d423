"""Lists made to do harm, or by mistake: each is refused with a reason, by its line."""

from __future__ import annotations

import io
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from app.bulk.problems import Problem
from app.bulk.reading import (
    LONGEST,
    MOST_LINES,
    Fault,
    Line,
    ListError,
    read_list,
)
from app.bulk.spreadsheets import read_cell, write_cell, write_row
from app.models import ImportJob, ImportLine, ImportState, StaffRole
from app.rights import Permission
from tests.app.bulk.lists import Office


def read(octets: bytes | str) -> list[Line]:
    return list(read_list(io.BytesIO(octets if isinstance(octets, bytes) else octets.encode())))


def fault_of(octets: bytes | str) -> tuple[Fault, str]:
    with pytest.raises(ListError) as refused:
        read(octets)
    return refused.value.fault, refused.value.about


@pytest.mark.parametrize(
    ("octets", "fault", "about"),
    [
        (b"", Fault.EMPTY, ""),
        ("address\ncarla@example.org".encode("utf-16"), Fault.UTF16, ""),
        ("address\ncarla@example.org".encode("utf-16-le"), Fault.UTF16, ""),
        ("address\ncarla@example.org".encode("utf-16-be"), Fault.UTF16, ""),
        (b"name\nCarla\n", Fault.NO_ADDRESS, ""),
        (b"address,telephone\nx@example.org,1\n", Fault.UNKNOWN_COLUMN, "telephone"),
        (b"address,Name,NAME\n", Fault.REPEATED_COLUMN, "name"),
        (b"address,Address\n", Fault.REPEATED_COLUMN, "address"),
        (b"address\n", Fault.NO_LINES, ""),
        (b"address\n\n ,,;\n\t\n", Fault.NO_LINES, ""),
        (b'"address\nx@example.org\n', Fault.HEADER, ""),
        (b"\xff\xff\xff,address\n", Fault.HEADER, ""),
        (b"address\xe2\x80\xae\n", Fault.HEADER, ""),
        (b"address" + b"," * 5000 + b"\n", Fault.HEADER, ""),
        (b"address\x00,name\n", Fault.UTF16, ""),
        (b"PK\x03\x04\x14\x00\x06\x00", Fault.UTF16, ""),
    ],
)
def test_what_is_no_list_is_refused_whole(octets: bytes, fault: Fault, about: str) -> None:
    assert fault_of(octets) == (fault, about)


@pytest.mark.parametrize(
    "text",
    [
        "address,name\nx@example.org,Xenia\n",
        "\ufeffAddress;NAME\r\nx@example.org;Xenia\r\n",
        "name\taddress\nXenia\tx@example.org",
        '"address","name"\n"x@example.org","Xenia"\n',
        "address,name,id,state,added\nx@example.org,Xenia,abc,active,2026-01-01\n",
        "address,name,,\nx@example.org,Xenia,,\n".replace(",,", ""),
        "\n".join(["address,name", "", "x@example.org,Xenia", ",,"]),
    ],
)
def test_what_spreadsheets_write_is_read(text: str) -> None:
    (line,) = read(text)
    assert (line.address, line.name, line.problems) == ("x@example.org", "Xenia", ())


@pytest.mark.parametrize(
    ("octets", "problem"),
    [
        (b"\xff\xfe@example.org", Problem.NOT_UTF8),
        (b"x\xc0\x80@example.org", Problem.NOT_UTF8),
        (b"x@example.org,a\x00b", Problem.CONTROL),
        (b"x@example.org,a\x1bb", Problem.CONTROL),
        (b"x@example.org\rBcc: y@example.org", Problem.CONTROL),
        ("x@example.org,a\u202eb".encode(), Problem.CONTROL),
        ("x@example.org,a\u2066b".encode(), Problem.CONTROL),
        ("x@example.org,a\u2028b".encode(), None),
        (b'x@example.org,"never closed', Problem.QUOTES),
        (b'x@example.org,"a"b', Problem.QUOTES),
        (b"x@example.org,Xenia,mail", Problem.COLUMNS),
        (b"x@example.org" + b"," * 3000 + b"=1", Problem.COLUMNS),
        (b"x@example.org" + b"," * 3000, Problem.COLUMNS),
        (b"x@example.org," + b"a" * LONGEST, Problem.TOO_LONG),
    ],
)
def test_what_is_wrong_with_a_line_stays_with_that_line(
    octets: bytes, problem: Problem | None
) -> None:
    lines = read(b"address,name\na@example.org,A\n" + octets + b"\nb@example.org,B\n")
    assert [line.number for line in lines] == [2, 3, 4]
    assert [line.problems for line in (lines[0], lines[2])] == [(), ()]
    assert [one.problem for one in lines[1].problems] == ([] if problem is None else [problem])


def test_a_line_of_fifty_megabytes_is_never_held() -> None:
    class Endless(io.RawIOBase):
        """A header, a line that does not end for very long, and one more."""

        def __init__(self) -> None:
            self._left = 50 * 1024 * 1024
            self._begin = io.BytesIO(b"address\n")
            self._end = io.BytesIO(b"\nb@example.org\n")

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]  # what io gives it
            begun = self._begin.read(len(buffer))
            if not begun and self._left:
                begun = b"a" * min(len(buffer), self._left)
                self._left -= len(begun)
            begun = begun or self._end.read(len(buffer))
            buffer[: len(begun)] = begun
            return len(begun)

    tracemalloc.start()
    lines = list(read_list(io.BufferedReader(Endless())))  # type: ignore[type-var]  # a raw file by its methods
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [[one.problem for one in line.problems] for line in lines] == [[Problem.TOO_LONG], []]
    assert most < 1024 * 1024


def test_one_line_too_many_refuses_the_list() -> None:
    people = "".join(f"p{number}@example.org\n" for number in range(MOST_LINES))
    assert len(read("address\n" + people)) == MOST_LINES
    assert fault_of("address\n" + people + "q@example.org\n") == (Fault.TOO_MANY, "")


def test_a_refused_list_leaves_nothing(sqlite_office: Office) -> None:
    ada = sqlite_office.hire()
    with pytest.raises(ListError):
        sqlite_office.upload(ada, "address\n" + "x@example.org\n" * (MOST_LINES + 1))
    with sqlite_office.service.database.read() as session:
        assert session.scalars(select(ImportJob)).all() == []
        assert session.scalars(select(ImportLine)).all() == []


FORMULAS = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "'=1",
    "＝1",
    "a;=1",
    "a; =1",
    "  =1",
    "a,+1",
    'a";=1',
    'a"=1',
    "=cmd|' /C calc'!A0",
)


@pytest.mark.parametrize("text", FORMULAS)
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_no_spreadsheet_runs_a_cell(text: str, separator: str) -> None:
    written = write_row(("x@example.org", text, "end")).removesuffix("\r\n")
    # However it divides the line, no cell begins like a formula.
    for cell in written.replace('"', separator).split(separator):
        assert not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "＝"))


@given(st.text(alphabet="'=+-@\t\r\n,;\"|a ＝＋ä", max_size=12))
def test_a_cell_is_read_as_it_was_written(text: str) -> None:
    assert read_cell(write_cell(text)) == text


@given(st.binary(max_size=300))
def test_no_bytes_make_it_fail_in_any_other_way(octets: bytes) -> None:
    try:
        lines = read(octets)
    except ListError:
        return
    for line in lines:
        for text in (line.address, line.name, line.services, line.groups, line.language):
            assert "\0" not in text
            assert "\n" not in text


@given(st.binary(max_size=200))
def test_no_bytes_behind_a_good_header_do_either(octets: bytes) -> None:
    # A good line at the end stays one, whatever comes before.
    lines = read(b"address,name\n" + octets + b"\nz@example.org,Z\n")
    assert (lines[-1].address, lines[-1].problems) == ("z@example.org", ())


def test_every_problem_of_every_line_is_told(office: Office) -> None:
    ada = office.hire()
    office.group("choir")
    text = (
        "address,name,services,groups,language\n"
        "carla@example.org,Carla,mail,choir,es\n"
        "CARLA@Example.ORG,Again,,,\n"
        ",Nobody,,,\n"
        "no address,,fax telex,Nowhere|choir,english please\n"
        f"dora@example.org,{'D' * 101},,,\n"
        "ann@example.org,Ann,,,\n"
        '"emil@example.org,Emil,,,\n'
        f"fred@example.org,,{'x' * 101},,\n"
        f"gina@example.org,,,{'g' * 101},\n"
        "hans@exämple.org,,,,\n"
        "hans@xn--exmple-cua.org,,,,\n"
        "ida@example.org,Ida\u00ad,,,\n"
    )
    assert office.problems(ada, text) == [
        (3, "repeated 2"),
        (4, "address-missing"),
        (5, "address-bad"),
        (5, "service-unknown fax"),
        (5, "service-unknown telex"),
        (5, "language-unknown english please"),
        (5, "group-unknown Nowhere"),
        (6, "name-long"),
        (7, "set-up"),
        (8, "quotes"),
        (9, "services-long"),
        (9, f"service-unknown {'x' * 100}"),
        (10, f"group-unknown {'g' * 100}"),
        (12, "repeated 11"),
        (13, "control"),
    ]


@pytest.mark.parametrize(
    "confusable",
    [
        "\uff43arla@example.org",  # a wide c is the same letter
        "carla@example\u3002org",
        "CARLA@EXAMPLE.ORG.",
        " carla@example.org ",
    ],
)
def test_two_spellings_of_one_address_are_one(office: Office, confusable: str) -> None:
    ada = office.hire()
    problems = office.problems(ada, f'address\ncarla@example.org\n"{confusable}"\n')
    assert problems == [(3, "repeated 2")]


def test_letters_that_only_look_alike_are_two_people(office: Office) -> None:
    ada = office.hire()
    assert office.problems(ada, "address\ncarla@example.org\nc\u0430rla@example.org\n") == []


def test_repeated_lines_are_found_across_batches(office: Office) -> None:
    ada = office.hire()
    people = [f"p{number}@example.org" for number in range(2500)]
    text = "address\n" + "\n".join([*people, people[3], people[2400]]) + "\n"
    assert office.problems(ada, text) == [(2502, "repeated 5"), (2503, "repeated 2402")]


def test_beyond_ones_reach_there_are_no_groups(office: Office) -> None:
    choir, board = office.group("choir"), office.group("board")
    olu = office.hire(StaffRole.CUSTOMER_CARE, groups=[choir])
    olu = type(olu)(
        olu.actor, olu.permissions | {Permission.PEOPLE_IMPORT}, olu.reach, olu.staff_id, olu.role
    )
    assert board
    lines = "address,groups\na@example.org,choir\nb@example.org,board\nc@example.org,\n"
    job_id = office.upload(olu, lines)
    # Who may not import has nothing checked in their name, either.
    job = office.check(office.hire(), "address\nz@example.org\n")
    assert job.state == ImportState.CHECKED
    assert office.job(olu, job_id).state == ImportState.FAILED


def test_who_reaches_some_groups_only_must_name_one(office: Office) -> None:
    choir = office.group("choir")
    office.group("board")
    ada = office.hire(groups=[choir])
    lines = "address,groups\na@example.org,choir\nb@example.org,board\nc@example.org,\n"
    assert office.problems(ada, lines) == [(3, "group-unknown board"), (4, "group-missing")]
