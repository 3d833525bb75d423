"""Typed codes: how they are read, and the run that begins with one; docs/protocol.md 15."""

import os
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, structs

from protocol.codes import Code, MistypedError, check_symbol, new_code, read_code
from protocol.crockford import ALPHABET
from protocol.errors import ErrorCode, LocalProtocolError, RemoteProtocolError
from protocol.handshake import (
    GrantName,
    Initiator,
    Pending,
    accept_confirm,
    code_prs,
    init_hash,
    read_confirm,
    read_init,
    respond,
)
from tests.protocol.test_vectors import Case, load, named, outcome
from tests.vectors import cast, codes

CODES = load("handfast-code.json")
symbols = st.text(ALPHABET, min_size=11, max_size=11)


@pytest.mark.parametrize("case", CODES["read"], ids=lambda case: repr(case["typed"]))
def test_every_spelling_is_the_same_code(case: Case) -> None:
    assert read_code(case["typed"]) == Code(case["handle"], case["secret"])


@pytest.mark.parametrize("case", CODES["refused"], ids=lambda case: repr(case["typed"]))
def test_what_is_no_code(case: Case) -> None:
    with pytest.raises(MistypedError) as refusal:
        read_code(case["typed"])
    assert (refusal.value.why, refusal.value.group) == (case["why"], case["group"])


@given(symbols)
def test_what_is_shown_is_read_back(drawn: str) -> None:
    code = Code(drawn[:4], drawn[4:])
    assert read_code(code.text) == code
    assert len(code.text) == 14


@given(st.text(max_size=20))
def test_anything_typed_is_a_code_or_mistyped(typed: str) -> None:
    try:
        code = read_code(typed)
    except MistypedError:
        return
    assert read_code(code.text) == code


@given(symbols, st.integers(0, 11), st.sampled_from(ALPHABET))
def test_one_wrong_symbol_is_always_found(drawn: str, place: int, other: str) -> None:
    whole = drawn + check_symbol(drawn)
    changed = whole[:place] + other + whole[place + 1 :]
    if changed != whole:
        with pytest.raises(MistypedError, match="check"):
            read_code(changed)


@given(symbols)
def test_two_symbols_that_changed_places_are_always_found(drawn: str) -> None:
    whole = drawn + check_symbol(drawn)
    for first, second in combinations(range(12), 2):
        changed = list(whole)
        changed[first], changed[second] = whole[second], whole[first]
        if "".join(changed) != whole:
            with pytest.raises(MistypedError, match="check"):
                read_code("".join(changed))


def test_a_new_code_uses_all_its_random_bits() -> None:
    assert new_code(entropy=lambda length: b"\xff" * length).handle == "ZZZZ"
    assert new_code(entropy=lambda length: b"\x00" * (length - 1) + b"\x02").secret == "0000001"


def test_the_secret_is_not_shown() -> None:
    assert codes.CODE.secret not in repr(codes.CODE)


def test_published_values() -> None:
    played = codes.run()
    assert codes.PRS.hex() == CODES["given"]["prs"]
    assert played.init.decode() == CODES["init"]
    assert played.replied.reply.decode() == CODES["reply"]
    assert played.pending.confirm.decode() == CODES["confirm"]
    assert played.completed.body.decode() == CODES["complete"]


def receives_init(body: bytes) -> None:
    init = read_init(body)
    if init.activation != codes.CODE.handle or init.admission is not UNSET:
        raise RemoteProtocolError(ErrorCode.REFUSED)


STEPS: dict[str, Any] = {
    "service receives init": receives_init,
    "device receives complete": codes.run().pending.receive_complete,
}


@pytest.mark.parametrize("case", named(CODES["cases"]))
def test_step(case: Case) -> None:
    body = case["body"].encode()
    assert outcome(lambda: STEPS[case["step"]](body)) == case["expect"]


def test_owner_and_grants_are_learnt_from_the_complete() -> None:
    stored = Pending.from_bytes(codes.run().pending.to_bytes())
    assert (stored.kind, stored.sub, stored.grants) == ("code", None, ())
    established = stored.receive_complete(codes.run().completed.body)
    assert established.sub == cast.DOCUMENT.sub
    assert [key.account for key in established.keys] == [one.account for one in cast.NAMES]


@pytest.mark.parametrize("grants", [cast.NAMES, ()])
@pytest.mark.parametrize("sub", ["ann", None])
@pytest.mark.parametrize("kind", ["code", "document"])
def test_only_a_code_is_silent(kind: str, sub: str | None, grants: tuple[GrantName, ...]) -> None:
    device = codes.offered() if kind == "code" else cast.offered()
    device.init()
    reply = (codes if kind == "code" else cast).run().replied.reply

    def receive() -> Pending:
        return device.receive_reply(
            reply, identity=cast.IDENTITY, device=cast.DEVICE, grants=grants, sub=sub
        )

    fits = (sub is None and not grants) if kind == "code" else (sub is not None and bool(grants))
    if fits:
        assert receive().kind == kind
    else:
        with pytest.raises(LocalProtocolError):
            receive()


def test_one_run_tries_one_secret() -> None:
    """Whoever answers with a guessed secret learns from the confirm whether it was that one.

    Nothing else goes over the wire that the guess could be held against: the same init is
    answered for every secret there is, and each answer is signed and takes its own confirm only.
    """
    init = read_init(codes.run().init)
    guesses = ["0000000", "ZZZZZZZ", codes.CODE.secret]
    answers = {
        guess: respond(
            codes.CONTEXT,
            code_prs(cast.ISSUER, guess),
            init,
            exchange_key=cast.EXCHANGE_KEY,
            entropy=os.urandom,
        )
        for guess in guesses
    }
    assert {one.run for one in answers.values()} == {init_hash(codes.CONTEXT, init)}
    accepted = []
    for guess, answer in answers.items():
        device = codes.offered()
        device.init()
        pending = device.receive_reply(answer.reply, identity=cast.IDENTITY, device=cast.DEVICE)
        confirm = read_confirm(pending.confirm)
        accepted += [
            (guess, other)
            for other, held in answers.items()
            if outcome(lambda: accept_confirm(held.secrets, confirm)) == "accepted"  # noqa: B023 - read at once
        ]
    assert accepted == [(codes.CODE.secret, codes.CODE.secret)]


def test_of_an_init_only_the_share_follows_from_the_secret() -> None:
    """No admission; and a share is a point that every secret's generator reaches by some scalar."""
    other = Initiator(
        codes.CONTEXT,
        code_prs(cast.ISSUER, "0000000"),
        exchange_keys={},
        entropy=codes._entropy(),
    )
    right, wrong = read_init(codes.run().init), read_init(other.init())
    assert right.admission is UNSET
    assert right.share != wrong.share
    assert structs.replace(right, share=wrong.share) == wrong


def test_a_code_is_for_one_issuer_and_one_handle() -> None:
    others = [
        replace(codes.CONTEXT, issuer="https://localhost:9443"),
        replace(codes.CONTEXT, activation="7K3N"),
        replace(codes.CONTEXT, kind="document"),
    ]
    assert len({context.channel() for context in (codes.CONTEXT, *others)}) == 4
    assert code_prs("https://localhost:9443", codes.CODE.secret) != codes.PRS
