"""The published vectors hold for this implementation, and are what the generator writes."""

import json
from typing import Any

import pytest

from protocol import activation, cpace, handshake, service_uid, words
from protocol.encoding import b64u, encode, lv_cat, unb64u
from protocol.errors import ErrorCode, RemoteProtocolError, VerificationError
from protocol.signing import VerifyKey
from protocol.trust import (
    TrustBundle,
    TrustedIssuer,
    is_exchange_url,
    is_issuer,
    verify_key_set,
)
from tests.vectors import cast, generate

Case = dict[str, Any]


def load(name: str) -> Case:
    content: Case = json.loads((cast.FOLDER / name).read_text(encoding="utf-8"))
    return content


def named(cases: list[Case]) -> list[Any]:
    return [pytest.param(case, id=case["name"]) for case in cases]


ENCODING = load("handfast-encoding.json")
KEY_SETS = load("handfast-keyset.json")
DOCUMENTS = load("handfast-document.json")
RUN = load("handfast-run.json")
DRAFT = load("cpace-draft-21.json")


def test_files_are_what_the_generator_writes() -> None:
    for name, text in generate.texts().items():
        assert (cast.FOLDER / name).read_text(encoding="utf-8") == text, name


def outcome(act: Any) -> str:
    """Run `act`; name the refusal, or say accepted."""
    try:
        act()
    except VerificationError as error:
        return error.reason.value
    except RemoteProtocolError as error:
        return error.code.value
    return "accepted"


def test_small_encodings() -> None:
    for case in ENCODING["b64u"]:
        assert b64u(bytes.fromhex(case["bytes"])) == case["text"]
        assert unb64u(case["text"]).hex() == case["bytes"]
    for case in ENCODING["lv_cat"]:
        assert lv_cat(*map(bytes.fromhex, case["fields"])).hex() == case["bytes"]
    for case in ENCODING["thumbprint"]:
        assert VerifyKey(bytes.fromhex(case["x"])).kid == case["kid"]
    for case in ENCODING["words"]:
        assert list(words.words(bytes.fromhex(case["fingerprint"]))) == case["words"]
    for case in ENCODING["service_uid"]:
        uid = service_uid.parse(case["text"])
        assert (uid.version, uid.shard, uid.random) == (1, case["shard"], case["random"])


@pytest.mark.parametrize("text", ENCODING["b64u_refused"])
def test_other_spellings_of_base64url_are_refused(text: str) -> None:
    assert outcome(lambda: unb64u(text)) == "malformed"


@pytest.mark.parametrize("text", ENCODING["service_uid_refused"])
def test_damaged_service_uids_are_refused(text: str) -> None:
    assert outcome(lambda: service_uid.parse(text)) == "malformed"


def test_origins() -> None:
    for name, is_one in {"issuer": is_issuer, "exchange": is_exchange_url}.items():
        assert [text for text in ENCODING[name] if not is_one(text)] == []
        assert [text for text in ENCODING[f"{name}_refused"] if is_one(text)] == []


@pytest.mark.parametrize("case", named(KEY_SETS["cases"]))
def test_key_set(case: Case) -> None:
    bundle = TrustBundle.from_json(KEY_SETS["bundle"].encode())
    assert bundle.fingerprint == KEY_SETS["fingerprint"]
    minimum = case.get("minimum_version", 0)
    untrusted = case["key_set"].encode()

    def verify() -> None:
        verify_key_set(untrusted, bundle, now=KEY_SETS["now"], minimum_version=minimum)

    assert outcome(verify) == case["expect"]


@pytest.mark.parametrize("case", named(DOCUMENTS["cases"]))
def test_document(case: Case) -> None:
    asked = {**DOCUMENTS, "seen": False, **case}
    bundle = TrustBundle.from_json(KEY_SETS["bundle"].encode())
    key_set = verify_key_set(DOCUMENTS["key_set"].encode(), bundle, now=DOCUMENTS["now"])
    trusted = [TrustedIssuer(bundle.issuer, key_set)]
    if "also" in case:
        other = TrustBundle.from_json(case["also"]["bundle"].encode())
        its = verify_key_set(case["also"]["key_set"].encode(), other, now=DOCUMENTS["now"])
        trusted.append(TrustedIssuer(other.issuer, its))

    def check() -> None:
        activation.validate(
            activation.open_document(asked["document"].encode(), trusted),
            origin=asked["origin"],
            device_jkt=asked["device"],
            now=asked["now"],
            seen=lambda _: bool(asked["seen"]),
        )

    assert outcome(check) == case["expect"]


READERS: dict[str, Any] = {
    "init": handshake.read_init,
    "reply": handshake.read_reply,
    "confirm": handshake.read_confirm,
    "complete": handshake.read_complete,
}


@pytest.mark.parametrize("case", load("handfast-messages.json")["cases"], ids=lambda c: c["name"])
def test_message_form(case: Case) -> None:
    body = case["body"].encode()
    assert outcome(lambda: READERS[case["message"]](body)) == case["expect"]
    if case["expect"] == "accepted":
        assert encode(READERS[case["message"]](body)) == body


@pytest.mark.parametrize("case", load("handfast-exchange.json")["cases"], ids=lambda c: c["name"])
def test_exchange_step(case: Case) -> None:
    body = case["body"].encode()
    assert outcome(lambda: STEPS[case["step"]](body)) == case["expect"]


def service_receives_init(body: bytes) -> None:
    init = handshake.read_init(body)
    th1 = handshake.init_hash(cast.CONTEXT, init)
    if not handshake.check_admission(cast.PRS, th1, init.admission):
        raise RemoteProtocolError(ErrorCode.REFUSED)
    handshake.respond(
        cast.CONTEXT, cast.PRS, init, exchange_key=cast.EXCHANGE_KEY, entropy=cast.entropy("x")
    )


def device_receives_reply(body: bytes) -> None:
    initiator = cast.offered()
    initiator.init()
    cast.receive(initiator, body)


def service_receives_confirm(body: bytes) -> None:
    handshake.accept_confirm(cast.run().replied.secrets, handshake.read_confirm(body))


STEPS: dict[str, Any] = {
    "service receives init": service_receives_init,
    "device receives reply": device_receives_reply,
    "service receives confirm": service_receives_confirm,
    "device receives complete": cast.run().pending.receive_complete,
}


def test_fixed_run_gives_the_published_values() -> None:
    played = cast.run()
    assert played.init.decode() == RUN["init"]
    assert played.replied.reply.decode() == RUN["reply"]
    assert played.pending.confirm.decode() == RUN["confirm"]
    assert played.completed.body.decode() == RUN["complete"]
    for key, case in zip(played.established.keys, RUN["keys"], strict=True):
        assert key.key.hex() == case["session_key"]
        assert key.key_id == case["key_id"]
        assert list(key.words) == case["words"]
    assert played.established.keys == played.completed.keys


def test_draft_generator_and_run() -> None:
    given = {name: bytes.fromhex(value) for name, value in DRAFT["run"].items()}
    g = DRAFT["generator"]
    text = cpace.generator_string(given["PRS"], given["CI"], given["sid"])
    assert text.hex() == g["generator_string"]
    generator = cpace.calculate_generator(given["PRS"], given["CI"], given["sid"])
    assert cpace.share(given["ya"], generator) == given["Ya"]
    assert cpace.share(given["yb"], generator) == given["Yb"]
    assert cpace.agree(given["ya"], given["Yb"]) == given["K"]
    isk = cpace.intermediate_key(
        given["sid"], given["K"], (given["Ya"], given["ADa"]), (given["Yb"], given["ADb"])
    )
    assert isk == given["ISK_IR"]


def test_draft_points_of_low_order_abort() -> None:
    scalar = bytes.fromhex(DRAFT["low_order"]["s"])
    for case in DRAFT["low_order"]["cases"]:
        u = bytes.fromhex(case["u"])
        if case["must_abort"]:
            assert outcome(lambda u=u: cpace.agree(scalar, u)) == "refused"
        else:
            assert cpace.agree(scalar, u).hex() == case["q"]


def test_draft_length_prefixes() -> None:
    for case in DRAFT["strings"]:
        arguments = [bytes.fromhex(argument) for argument in case["args"]]
        assert lv_cat(*arguments).hex() == case["out"], case["fn"]
