"""Which spellings are the same mail address, as the portal compares them too."""

import pytest

from app.mailservers.address import parse
from plugin.portal.credentials import same_address

SAME = [
    ("ann@example.org", "Ann@EXAMPLE.org"),
    ("ann@bücher.example", "ann@xn--bcher-kva.example"),
    ("ann@straße.example", "ann@xn--strae-oqa.example"),
    ("ａｎｎ@example.org", "ann@example.org"),
    (" ann@example.org ", "ann@example.org"),
]
OTHERS = [
    ("ann@example.org", "bob@example.org"),
    ("ann@example.org", "ann@example.com"),
    ("ann@example.org", "аnn@example.org"),
    ("ann@straße.example", "ann@strasse.example"),
    ("ann+x@example.org", "ann@example.org"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_these_are_the_same(one: str, other: str) -> None:
    assert parse(one) == parse(other)
    assert same_address(one, other)


@pytest.mark.parametrize(("one", "other"), OTHERS)
def test_these_are_not(one: str, other: str) -> None:
    assert parse(one) != parse(other)
    assert not same_address(one, other)


@pytest.mark.parametrize("odd", ["", "@", "ann@", "@example.org", "ann@..", "ann@exa mple.org"])
def test_what_is_no_address_raises_nothing(odd: str) -> None:
    assert same_address(odd, odd)
