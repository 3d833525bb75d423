"""Hashes, labels and keys of a run, as docs/protocol.md 9 lists them. H is SHA-512."""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Final, Literal

from protocol.encoding import lv_cat
from protocol.errors import LocalProtocolError
from protocol.messages import SUITE, Init

Kind = Literal["document", "code", "rotation"]
_ADMISSION: Final = b"handfast/1 admission"


@dataclass(frozen=True, slots=True)
class Context:
    """What both sides know before a run: who issued which activation, and for which device."""

    issuer: str
    activation: str
    kind: Kind = "document"
    bound_jkt: str | None = None

    def __post_init__(self) -> None:
        if self.kind == "rotation" and self.bound_jkt is None:
            raise LocalProtocolError("a rotation is bound to its device")

    def channel(self) -> bytes:
        """CI, the channel identifier that CPace mixes into its generator."""
        return lv_cat(
            "handfast/1",
            SUITE,
            self.kind,
            "initiator",
            self.bound_jkt or "",
            "responder",
            self.issuer,
            self.activation,
        )


def extract(salt: bytes, key_material: bytes) -> bytes:
    """HKDF-Extract with SHA-512 (RFC 5869)."""
    return hmac.digest(salt, key_material, "sha512")


def expand(key: bytes, info: bytes, length: int) -> bytes:
    """HKDF-Expand with SHA-512; every length used here fits into its first block."""
    return hmac.digest(key, info + b"\x01", "sha512")[:length]


def code_prs(issuer: str, secret: str) -> bytes:
    """The CPace password of a typed code: 64 bytes over the issuer and the secret symbols."""
    return hashlib.sha512(lv_cat("handfast/1 code", issuer, secret)).digest()


def init_transcript(context: Context, init: Init) -> bytes:
    """TH1, which names the run."""
    return _hash("handfast/1 init", context.channel(), init.nonce, init.share, init.kem)


def reply_transcript(th1: bytes, kid: str, share: bytes, kem: bytes) -> bytes:
    """TH2, which the service signs."""
    return _hash("handfast/1 reply", th1, kid, share, kem)


def confirm_transcript(th2: bytes, sealed: bytes) -> bytes:
    """TH3, which the device's tag proves."""
    return _hash("handfast/1 confirm", th2, sealed)


def complete_transcript(th3: bytes, sealed: bytes) -> bytes:
    """TH4, which the service's tag proves."""
    return _hash("handfast/1 complete", th3, sealed)


def admission_tag(prs: bytes, th1: bytes) -> bytes:
    """Proof that the sender of an init holds the document, before anything costly is done."""
    return mac(expand(extract(_ADMISSION, prs), _ADMISSION, 64), th1)


def run_key(prs: bytes, kem_secret: bytes, isk: bytes) -> bytes:
    """PRK: password, lattice secret and CPace key; each alone keeps it closed."""
    return extract(extract(b"handfast/1 psk", prs), kem_secret + isk)


def labelled(prk: bytes, label: str, th2: bytes, length: int) -> bytes:
    """k(label, n)."""
    return expand(prk, lv_cat("handfast/1 " + label, th2), length)


def mac(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA-512."""
    return hmac.digest(key, message, "sha512")


def _hash(label: str, *fields: bytes | str) -> bytes:
    return hashlib.sha512(lv_cat(label, *fields)).digest()
