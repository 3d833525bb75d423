"""Mail addresses have one form, and nothing in them can end a line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.mailservers.address import AddressError, parse, single_line


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        ("ann@example.org", "ann@example.org"),
        (" Ann@Example.ORG. ", "ann@example.org"),
        ("ann+tag@example.org", "ann+tag@example.org"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
        ("ann@BÜCHER.example", "ann@xn--bcher-kva.example"),
        ("ａｎｎ@ｅｘａｍｐｌｅ.org", "ann@example.org"),
        ("ann＠example.org", "ann@example.org"),
        ("ann@example。org", "ann@example.org"),
        ("ann@example.org。", "ann@example.org"),
        ("ann@example.org｡", "ann@example.org"),
        ("jürgen@example.org", "jürgen@example.org"),
        ("ju\u0308rgen@example.org", "jürgen@example.org"),
    ],
)
def test_spellings_of_one_address_are_one_address(typed: str, normal: str) -> None:
    assert parse(typed).text == normal


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "ann",
        "@example.org",
        "ann@",
        "ann@localhost",
        "ann@example",
        "ann@127.0.0.1",
        "ann@[127.0.0.1]",
        "ann@-example.org",
        "ann@exa_mple.org",
        "ann@example..org",
        "ann@.org",
        "a@b@example.org",
        "victim＠example.org@evil.example",
        ".ann@example.org",
        "ann.@example.org",
        "a..n@example.org",
        "a nn@example.org",
        '"ann"@example.org',
        "ann\u200b@example.org",
        "ann\u202e@example.org",
        "ann\u034f@example.org",
        "ann\ufe0f@example.org",
        "ann\u3164@example.org",
        "ann\U000e0100@example.org",
        "ann@exam\u200bple\x00.org",
        "ann\ud800@example.org",
        "ann@exam\udfffple.org",
        "ann\r\n@example.org",
        "ann@example.org\r\nX LOGOUT",
        "a" * 65 + "@example.org",
        "a@" + "b" * 64 + ".org",
        "a@" + ".".join(["b" * 60] * 5) + ".org",
    ],
)
def test_what_is_no_mail_address_is_refused(typed: str) -> None:
    with pytest.raises(AddressError):
        parse(typed)


@pytest.mark.parametrize("character", ["\r", "\n", "\0"])
def test_line_breaks_and_nul_pass_nowhere(character: str) -> None:
    with pytest.raises(AddressError):
        single_line(f"pass{character}word")


def test_an_ordinary_address_has_one_form() -> None:
    assert parse("ann@example.org").forms == ("ann@example.org",)


def test_a_domain_in_another_script_is_shown_in_both_forms() -> None:
    assert parse("ann@bücher.example").forms == ("ann@bücher.example", "ann@xn--bcher-kva.example")


def test_a_look_alike_is_another_address_and_its_second_form_shows_it() -> None:
    cyrillic = parse("\u0430nn@example.org")
    assert cyrillic != parse("ann@example.org")
    assert cyrillic.forms[1] == "\\u0430nn@example.org"


@given(st.text(max_size=60) | st.from_regex(r"\A[^@]{1,20}@[^@]{1,20}\.[a-z]{2,5}\Z"))
def test_what_was_parsed_parses_to_itself(typed: str) -> None:
    try:
        address = parse(typed)
    except AddressError:
        return
    assert parse(address.text) == address
    assert parse(address.shown) == address
    assert not set("\r\n\0 ") & set(address.text)
