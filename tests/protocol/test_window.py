"""Every number is accepted once, in any order, unless it is far behind."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.channel import BLOCK, MAX_NUMBER, WINDOW, Window, read_packet
from protocol.errors import ErrorCode, LocalProtocolError, RemoteProtocolError
from tests.protocol.test_vectors import Case, load, named

near = st.integers(1, 200)
anywhere = near | st.integers(MAX_NUMBER - 200, MAX_NUMBER) | st.integers(1, MAX_NUMBER)


def arrive(window: Window, number: int) -> tuple[Window, str]:
    try:
        return window.accept(number), "accepted"
    except RemoteProtocolError as error:
        return window, error.code.value


@pytest.mark.parametrize("case", named(load("handfast-packet.json")["arrivals"]))
def test_order_of_arrival(case: Case) -> None:
    window = Window()
    for one in case["arrive"]:
        window, became = arrive(window, read_packet(one["body"].encode()).number)
        assert became == one["expect"]


@given(arriving=st.lists(near | anywhere, max_size=300))
def test_it_is_a_set_of_numbers_with_a_lower_edge(arriving: list[int]) -> None:
    window, used = Window(), set[int]()
    for number in arriving:
        window, became = arrive(window, number)
        highest = max(used, default=0)
        fresh = number not in used and number > highest - WINDOW
        assert became == ("accepted" if fresh else "replayed")
        if fresh:
            used.add(number)
        assert window.high == max(used, default=0)
        assert len(window.seen) == 8


@given(arriving=st.permutations(range(1, WINDOW + 1)), doubled=st.lists(st.integers(1, WINDOW)))
def test_a_window_full_arrives_in_any_order(arriving: list[int], doubled: list[int]) -> None:
    window = Window()
    for number in arriving:
        window = window.accept(number)
    assert window == Window(WINDOW, b"\xff" * 8)
    for number in doubled:
        assert arrive(window, number) == (window, "replayed")


@given(high=st.integers(1, MAX_NUMBER), behind=st.integers(0, 10**6))
def test_what_is_a_window_behind_is_too_old(high: int, behind: int) -> None:
    number = high - WINDOW - behind
    if number >= 1:
        assert arrive(Window().accept(high), number)[1] == "replayed"


def test_bits_stand_as_written() -> None:
    window = Window().accept(1).accept(3)
    assert (window.high, window.seen.hex()) == (3, "0000000000000005")
    assert Window().accept(WINDOW).accept(1).seen.hex() == "8000000000000001"


@pytest.mark.parametrize("number", [-1, 0, MAX_NUMBER + 1])
def test_numbers_that_no_packet_has(number: int) -> None:
    with pytest.raises(RemoteProtocolError) as refusal:
        Window().accept(number)
    assert refusal.value.code is ErrorCode.MALFORMED


@pytest.mark.parametrize(("high", "seen"), [(-1, bytes(8)), (0, bytes(7)), (0, bytes(9))])
def test_a_damaged_row_is_our_bug(high: int, seen: bytes) -> None:
    with pytest.raises(LocalProtocolError):
        Window(high, seen)


def test_a_crash_skips_a_block_and_stays_inside_the_window() -> None:
    assert Window().accept(1).accept(1 + BLOCK).accept(2).high == 1 + BLOCK
