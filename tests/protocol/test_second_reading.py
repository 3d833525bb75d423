"""The fixed run once more, from docs/protocol.md alone: nothing here imports `protocol`."""

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

RUN: Final[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "handfast-run.json").read_text(encoding="utf-8")
)
GIVEN: Final = RUN["given"]
SUITE: Final = "CPACE-X25519-SHA512+MLKEM768"
P: Final = 2**255 - 19


def b64u(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def lv_cat(*fields: bytes | str) -> bytes:
    out = b""
    for field in fields:
        data = field if isinstance(field, bytes) else field.encode()
        length = len(data)
        while length > 127:
            out += bytes([length % 128 + 128])
            length //= 128
        out += bytes([length]) + data
    return out


def h(data: bytes) -> bytes:
    return hashlib.sha512(data).digest()


def mac(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, hashlib.sha512).digest()


def expand(key: bytes, info: bytes, length: int) -> bytes:
    return mac(key, info + b"\x01")[:length]


def elligator2(r: int) -> bytes:
    v = -486662 * pow(1 + 2 * r * r, -1, P) % P
    square = pow((v**3 + 486662 * v * v + v) % P, (P - 1) // 2, P) == 1
    return (v if square else (-v - 486662) % P).to_bytes(32, "little")


def x25519(scalar: bytes, u: bytes) -> bytes:
    return X25519PrivateKey.from_private_bytes(scalar).exchange(
        X25519PublicKey.from_public_bytes(u)
    )


def given(name: str) -> bytes:
    return bytes.fromhex(GIVEN[name])


def compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def thumbprint(x: bytes) -> str:
    jwk = '{"crv":"Ed25519","kty":"OKP","x":"' + b64u(x) + '"}'
    return b64u(hashlib.sha256(jwk.encode()).digest())


CI: Final = lv_cat(
    *("handfast/1", SUITE, "document", "initiator", "", "responder"),
    *(GIVEN["issuer"], GIVEN["activation"]),
)
KEM: Final = MLKEM768PrivateKey.from_seed_bytes(given("kem_seed"))
EK: Final = KEM.public_key().public_bytes_raw()


def generator() -> bytes:
    text = lv_cat("CPace255", given("prs"), bytes(53), CI, given("nonce"))
    return elligator2(int.from_bytes(h(text)[:32], "little") % 2**255)


def transcripts() -> tuple[bytes, bytes]:
    g = generator()
    ya, yb = x25519(given("device_scalar"), g), x25519(given("service_scalar"), g)
    kid = thumbprint(public(given("exchange_key_seed")))
    th1 = h(lv_cat("handfast/1 init", CI, given("nonce"), ya, EK))
    return th1, h(lv_cat("handfast/1 reply", th1, kid, yb, given("kem_ciphertext")))


def run_key() -> bytes:
    g = generator()
    ya, yb = x25519(given("device_scalar"), g), x25519(given("service_scalar"), g)
    k = x25519(given("device_scalar"), yb)
    transcript = lv_cat(ya, EK) + lv_cat(yb, given("kem_ciphertext"))
    isk = h(lv_cat("CPace255_ISK", given("nonce"), k) + transcript)
    psk = mac(b"handfast/1 psk", given("prs"))
    return mac(psk, KEM.decapsulate(given("kem_ciphertext")) + isk)


def labelled(label: str, length: int) -> bytes:
    return expand(run_key(), lv_cat("handfast/1 " + label, transcripts()[1]), length)


def public(seed: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def signed(seed: bytes, message: bytes) -> str:
    return b64u(Ed25519PrivateKey.from_private_bytes(seed).sign(message))


def sealed(label: str, content: object) -> bytes:
    key = AESGCM(labelled(label, 32))
    return key.encrypt(bytes(12), compact(content).encode(), transcripts()[1])


def sealed_identity() -> bytes:
    identity = public(given("identity_seed"))
    device = GIVEN["device"]
    statement = lv_cat(
        *("handfast/1 device signature", transcripts()[1], identity),
        *(device["name"], device["platform"], device["handler"]),
    )
    signature = signed(given("identity_seed"), statement)
    return sealed("device seal", {"identity": b64u(identity), **device, "signature": signature})


def session_keys() -> list[bytes]:
    th3 = h(lv_cat("handfast/1 confirm", transcripts()[1], sealed_identity()))
    return [
        expand(
            run_key(),
            lv_cat("handfast/1 session key", th3, one["id"], one["service"], one["uid"]),
            32,
        )
        for one in GIVEN["grants"]
    ]


def test_init() -> None:
    label = b"handfast/1 admission"
    k_adm = expand(mac(label, given("prs")), label, 64)
    init = {
        "v": 1,
        "suite": SUITE,
        "activation": GIVEN["activation"],
        "nonce": b64u(given("nonce")),
        "share": b64u(x25519(given("device_scalar"), generator())),
        "kem": b64u(EK),
        "admission": b64u(mac(k_adm, transcripts()[0])),
    }
    assert compact(init) == RUN["init"]


def test_reply() -> None:
    statement = lv_cat("handfast/1 service signature", transcripts()[1])
    reply = {
        "v": 1,
        "key": thumbprint(public(given("exchange_key_seed"))),
        "share": b64u(x25519(given("service_scalar"), generator())),
        "kem": b64u(given("kem_ciphertext")),
        "signature": signed(given("exchange_key_seed"), statement),
    }
    assert compact(reply) == RUN["reply"]


def test_confirm() -> None:
    th1, th2 = transcripts()
    th3 = h(lv_cat("handfast/1 confirm", th2, sealed_identity()))
    confirm = {
        "v": 1,
        "activation": GIVEN["activation"],
        "run": b64u(th1),
        "sealed": b64u(sealed_identity()),
        "tag": b64u(mac(labelled("device tag", 64), th3)),
    }
    assert compact(confirm) == RUN["confirm"]


def test_complete() -> None:
    keys = [
        {
            "grant": one["id"],
            "account": one["account"],
            "service": one["service"],
            "service_uid": one["uid"],
            "key_id": b64u(expand(key, lv_cat("handfast/1 key id"), 16)),
            "book": None,
        }
        for one, key in zip(GIVEN["grants"], session_keys(), strict=True)
    ]
    result = {"device": RUN["jkt"], "sub": GIVEN["sub"], "keys": keys}
    text = sealed("service seal", result)
    th3 = h(lv_cat("handfast/1 confirm", transcripts()[1], sealed_identity()))
    tag = mac(labelled("service tag", 64), h(lv_cat("handfast/1 complete", th3, text)))
    assert compact({"v": 1, "sealed": b64u(text), "tag": b64u(tag)}) == RUN["complete"]


def test_keys() -> None:
    assert [key.hex() for key in session_keys()] == [one["session_key"] for one in RUN["keys"]]
    prints = [expand(key, lv_cat("handfast/1 fingerprint"), 8) for key in session_keys()]
    assert [one.hex() for one in prints] == [one["fingerprint"] for one in RUN["keys"]]
