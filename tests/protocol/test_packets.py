"""A packet opens with its own key, direction and number, and with nothing else."""

import json

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from protocol.channel import (
    MAX_NUMBER,
    Direction,
    End,
    EndAnswer,
    Report,
    ReportAnswer,
    open_answer,
    open_request,
    read_packet,
    seal_packet,
)
from protocol.encoding import Sealed
from protocol.errors import ErrorCode, LocalProtocolError, RemoteProtocolError
from protocol.messages import MAX_BOOK
from protocol.session import SessionKey, is_purpose
from tests.protocol.test_vectors import Case, load, named, outcome
from tests.vectors import books, packets

KEY, OTHER = packets.KEY, packets.OTHER
PACKETS = load("handfast-packet.json")
EXPECTED: dict[str, type[ReportAnswer] | type[EndAnswer]] = {
    "report": ReportAnswer,
    "end": EndAnswer,
}
numbers = st.integers(1, MAX_NUMBER)


def test_keys_of_the_directions() -> None:
    key = SessionKey("", "", "", "", bytes.fromhex(PACKETS["session_key"]))
    assert key.key_id == PACKETS["key_id"]
    for direction in packets._DIRECTIONS:
        assert key.purpose_key("packet", direction).hex() == PACKETS[direction]
        nonce_key = key.purpose_key("packet nonce", direction)
        assert nonce_key.hex() == PACKETS["nonce " + direction]


@pytest.mark.parametrize("case", named(PACKETS["requests"]))
def test_request(case: Case) -> None:
    body = case["body"].encode()
    assert outcome(lambda: open_request(KEY, read_packet(body))) == case["expect"]
    if case["expect"] == "accepted":
        packet = read_packet(body)
        request = open_request(KEY, packet)
        assert seal_packet(KEY, "to-service", packet.number, request) == body


@pytest.mark.parametrize("case", named(PACKETS["answers"]))
def test_answer(case: Case) -> None:
    body = case["body"].encode()
    if case["expect"] != "accepted":
        for act in EXPECTED.values():
            opened = outcome(lambda act=act: open_answer(KEY, body, number=5, expected=act))
            assert opened == case["expect"]
        return
    asked = EXPECTED[json.loads(case["content"])["act"]]
    answer = open_answer(KEY, body, number=5, expected=asked)
    assert seal_packet(KEY, "to-device", 5, answer) == body


def test_an_answer_of_another_act_is_not_the_answer() -> None:
    body = packets.packed(EndAnswer(), 5)
    assert outcome(lambda: open_answer(KEY, body, number=5, expected=ReportAnswer)) == "malformed"


@pytest.mark.parametrize(
    ("direction", "content"),
    [
        ("to-device", packets.FIRST),
        ("to-device", End()),
        ("to-service", packets.WAITING),
        ("to-service", EndAnswer()),
    ],
)
def test_nothing_is_sealed_in_the_wrong_direction(
    direction: Direction, content: Report | ReportAnswer
) -> None:
    with pytest.raises(LocalProtocolError):
        seal_packet(KEY, direction, 1, content)


@pytest.mark.parametrize("number", [-1, 0, MAX_NUMBER + 1])
def test_numbers_that_no_packet_has(number: int) -> None:
    with pytest.raises(LocalProtocolError):
        seal_packet(KEY, "to-service", number, End())


def test_what_no_service_takes_is_not_sent() -> None:
    with pytest.raises(LocalProtocolError):
        seal_packet(KEY, "to-service", 1, Report("a\nb", "linux", "handfast", None, False))


@given(number=numbers, other=numbers)
def test_a_packet_opens_under_its_own_number_only(number: int, other: int) -> None:
    packet = read_packet(packets.packed(End(), number))
    assert open_request(KEY, packet) == End()
    moved = type(packet)(v=1, key=packet.key, number=other, sealed=packet.sealed)
    assert outcome(lambda: open_request(KEY, moved)) == (
        "accepted" if other == number else "refused"
    )


@given(number=numbers)
def test_a_request_is_no_answer_to_itself(number: int) -> None:
    body = packets.packed(End(), number)
    assert outcome(lambda: open_answer(KEY, body, number=number, expected=EndAnswer)) == "refused"


@given(number=numbers)
def test_an_answer_is_no_request(number: int) -> None:
    packet = read_packet(packets.packed(EndAnswer(), number))
    assert outcome(lambda: open_request(KEY, packet)) == "refused"


@given(number=numbers)
def test_another_key_opens_nothing(number: int) -> None:
    packet = read_packet(packets.packed(End(), number))
    assert outcome(lambda: open_request(OTHER, packet)) == "refused"
    renamed = type(packet)(v=1, key=OTHER.key_id, number=number, sealed=packet.sealed)
    assert outcome(lambda: open_request(OTHER, renamed)) == "refused"


def nonce(body: bytes) -> bytes:
    return read_packet(body).sealed[:12]


@given(
    number=numbers,
    name=st.text("abc", min_size=1, max_size=9),
    other=st.text("abc", min_size=1, max_size=9),
)
def test_two_texts_under_one_number_have_two_nonces(number: int, name: str, other: str) -> None:
    """As when an older copy of a store was put back; the same text is the same packet."""
    first, second = (
        packets.packed(Report(text, "linux", "handfast", None, False), number)
        for text in (name, other)
    )
    assert (nonce(first) == nonce(second)) == (first == second) == (name == other)


def test_numbers_and_directions_have_nonces_of_their_own() -> None:
    """The text of both acts is the same."""
    bodies = [packets.packed(act, number) for act in (End(), EndAnswer()) for number in (1, 2)]
    assert len({nonce(body) for body in bodies}) == 4


@given(number=numbers, drawn=st.binary(min_size=12, max_size=12))
def test_a_nonce_that_is_not_the_text_s_is_refused(number: int, drawn: bytes) -> None:
    """Whoever holds the key could seal under any nonce; only one is taken."""
    text, associated = packets.TEXT, packets._bound("to-service", number)
    locked = AESGCM(KEY.purpose_key("packet", "to-service")).encrypt(drawn, text, associated)
    packet = read_packet(packets.packed(End(), number))
    drawn_packet = msgspec.structs.replace(packet, sealed=Sealed(drawn + locked))
    assert outcome(lambda: open_request(KEY, drawn_packet)) == "refused"


def test_the_largest_contents_fit_into_a_packet() -> None:
    """A book of 8,192 characters, and names of 100 characters of four bytes."""
    book = books.RAW.decode()
    full = ReportAnswer(book + "A" * (MAX_BOOK - len(book)), False, packets.ROTATING.rotation, 1)
    body = packets.packed(full, MAX_NUMBER)
    assert open_answer(KEY, body, number=MAX_NUMBER, expected=ReportAnswer) == full
    name = "\U0001f600" * 100
    named = Report(name, name, name, packets.LATER.book, True)
    assert open_request(KEY, read_packet(packets.packed(named, MAX_NUMBER))) == named


def test_program_keys() -> None:
    for case in PACKETS["program_keys"]:
        assert KEY.program_key(case["purpose"], case["direction"]).hex() == case["key"]
    keys = {case["key"] for case in PACKETS["program_keys"]}
    assert len(keys) == len(PACKETS["program_keys"])
    assert KEY.purpose_key("backup", "to-device").hex() not in keys


@pytest.mark.parametrize(
    "purpose", ["", "packet/", "/packet", "../packet", "Backup", "1a", "a b", "a\n", "ä", "a" * 33]
)
def test_what_is_no_purpose(purpose: str) -> None:
    assert not is_purpose(purpose)
    with pytest.raises(LocalProtocolError):
        KEY.program_key(purpose, "to-device")


def test_a_program_cannot_have_the_key_of_packets() -> None:
    for direction in packets._DIRECTIONS:
        assert KEY.program_key("packet", direction) != KEY.purpose_key("packet", direction)


def test_replayed_has_a_status() -> None:
    assert (ErrorCode.REPLAYED.value, ErrorCode.REPLAYED.status) == ("replayed", 409)
    assert str(RemoteProtocolError(ErrorCode.REPLAYED)) == ErrorCode.REPLAYED.sentence
