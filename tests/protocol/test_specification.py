"""docs/protocol.md says what the code does."""

import hashlib
import re
from pathlib import Path

import msgspec
import pytest

from protocol import activation, channel, messages, notice, removal, service_book, trust
from protocol.errors import ErrorCode, Reason
from protocol.states import TRANSITIONS, State
from protocol.words import WORD_LIST
from tests.vectors import cast, generate

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "protocol.md").read_text(encoding="utf-8")


def diagram() -> str:
    """The mermaid text of the state table."""
    last = list(State)[-1]
    arrows = [
        f"    {before} --> {after}: {message.__name__.lower()}"
        for (before, message), after in TRANSITIONS.items()
    ]
    lines = ["stateDiagram-v2", f"    [*] --> {State.START}", *arrows, f"    {last} --> [*]"]
    return "\n".join(["```mermaid", *lines, "```"])


def section(title: str) -> str:
    """The text from a heading to the next heading."""
    match = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#+ |\Z)", TEXT, re.M | re.S)
    assert match is not None, title
    return match.group(1)


def table_members(text: str) -> list[str]:
    """The first cells of table rows that are one name in code marks."""
    return re.findall(r"^\| `([a-z_]+)` \|", text, re.M)


def test_the_diagram_is_the_table() -> None:
    start, end = "<!-- states: begin -->\n", "\n<!-- states: end -->"
    assert TEXT.split(start)[1].split(end)[0] == diagram()


@pytest.mark.parametrize("code", list(ErrorCode))
def test_every_error_code_is_listed(code: ErrorCode) -> None:
    assert f"| `{code}` | {code.status} | {code.sentence} |" in section("11 Errors")


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_is_listed(reason: Reason) -> None:
    assert f"| `{reason}` |" in section("11 Errors").split("Reasons for which")[1]


@pytest.mark.parametrize(
    ("title", "structs"),
    [
        ("6.2 Claims", [activation._Claims, activation._WireGrant]),
        ("8.2 init", [messages.Init]),
        ("8.3 reply", [messages.Reply]),
        ("8.4 confirm", [messages.Confirm, messages.DeviceIdentity]),
        ("8.5 complete", [messages.Complete, messages.Result, messages.KeyName]),
        ("16.1 Form", [channel.Packet]),
        ("17 Service books", [service_book.ServiceBook, service_book.Server]),
        ("18 Notices", [notice.Notice]),
        ("18.1 Removal", [removal.Removed, removal.Noted]),
    ],
)
def test_members_stand_in_their_order(title: str, structs: list[type[msgspec.Struct]]) -> None:
    names = [field.name for struct in structs for field in msgspec.structs.fields(struct)]
    assert table_members(section(title)) == names


def test_packets_hold_an_act_and_its_members() -> None:
    structs = (channel.Report, channel.ReportAnswer)
    names = [[field.name for field in msgspec.structs.fields(struct)] for struct in structs]
    rotation = [field.name for field in msgspec.structs.fields(channel.Rotation)]
    listed = table_members(section("16.5 What is inside"))
    assert listed == ["act", *names[0], "act", *names[1], *rotation]


def test_limits_of_books_and_packets() -> None:
    text = section("17 Service books")
    assert f"| `servers` | list, 0 to {service_book.MAX_SERVERS} |" in text
    assert f"at most {messages.MAX_BOOK:,} characters" in text
    numbers = section("16.3 Numbers")
    assert f"a block of {channel.BLOCK}\n" in numbers
    assert f"which of the {channel.WINDOW} numbers" in numbers


@pytest.mark.parametrize("typ", [notice.TYP, service_book.TYP])
def test_types_of_signed_things_are_named(typ: str) -> None:
    assert f"`{typ}`" in TEXT


def test_every_cited_section_is_there() -> None:
    cited = set[str]()
    for path in (DOCS.parent / "protocol").glob("*.py"):
        cited |= set(re.findall(r"docs/protocol\.md (\d+(?:\.\d+)?)", path.read_text()))
    headings = set(re.findall(r"^#+ (\d+(?:\.\d+)?) ", TEXT, re.M))
    assert cited
    assert cited <= headings
    assert set(re.findall(r"\]\(#(\d+)-", TEXT)) == {one for one in headings if "." not in one}


def test_key_set_members_stand_in_their_order() -> None:
    names = [field.name for field in msgspec.structs.fields(trust._WireKeySet)]
    found = re.findall(r'"(\w+)":', section("5.2 Key set").split("```")[1])
    assert [name for name in found if name in names] == names


def test_word_list() -> None:
    data = (DOCS / "wordlist.txt").read_bytes()
    assert data.decode().split() == list(WORD_LIST)
    assert len(set(WORD_LIST)) == 2048
    assert hashlib.sha256(data).hexdigest() in section("13 Fingerprints and words")


def test_every_vector_file_is_listed() -> None:
    listed = section("22 Vectors")
    for name in [*generate.texts(), "cpace-draft-21.json"]:
        assert f"| `{name}` |" in listed


def test_the_example_of_words() -> None:
    key = cast.run().established.keys[0]
    assert f"`{key.fingerprint.hex()}` is\n*{' '.join(key.words)}*" in TEXT
