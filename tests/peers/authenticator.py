"""An authenticator for passkeys, in software: it makes keys and signs challenges as told."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

Flag = AuthenticatorData.FLAG


@dataclass
class Passkey:
    """One key, and what it says in its answers; change a field to make it say something wrong."""

    origin: str
    host: str
    credential_id: bytes = b"credential-1"
    user: bytes = b""
    counter: int = 1
    is_unlocked: bool = True
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1()), repr=False
    )

    def but(self, **more: Any) -> Passkey:
        """Return the same with something else in it."""
        return replace(self, **more)

    def make(self, options: dict[str, Any]) -> str:
        """Return what a browser sends after ``credentials.create``."""
        self.user = websafe_decode(options["user"]["id"])
        public = ES256.from_cryptography_key(self.key.public_key())  # type: ignore[no-untyped-call]  # the library has no type here
        attested = AttestedCredentialData.create(Aaguid.NONE, self.credential_id, public)
        data = self._data(Flag.AT, attested)
        client = self._client(CollectedClientData.TYPE.CREATE, options)
        response = {
            "clientDataJSON": websafe_encode(client),
            "attestationObject": websafe_encode(AttestationObject.create("none", data, {})),
        }
        return self._answer(response)

    def show(self, options: dict[str, Any]) -> str:
        """Return what a browser sends after ``credentials.get``."""
        data = self._data(Flag(0), b"")
        client = self._client(CollectedClientData.TYPE.GET, options)
        signature = self.key.sign(data + client.hash, ec.ECDSA(SHA256()))
        response = {
            "clientDataJSON": websafe_encode(client),
            "authenticatorData": websafe_encode(data),
            "signature": websafe_encode(signature),
            "userHandle": websafe_encode(self.user),
        }
        return self._answer(response)

    def _data(self, flags: Flag, attested: bytes) -> AuthenticatorData:
        unlocked = Flag.UV if self.is_unlocked else Flag(0)
        host = hashlib.sha256(self.host.encode()).digest()
        flags |= Flag.UP | unlocked
        data: AuthenticatorData = AuthenticatorData.create(host, flags, self.counter, attested)
        return data

    def _client(self, kind: str, options: dict[str, Any]) -> CollectedClientData:
        return CollectedClientData.create(kind, options["challenge"], self.origin)

    def _answer(self, response: dict[str, str]) -> str:
        return json.dumps(
            {
                "id": websafe_encode(self.credential_id),
                "rawId": websafe_encode(self.credential_id),
                "type": "public-key",
                "clientExtensionResults": {},
                "response": response,
            }
        )
