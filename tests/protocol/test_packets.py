"""A packet opens with its own key, direction and number, and with nothing else."""

import json

import pytest
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
from protocol.errors import ErrorCode, LocalProtocolError, RemoteProtocolError
from protocol.session import SessionKey, is_purpose
from tests.protocol.test_vectors import Case, load, named, outcome
from tests.vectors import packets

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


def test_every_nonce_is_of_one_number_and_every_direction_has_its_key() -> None:
    bodies = [
        read_packet(seal_packet(KEY, "to-service", number, End())).sealed for number in (1, 2)
    ]
    bodies += [
        read_packet(seal_packet(KEY, "to-device", number, EndAnswer())).sealed for number in (1, 2)
    ]
    assert len(set(bodies)) == 4


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
