"""The fixed runs once more, from docs/protocol.md alone: nothing here imports `protocol`."""

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VECTORS: Final = Path(__file__).parents[1] / "vectors"
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


def compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def thumbprint(x: bytes) -> str:
    jwk = '{"crv":"Ed25519","kty":"OKP","x":"' + b64u(x) + '"}'
    return b64u(hashlib.sha256(jwk.encode()).digest())


def public(seed: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def signed(seed: bytes, message: bytes) -> str:
    return b64u(Ed25519PrivateKey.from_private_bytes(seed).sign(message))


class Reading:
    """One run, computed from what its vector gives."""

    def __init__(self, name: str) -> None:
        self.run: dict[str, Any] = json.loads((VECTORS / name).read_text(encoding="utf-8"))
        self.plain = self.run["given"]
        self.ci = lv_cat(
            *("handfast/1", SUITE, self.plain["kind"], "initiator", self.plain["bound_jkt"]),
            *("responder", self.plain["issuer"], self.plain["activation"]),
        )
        self.kem = MLKEM768PrivateKey.from_seed_bytes(self.given("kem_seed"))
        self.ek = self.kem.public_key().public_bytes_raw()
        self.g = self.generator()
        self.ya = x25519(self.given("device_scalar"), self.g)
        self.yb = x25519(self.given("service_scalar"), self.g)
        self.kid = thumbprint(public(self.given("exchange_key_seed")))
        self.th1 = h(lv_cat("handfast/1 init", self.ci, self.given("nonce"), self.ya, self.ek))
        ct = self.given("kem_ciphertext")
        self.th2 = h(lv_cat("handfast/1 reply", self.th1, self.kid, self.yb, ct))
        self.prk = self.run_key()
        self.identity = self.sealed_identity()
        self.th3 = h(lv_cat("handfast/1 confirm", self.th2, self.identity))

    def given(self, name: str) -> bytes:
        return bytes.fromhex(self.plain[name])

    def generator(self) -> bytes:
        text = lv_cat("CPace255", self.given("prs"), bytes(53), self.ci, self.given("nonce"))
        return elligator2(int.from_bytes(h(text)[:32], "little") % 2**255)

    def run_key(self) -> bytes:
        k = x25519(self.given("device_scalar"), self.yb)
        transcript = lv_cat(self.ya, self.ek) + lv_cat(self.yb, self.given("kem_ciphertext"))
        isk = h(lv_cat("CPace255_ISK", self.given("nonce"), k) + transcript)
        psk = mac(b"handfast/1 psk", self.given("prs"))
        return mac(psk, self.kem.decapsulate(self.given("kem_ciphertext")) + isk)

    def labelled(self, label: str, length: int) -> bytes:
        return expand(self.prk, lv_cat("handfast/1 " + label, self.th2), length)

    def sealed(self, label: str, content: object) -> bytes:
        key = AESGCM(self.labelled(label, 32))
        return key.encrypt(bytes(12), compact(content).encode(), self.th2)

    def sealed_identity(self) -> bytes:
        identity = public(self.given("identity_seed"))
        device = self.plain["device"]
        statement = lv_cat(
            *("handfast/1 device signature", self.th2, identity),
            *(device["name"], device["platform"], device["handler"]),
        )
        signature = signed(self.given("identity_seed"), statement)
        content = {"identity": b64u(identity), **device, "signature": signature}
        return self.sealed("device seal", content)

    def session_keys(self) -> list[bytes]:
        label = "handfast/1 session key"
        return [
            expand(self.prk, lv_cat(label, self.th3, one["id"], one["service"], one["uid"]), 32)
            for one in self.plain["grants"]
        ]


@pytest.fixture(
    params=["handfast-run.json", "handfast-rotation.json", "handfast-code.json"], scope="module"
)
def reading(request: pytest.FixtureRequest) -> Reading:
    return Reading(request.param)


def test_init(reading: Reading) -> None:
    label = b"handfast/1 admission"
    k_adm = expand(mac(label, reading.given("prs")), label, 64)
    init = {
        "v": 1,
        "suite": SUITE,
        "activation": reading.plain["activation"],
        "nonce": b64u(reading.given("nonce")),
        "share": b64u(reading.ya),
        "kem": b64u(reading.ek),
    }
    if reading.plain["kind"] != "code":
        init["admission"] = b64u(mac(k_adm, reading.th1))
    assert compact(init) == reading.run["init"]


def test_reply(reading: Reading) -> None:
    statement = lv_cat("handfast/1 service signature", reading.th2)
    reply = {
        "v": 1,
        "key": reading.kid,
        "share": b64u(reading.yb),
        "kem": b64u(reading.given("kem_ciphertext")),
        "signature": signed(reading.given("exchange_key_seed"), statement),
    }
    assert compact(reply) == reading.run["reply"]


def test_confirm(reading: Reading) -> None:
    confirm = {
        "v": 1,
        "activation": reading.plain["activation"],
        "run": b64u(reading.th1),
        "sealed": b64u(reading.identity),
        "tag": b64u(mac(reading.labelled("device tag", 64), reading.th3)),
    }
    assert compact(confirm) == reading.run["confirm"]


def test_complete(reading: Reading) -> None:
    keys = [
        {
            "grant": one["id"],
            "account": one["account"],
            "service": one["service"],
            "service_uid": one["uid"],
            "key_id": b64u(expand(key, lv_cat("handfast/1 key id"), 16)),
            "book": None,
        }
        for one, key in zip(reading.plain["grants"], reading.session_keys(), strict=True)
    ]
    result = {"device": reading.run["jkt"], "sub": reading.plain["sub"], "keys": keys}
    text = reading.sealed("service seal", result)
    th4 = h(lv_cat("handfast/1 complete", reading.th3, text))
    tag = mac(reading.labelled("service tag", 64), th4)
    assert compact({"v": 1, "sealed": b64u(text), "tag": b64u(tag)}) == reading.run["complete"]


def test_keys(reading: Reading) -> None:
    keys, published = reading.session_keys(), reading.run["keys"]
    assert [key.hex() for key in keys] == [one["session_key"] for one in published]
    prints = [expand(key, lv_cat("handfast/1 fingerprint"), 8) for key in keys]
    assert [one.hex() for one in prints] == [one["fingerprint"] for one in published]


def test_the_password_of_a_rotation() -> None:
    first, rotation = Reading("handfast-run.json"), Reading("handfast-rotation.json")
    old = first.session_keys()[0]
    old_id = b64u(expand(old, lv_cat("handfast/1 key id"), 16))
    rotate = expand(old, lv_cat("handfast/1 rotate"), 64)
    prs = h(lv_cat("handfast/1 rotation", rotation.plain["issuer"], old_id, rotate))
    assert prs == rotation.given("prs")
    assert rotation.plain["bound_jkt"] == thumbprint(public(first.given("identity_seed")))


CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def check(symbols: str) -> str:
    """Horner's rule over 2^5 elements, as section 15.1 writes it."""
    c = 0
    for symbol in symbols:
        c = c ^ CROCKFORD.index(symbol)
        c = c * 2 if c < 16 else (c * 2) ^ 37
    return CROCKFORD[c]


def test_the_password_and_the_check_symbol_of_a_code() -> None:
    code = Reading("handfast-code.json")
    for one in code.run["read"]:
        typed = one["typed"].upper().translate(str.maketrans("OIL", "011", "\t\n -\u2013"))
        assert typed == one["handle"] + one["secret"] + check(one["handle"] + one["secret"])
        assert one["handle"] == code.plain["activation"]
        prs = h(lv_cat("handfast/1 code", code.plain["issuer"], one["secret"]))
        assert prs == code.given("prs")
    for one in code.run["check"]:
        assert check(one["symbols"]) == one["check"]
