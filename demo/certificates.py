"""The demo's own certificate authority, which can vouch for this machine only."""

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LOOPBACK = ipaddress.ip_address("127.0.0.1")
LIFETIME = datetime.timedelta(days=90)
RENEW_BEFORE = datetime.timedelta(days=7)


@dataclass(frozen=True)
class Certificates:
    """Three files: the authority to trust, the chain and the key to serve with."""

    authority: Path
    chain: Path
    key: Path


def provide(folder: Path) -> Certificates:
    """Return the certificates in the folder; make them when missing or soon to expire."""
    made = Certificates(
        folder / "authority.pem", folder / "localhost.pem", folder / "localhost.key"
    )
    if not still_good(made):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        make(made)
    return made


def still_good(certificates: Certificates) -> bool:
    """Whether all files are there and good for another week."""
    files = (certificates.authority, certificates.chain, certificates.key)
    if not all(file.is_file() for file in files):
        return False
    authority = x509.load_pem_x509_certificate(certificates.authority.read_bytes())
    return authority.not_valid_after_utc - now() > RENEW_BEFORE


def make(certificates: Certificates) -> None:
    """Write an authority, and one certificate for localhost; the authority's key is not kept."""
    authority_key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Handfast demo, this machine only")])
    authority = (
        blank(name, name, authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(only_this_machine(), critical=True)
        .add_extension(usage(signs_certificates=True), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    key = ec.generate_private_key(ec.SECP256R1())
    names = [x509.DNSName("localhost"), x509.IPAddress(LOOPBACK)]
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    certificate = (
        blank(subject, name, key.public_key())
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(usage(signs_certificates=False), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()),
            critical=False,
        )
        .sign(authority_key, hashes.SHA256())
    )
    write_key(certificates.key, key)
    certificates.chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    certificates.authority.write_bytes(authority.public_bytes(serialization.Encoding.PEM))


def blank(
    subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    """What both certificates have in common."""
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now() - datetime.timedelta(minutes=5))
        .not_valid_after(now() + LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def only_this_machine() -> x509.NameConstraints:
    """Somebody who trusts the demo's authority in their own browser risks nothing elsewhere."""
    machine = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_network("127.0.0.1/32"))]
    return x509.NameConstraints(permitted_subtrees=machine, excluded_subtrees=None)


def usage(*, signs_certificates: bool) -> x509.KeyUsage:
    """An authority signs certificates, a server signs handshakes, and neither does the other."""
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    """Write the key for its owner's eyes only, in the one form that the server reads."""
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


def now() -> datetime.datetime:
    """The time, with its zone."""
    return datetime.datetime.now(datetime.UTC)
