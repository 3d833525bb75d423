"""Crockford's base32 alphabet, upper case only: digits and letters without I, L, O, U."""

from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def encode_bits(value: int, bits: int) -> str:
    """Spell the low `bits` (a multiple of 5) of `value`, most significant symbol first."""
    return "".join(ALPHABET[value >> shift & 31] for shift in range(bits - 5, -5, -5))
