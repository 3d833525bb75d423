"""The design's check values, so that the key schedule cannot drift."""

import hashlib

from protocol import key_schedule
from protocol.activation import document_prs
from protocol.encoding import Bytes32
from protocol.handshake import Context, check_admission
from protocol.messages import SUITE, EncapsulationKey, Init

PRS = document_prs(b"a.b.c", [bytes(32), b"\x01" * 32])
CONTEXT = Context("https://localhost:8443", "A" * 22)
INIT = Init(
    v=1,
    suite=SUITE,
    activation="A" * 22,
    nonce=Bytes32(b"\x02" * 32),
    share=Bytes32(b"\x03" * 32),
    kem=EncapsulationKey(b"\x04" * 1184),
)


def test_password_string() -> None:
    assert PRS.hex().startswith("1280e1b1")


def test_init_hash_and_admission() -> None:
    th1 = key_schedule.init_transcript(CONTEXT, INIT)
    tag = key_schedule.admission_tag(PRS, th1)
    assert (th1.hex()[:8], tag.hex()[:8]) == ("83459347", "4034676b")
    assert check_admission(PRS, th1, tag)
    assert not check_admission(PRS, th1, INIT.admission)


def test_reply_hash() -> None:
    th1 = key_schedule.init_transcript(CONTEXT, INIT)
    th2 = key_schedule.reply_transcript(th1, "kid", b"\x05" * 32, b"\x06" * 1088)
    assert th2.hex().startswith("242e0b2b")


def test_run_key() -> None:
    prk = key_schedule.run_key(PRS, b"\x07" * 32, b"\x08" * 64)
    assert prk.hex().startswith("242e8518")


def test_a_code_is_not_a_document() -> None:
    assert key_schedule.code_prs("https://localhost:8443", "ABCDEFG") != hashlib.sha512().digest()
    code = Context("https://localhost:8443", "A" * 22, kind="code")
    assert code.channel() != CONTEXT.channel()
