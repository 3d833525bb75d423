"""Certificates for test servers: a good CA, and servers' certificates with one thing wrong."""

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import trustme


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
        folder = self.folder / f"{names[0]}-{leaf.cert_chain_pems[0].bytes()[100:108].hex()}"
        folder.mkdir(exist_ok=True)
        files = CertificateFiles(folder / "chain.pem", folder / "key.pem")
        files.chain.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
        files.key.write_bytes(leaf.private_key_pem.bytes())
        return files


@contextmanager
def certificate_authority() -> Iterator[CertificateAuthority]:
    """A fresh CA; its files are gone when the block ends."""
    with TemporaryDirectory(prefix="handfast-ca-") as folder:
        yield CertificateAuthority(Path(folder), trustme.CA())
