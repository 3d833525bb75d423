"""The bare primitives that one grant costs each side: same calls, same sizes, nothing around.

No encoding, no decoding, no checks, no objects: what docs/protocol.md asks of the libraries.
"""

import hashlib
import hmac
import os
from typing import Final

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from nacl import bindings

# Sizes of a run with one grant, as bench.run_of_one has it.
INIT_TRANSCRIPT: Final = bytes(1440)
REPLY_TRANSCRIPT: Final = bytes(1320)
SHORT_TRANSCRIPT: Final = bytes(430)
GENERATOR_STRING: Final = bytes(330)
ISK_TRANSCRIPT: Final = bytes(2430)
STATEMENT: Final = bytes(200)
CONFIRM_TEXT: Final = bytes(230)
COMPLETE_TEXT: Final = bytes(330)
LABEL: Final = bytes(100)
NONCE: Final = bytes(12)
# HMACs: admission 3, PRK 2, tags 4, seals 2, session key, key id, fingerprint.
HMACS: Final = 14


class BarePrimitives:
    """Keys and messages made once, so that only the primitives are left."""

    def __init__(self) -> None:
        self.key = os.urandom(32)
        self.scalar = bytes(bindings.crypto_core_ed25519_scalar_reduce(os.urandom(64)))
        self.peer_share = bindings.crypto_scalarmult_base(os.urandom(32))
        self.public, self.secret = bindings.crypto_sign_seed_keypair(os.urandom(32))
        self.signed = bindings.crypto_sign(STATEMENT, self.secret)
        self.seed = os.urandom(64)
        kem = MLKEM768PrivateKey.from_seed_bytes(self.seed)
        self.kem_public = kem.public_key().public_bytes_raw()
        self.kem_text = kem.public_key().encapsulate()[1]
        self.confirm_text = AESGCM(self.key).encrypt(NONCE, CONFIRM_TEXT, LABEL)
        self.complete_text = AESGCM(self.key).encrypt(NONCE, COMPLETE_TEXT, LABEL)

    def service_side(self) -> None:
        """CPace, encapsulation, a signature made and one checked, two sealed texts, hashes."""
        self._cpace()
        MLKEM768PublicKey.from_public_bytes(self.kem_public).encapsulate()
        bindings.crypto_sign(LABEL, self.secret)
        bindings.crypto_sign_open(self.signed, self.public)
        AESGCM(self.key).decrypt(NONCE, self.confirm_text, LABEL)
        AESGCM(self.key).encrypt(NONCE, COMPLETE_TEXT, LABEL)
        self._hashes()

    def device_side(self) -> None:
        """The same with a key pair and a decapsulation in place of the encapsulation."""
        self._cpace()
        kem = MLKEM768PrivateKey.from_seed_bytes(self.seed)
        kem.public_key().public_bytes_raw()
        kem.decapsulate(self.kem_text)
        bindings.crypto_sign(STATEMENT, self.secret)
        bindings.crypto_sign_open(self.signed, self.public)
        AESGCM(self.key).encrypt(NONCE, CONFIRM_TEXT, LABEL)
        AESGCM(self.key).decrypt(NONCE, self.complete_text, LABEL)
        self._hashes()

    def _cpace(self) -> None:
        element = hashlib.sha512(GENERATOR_STRING).digest()[:32]
        generator = bindings.crypto_core_ed25519_from_uniform(element)
        point = bindings.crypto_scalarmult_ed25519_noclamp(self.scalar, generator)
        bindings.crypto_sign_ed25519_pk_to_curve25519(point)
        bindings.crypto_scalarmult(self.key, self.peer_share)
        hashlib.sha512(ISK_TRANSCRIPT).digest()

    def _hashes(self) -> None:
        hashlib.sha512(INIT_TRANSCRIPT).digest()
        hashlib.sha512(REPLY_TRANSCRIPT).digest()
        hashlib.sha512(SHORT_TRANSCRIPT).digest()
        hashlib.sha512(SHORT_TRANSCRIPT).digest()
        for _ in range(HMACS):
            hmac.digest(self.key, LABEL, "sha512")
