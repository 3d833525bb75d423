"""Typed codes: a handle of 4 symbols, a secret of 7 and a check symbol; docs/protocol.md 15."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

from protocol.crockford import ALPHABET, encode_bits

LENGTH: Final = 12
HANDLE_LENGTH: Final = 4
GROUP: Final = 4
# How long a code lives, in whole seconds.
LIFETIME: Final = 600

_RANDOM_SYMBOLS: Final = LENGTH - 1
# x^5 + x^2 + 1, over which the element 2 has order 31: each place has a weight of its own.
_POLYNOMIAL: Final = 0b100101
# What somebody types between symbols, or what a page or a phone makes of a hyphen.
_BETWEEN: Final = "\t \u00a0-\u2010\u2011\u2012\u2013\u2014\u2015"
_MEANT: Final = str.maketrans(
    {
        **{letter.lower(): letter for letter in ALPHABET if letter.isalpha()},
        **dict.fromkeys("Oo", "0"),
        **dict.fromkeys("IiLl", "1"),
        **dict.fromkeys(_BETWEEN, None),
    }
)


class MistypedError(Exception):
    """What was typed is no code: nothing was sent, and no run is used up.

    ``group`` is the group of four, counted from 1, in which something stands that no code has;
    None where it cannot be told.
    """

    def __init__(self, why: Literal["symbol", "length", "check"], group: int | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.group = group


@dataclass(frozen=True, slots=True)
class Code:
    """A code whose check symbol is right; the handle goes over the wire, the secret never."""

    handle: str
    secret: str = field(repr=False)

    @property
    def text(self) -> str:
        """The twelve symbols in three groups, as people read them out."""
        symbols = self.handle + self.secret
        symbols += check_symbol(symbols)
        return "-".join(symbols[at : at + GROUP] for at in range(0, LENGTH, GROUP))


def new_code(*, entropy: Callable[[int], bytes]) -> Code:
    """Draw a code: 55 random bits, of which 35 are secret."""
    bits = _RANDOM_SYMBOLS * 5
    drawn = int.from_bytes(entropy(7), "big") >> (7 * 8 - bits)
    symbols = encode_bits(drawn, bits)
    return Code(symbols[:HANDLE_LENGTH], symbols[HANDLE_LENGTH:])


def read_code(typed: str) -> Code:
    """Return the code that somebody typed, in any of its spellings, or raise MistypedError."""
    symbols = typed.strip().translate(_MEANT)
    for place, symbol in enumerate(symbols):
        if symbol not in ALPHABET:
            raise MistypedError("symbol", place // GROUP + 1 if place < LENGTH else None)
    if len(symbols) != LENGTH:
        raise MistypedError("length")
    if check_symbol(symbols[:-1]) != symbols[-1]:
        raise MistypedError("check")
    return Code(symbols[:HANDLE_LENGTH], symbols[HANDLE_LENGTH:-1])


def check_symbol(symbols: str) -> str:
    """The symbol that shows every wrong symbol, and every two that changed places."""
    check = 0
    for symbol in symbols:
        check = (check ^ ALPHABET.index(symbol)) << 1
        if check > 31:
            check ^= _POLYNOMIAL
    return ALPHABET[check]
