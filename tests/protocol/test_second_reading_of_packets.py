"""Packets once more, from docs/protocol.md 16 alone: nothing here imports `protocol`."""

import base64
import hmac
import json
from typing import Any, Final

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.protocol.test_second_reading import VECTORS, b64u, compact, expand, lv_cat

PACKETS: Final[dict[str, Any]] = json.loads(
    (VECTORS / "handfast-packet.json").read_text(encoding="utf-8")
)
SESSION: Final = bytes.fromhex(PACKETS["session_key"])
KEY_ID: Final = b64u(expand(SESSION, lv_cat("handfast/1 key id"), 16))


def parts(direction: str, number: int) -> tuple[AESGCM, bytes]:
    key = expand(SESSION, lv_cat("handfast/1 key", "packet", direction), 32)
    counted = number.to_bytes(8, "big")
    return AESGCM(key), lv_cat("handfast/1 packet", KEY_ID, direction, counted)


def nonce_of(direction: str, associated: bytes, text: bytes) -> bytes:
    key = expand(SESSION, lv_cat("handfast/1 key", "packet nonce", direction), 32)
    message = lv_cat("handfast/1 packet nonce", associated, text)
    return hmac.new(key, message, "sha512").digest()[:12]


def packet(direction: str, number: int, content: str) -> str:
    key, associated = parts(direction, number)
    nonce = nonce_of(direction, associated, content.encode())
    sealed = nonce + key.encrypt(nonce, content.encode(), associated)
    return compact({"v": 1, "key": KEY_ID, "number": number, "sealed": b64u(sealed)})


SIDES: Final = {"requests": "to-service", "answers": "to-device"}
CASES: Final = [
    pytest.param(SIDES[side], case, id=f"{side}: {case['name']}")
    for side in SIDES
    for case in PACKETS[side]
]


@pytest.mark.parametrize(("direction", "case"), CASES)
def test_packet(direction: str, case: dict[str, Any]) -> None:
    if case["expect"] == "accepted":
        number = json.loads(case["body"])["number"]
        assert packet(direction, number, case["content"]) == case["body"]
        return
    if case["expect"] != "refused" or case["name"] == "another key's name outside":
        return
    members = json.loads(case["body"])
    sealed = base64.urlsafe_b64decode(members["sealed"] + "=" * (-len(members["sealed"]) % 4))
    assert not opens(direction, sealed)


def opens(direction: str, sealed: bytes) -> bool:
    key, associated = parts(direction, 5)
    if len(sealed) < 28:
        return False
    try:
        text = key.decrypt(sealed[:12], sealed[12:], associated)
    except InvalidTag:
        return False
    return nonce_of(direction, associated, text) == sealed[:12]


def receive(numbers: list[int]) -> list[str]:
    """16.3 as a set and a lower edge, without bits."""
    used: set[int] = set()
    outcomes = []
    for number in numbers:
        replayed = number in used or number <= max(used, default=0) - 64
        outcomes.append("replayed" if replayed else "accepted")
        if not replayed:
            used.add(number)
    return outcomes


@pytest.mark.parametrize("case", PACKETS["arrivals"], ids=lambda case: case["name"])
def test_order_of_arrival(case: dict[str, Any]) -> None:
    numbers = [json.loads(one["body"])["number"] for one in case["arrive"]]
    assert receive(numbers) == [one["expect"] for one in case["arrive"]]


def test_keys_for_programs() -> None:
    for case in PACKETS["program_keys"]:
        info = lv_cat("handfast/1 key", "program/" + case["purpose"], case["direction"])
        assert expand(SESSION, info, 32).hex() == case["key"]
