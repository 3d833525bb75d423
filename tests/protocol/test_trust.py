"""Keys speak for one issuer and one purpose."""

from dataclasses import replace

import pytest

from protocol.activation import open_document
from protocol.encoding import b64u, encode
from protocol.errors import LocalProtocolError, Reason, RemoteProtocolError, VerificationError
from protocol.signing import SigningKey, VerifyKey, sign_jws, verify_jws
from protocol.trust import TrustBundle, TrustedIssuer
from tests.vectors import cast


def test_a_kid_of_two_issuers_speaks_for_neither() -> None:
    other = TrustedIssuer("https://evil.example", replace(cast.KEY_SET, iss="https://evil.example"))
    with pytest.raises(VerificationError) as refusal:
        open_document(cast.RAW, [cast.TRUSTED, other])
    assert refusal.value.reason is Reason.UNKNOWN_KEY


def test_another_issuers_key_cannot_sign_for_this_one() -> None:
    other = TrustedIssuer("https://evil.example", cast.KEY_SET)
    with pytest.raises(VerificationError) as refusal:
        open_document(cast.RAW, [other])
    assert refusal.value.reason is Reason.WRONG_ISSUER


def test_nothing_is_trusted_by_default() -> None:
    with pytest.raises(VerificationError) as refusal:
        open_document(cast.RAW, [])
    assert refusal.value.reason is Reason.UNKNOWN_KEY


def test_bundle_fingerprint_names_issuer_and_roots() -> None:
    fingerprints = {
        cast.BUNDLE.fingerprint,
        replace(cast.BUNDLE, issuer="https://evil.example").fingerprint,
        replace(cast.BUNDLE, roots=cast.BUNDLE.roots[:1]).fingerprint,
    }
    assert len(fingerprints) == 3
    assert all(len(text.replace(" ", "")) * 5 >= 128 for text in fingerprints)


@pytest.mark.parametrize(
    "content",
    [
        {"issuer": "https://a.example", "roots": []},
        {"issuer": "http://a.example", "roots": [cast.ROOT.public]},
        {"issuer": "https://a.example/", "roots": [cast.ROOT.public]},
        {"issuer": "https://a.example", "roots": [bytes(32)]},
        {"issuer": "https://a.example", "roots": [cast.ROOT.public] * 2},
        {"issuer": "https://a.example", "roots": [cast.ROOT.public] * 3},
    ],
)
def test_bundles_refused(content: dict[str, object]) -> None:
    roots = content["roots"]
    assert isinstance(roots, list)
    body = encode({**content, "roots": [b64u(root) for root in roots]})
    with pytest.raises(RemoteProtocolError):
        TrustBundle.from_json(body)


def test_signing_returns_what_was_signed() -> None:
    key = SigningKey.from_seed(bytes(range(32)))
    signed = sign_jws(b"{}", key, "x+jwt")
    assert verify_jws(signed, {key.kid: key.verify_key}, "x+jwt") == (b"{}", key.kid)
    assert SigningKey.from_seed(key.seed()).kid == key.kid
    assert repr(key) == f"SigningKey({key.kid})"


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_keys_have_32_bytes(length: int) -> None:
    with pytest.raises(LocalProtocolError):
        SigningKey.from_seed(bytes(length))
    with pytest.raises(LocalProtocolError):
        VerifyKey(bytes(length))
