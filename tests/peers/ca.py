"""Certificates for test servers: a good CA, and servers' certificates with one thing wrong."""

import datetime
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class CertificateFiles:
    """A server's certificate chain and key on disk."""

    chain: Path
    key: Path


@dataclass(frozen=True)
class CertificateAuthority:
    """A CA whose certificates lie in one temporary folder."""

    folder: Path
    authority: trustme.CA

    @property
    def pem(self) -> str:
        """The CA's own certificate, as a pin carries it."""
        return self.authority.cert_pem.bytes().decode("ascii")

    def issue(self, *names: str, expired: bool = False) -> CertificateFiles:
        """A certificate for these names (addresses too)."""
        past = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC) if expired else None
        leaf = self.authority.issue_cert(*names, not_after=past)
        chain = b"".join(blob.bytes() for blob in leaf.cert_chain_pems)
        return self._stored(names[0], chain, leaf.private_key_pem.bytes())

    def self_signed(self, name: str) -> CertificateFiles:
        """A certificate that nobody but itself vouches for."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder(subject, subject, key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .sign(key, hashes.SHA256())
        )
        return self._stored(
            name,
            certificate.public_bytes(Encoding.PEM),
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        )

    def _stored(self, name: str, chain: bytes, key: bytes) -> CertificateFiles:
        folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))
        files = CertificateFiles(folder / "chain.pem", folder / "key.pem")
        files.chain.write_bytes(chain)
        files.key.write_bytes(key)
        return files


@contextmanager
def certificate_authority() -> Iterator[CertificateAuthority]:
    """A fresh CA; its files are gone when the block ends."""
    with tempfile.TemporaryDirectory(prefix="handfast-ca-") as folder:
        yield CertificateAuthority(Path(folder), trustme.CA())
