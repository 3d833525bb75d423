"""Our CPace against an independent implementation of the same suite."""

import cpace as oracle
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol import cpace

some_bytes = st.binary(max_size=200)
secret = st.binary(min_size=32, max_size=32)


def theirs(role: oracle.CPaceRole, sid: bytes, ad: bytes, scalar: bytes, g: bytes) -> oracle.CPace:
    share = oracle._scalar_mult_vfy(scalar, g)
    assert share is not None
    return oracle.CPace(role=role, sid=sid, ad=ad, scalar=scalar, public_share=share)


@settings(max_examples=60, deadline=None)
@given(prs=some_bytes, ci=some_bytes, sid=some_bytes, ya=secret, yb=secret, ad=some_bytes)
def test_same_shares_and_keys(
    prs: bytes, ci: bytes, sid: bytes, ya: bytes, yb: bytes, ad: bytes
) -> None:
    g = oracle._calculate_generator(prs, ci, sid)
    a = theirs(oracle.CPaceRole.INITIATOR, sid, ad, ya, g)
    ours = cpace.share(yb, cpace.calculate_generator(prs, ci, sid))
    assert ours == oracle._scalar_mult_vfy(yb, g)
    a.derive(ours, b"b")
    k = cpace.agree(yb, a.public_share)
    assert cpace.intermediate_key(sid, k, (a.public_share, ad), (ours, b"b")) == a.isk


def test_self_test_passes() -> None:
    cpace.self_test()
