"""Appendix C of docs/protocol.md holds the numbers of this code."""

from pathlib import Path

from protocol import channel, cpace, key_schedule
from protocol.activation import document_prs
from protocol.channel import End, EndAnswer
from protocol.encoding import Bytes32, lv_cat
from protocol.handshake import Context, rotation_prs
from protocol.key_schedule import expand
from protocol.messages import SUITE, EncapsulationKey, Init
from protocol.notice import Notice, sign_notice
from protocol.service_book import Server, ServiceBook, Sync, book_hash, sign_book
from protocol.session import GrantName, SessionKey, session_keys
from protocol.signing import SigningKey

TEXT = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")

NOW = 1_800_000_000
TEXT_OF_END = b'{"act":"end"}'
SIGNER = SigningKey.from_seed(b"\x0d" * 32)
BOOK = ServiceBook(
    iss="https://localhost:8443",
    iat=NOW,
    account="ann@example.org",
    service="mail",
    service_uid="1005JMNGVDHD2C5JCZBJ565FAH9E37C",
    provider=None,
    servers=(Server("imap", "imap.example.org", 993, "tls", "ann@example.org"),),
    sync=Sync(900),
)


def check_values() -> dict[str, str]:
    """Every row of the appendix."""
    prs = document_prs(b"a.b.c", [bytes(32), b"\x01" * 32])
    context = Context("https://localhost:8443", "A" * 22)
    nonce, ya, yb = b"\x02" * 32, b"\x03" * 32, b"\x05" * 32
    ek, ct = b"\x04" * 1184, b"\x06" * 1088
    init = Init(
        v=1,
        suite=SUITE,
        activation="A" * 22,
        nonce=Bytes32(nonce),
        share=Bytes32(ya),
        kem=EncapsulationKey(ek),
    )
    th1 = key_schedule.init_transcript(context, init)
    th2 = key_schedule.reply_transcript(th1, "kid", yb, ct)
    prk = key_schedule.run_key(prs, b"\x07" * 32, b"\x08" * 64)
    th3 = key_schedule.confirm_transcript(th2, b"\x09" * 40)
    g = cpace.calculate_generator(prs, context.channel(), nonce)
    key = session_keys(prk, th3, [GrantName("B" * 21 + "A", "", "mail", "UID")])[0]
    return {
        "`PRS`": prs.hex(),
        "`CI`": context.channel().hex(),
        "`X25519(0a×32, g)`": cpace.share(b"\x0a" * 32, g).hex(),
        "`ISK` for `K` = 0b×32": cpace.intermediate_key(
            nonce, b"\x0b" * 32, (ya, ek), (yb, ct)
        ).hex(),
        "`TH1`": th1.hex(),
        "`admission`": key_schedule.admission_tag(prs, th1).hex(),
        "`TH2`": th2.hex(),
        "`PRK`": prk.hex(),
        '`k("device tag", 64)`': key_schedule.labelled(prk, "device tag", th2, 64).hex(),
        '`k("device seal", 32)`': key_schedule.labelled(prk, "device seal", th2, 32).hex(),
        "`TH3`": th3.hex(),
        "`TH4`": key_schedule.complete_transcript(th3, b"\x0c" * 40).hex(),
        "`session_1`": key.key.hex(),
        "`key_id`, b64u": key.key_id,
        "`fingerprint`": key.fingerprint.hex(),
        "words": " ".join(key.words),
        "purpose key": key.purpose_key("contacts", "to-device").hex(),
    }


def later_values() -> dict[str, str]:
    """Every row of what is made from `session_1`."""
    key = SessionKey("", "", "", "", bytes.fromhex(check_values()["`session_1`"]))
    notice = Notice(iss="https://localhost:8443", iat=NOW, key=key.key_id, state="revoked")
    associated = channel._associated(key, "to-service", 1)
    return {
        "key of requests": key.purpose_key("packet", "to-service").hex(),
        "key of answers": key.purpose_key("packet", "to-device").hex(),
        "nonce key of requests": key.purpose_key("packet nonce", "to-service").hex(),
        "nonce key of answers": key.purpose_key("packet nonce", "to-device").hex(),
        "associated data of request 1": associated.hex(),
        "nonce of request 1": channel._nonce(key, "to-service", associated, TEXT_OF_END).hex(),
        "request 1, an end": channel.seal_packet(key, "to-service", 1, End()).decode(),
        "answer 1, an end": channel.seal_packet(key, "to-device", 1, EndAnswer()).decode(),
        "`Expand` for 19.2": expand(key.key, lv_cat("handfast/1 rotate"), 64).hex(),
        "`PRS` of a rotation": rotation_prs("https://localhost:8443", key).hex(),
        "program key": key.program_key("backup", "to-device").hex(),
        "notice": sign_notice(notice, SIGNER).decode(),
        "book": sign_book(BOOK, SIGNER).decode(),
        "hash of the book": book_hash(sign_book(BOOK, SIGNER).decode()),
    }


def test_every_value_is_in_the_appendix() -> None:
    assert lv_cat("a").hex() == "0161"
    appendix = TEXT.split("## Appendix C")[1]
    for name, value in {**check_values(), **later_values()}.items():
        assert f"| {name} | `{value}` |" in appendix, f"| {name} | `{value}` |"
