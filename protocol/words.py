"""Four words for a fingerprint: easy to recognise on two screens, not a proof of anything."""

from importlib.resources import files
from typing import Final

from protocol.errors import LocalProtocolError

# BIP-39's English list (MIT licence): 2,048 words, told apart by their first four letters.
WORD_LIST: Final = tuple(files("protocol").joinpath("wordlist.txt").read_text("ascii").split())


def words(fingerprint: bytes) -> tuple[str, str, str, str]:
    """Spell the first 44 bits of `fingerprint` as four words, 11 bits each."""
    if len(fingerprint) < 6:
        raise LocalProtocolError("a fingerprint has at least 6 bytes")
    bits = int.from_bytes(fingerprint[:6], "big") >> 4
    first, second, third, fourth = (WORD_LIST[bits >> shift & 2047] for shift in (33, 22, 11, 0))
    return first, second, third, fourth
