"""A real Dovecot from a temporary folder: IMAP with STARTTLS and over TLS, users from a file.

It can also take mail from a Postfix, and tell it whose password is right.
"""

import grp
import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.peers.ca import CertificateFiles

_CONFIGURATION = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
default_internal_user = {user}
default_login_user = {user}
default_internal_group = {group}
mail_location = maildir:{folder}/mail/%u
mail_uid = {uid}
mail_gid = {gid}
first_valid_uid = 1
ssl = required
ssl_cert = <{chain}
ssl_key = <{key}
disable_plaintext_auth = yes
auth_mechanisms = plain
# Empty means every character, for names outside ASCII.
auth_username_chars =
auth_failure_delay = {failure_delay}s
login_trusted_networks = {trusted}
auth_verbose = yes
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {folder}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = {penalty_mode}
  }}
}}
service imap {{
  executable = imap
}}
service lmtp {{
  inet_listener lmtp {{
    port = {lmtp_port}
  }}
}}
service auth {{
  inet_listener auth {{
    port = {auth_port}
  }}
}}
# What is behind a plus sign is for whoever reads the mailbox.
recipient_delimiter = +
postmaster_address = postmaster@example.org
service stats {{
  chroot =
}}
"""


@dataclass(frozen=True)
class DovecotServer:
    """Where the running server listens, and its log."""

    host: str
    port: int
    tls_port: int
    log: Path
    lmtp_port: int
    auth_port: int


@contextmanager
def dovecot(
    users: Mapping[str, str],
    certificate: CertificateFiles,
    *,
    failure_delay: int = 0,
    penalty: bool = False,
    trusted: str = "",
) -> Iterator[DovecotServer]:
    """Serve these users (name to password) until the block ends; needs Dovecot installed."""
    with TemporaryDirectory(prefix="handfast-dovecot-") as name:
        folder = Path(name)
        server = DovecotServer(
            "127.0.0.1",
            _free_port(),
            _free_port(),
            folder / "dovecot.log",
            lmtp_port=_free_port(),
            auth_port=_free_port(),
        )
        settings = {
            "failure_delay": str(failure_delay),
            "penalty_mode": "0600" if penalty else "0",
            "trusted": trusted,
        }
        _write(folder, users, certificate, server, **settings)
        process = _started([_binary(), "-F", "-c", str(folder / "dovecot.conf")])
        try:
            _wait(process, server)
            yield server
        finally:
            process.terminate()
            process.wait(20)


def _write(
    folder: Path,
    users: Mapping[str, str],
    certificate: CertificateFiles,
    server: DovecotServer,
    **settings: str,
) -> None:
    """Write configuration, users and key into the folder and hand it to Dovecot's user."""
    for name in ("run", "state", "mail"):
        (folder / name).mkdir()
    chain = shutil.copy(certificate.chain, folder / "chain.pem")
    key = shutil.copy(certificate.key, folder / "key.pem")
    lines = [f"{user}:{password}:::::\n" for user, password in users.items()]
    (folder / "users").write_text("".join(lines), encoding="utf-8")
    uid, gid = _identity()
    text = _CONFIGURATION.format(
        folder=folder,
        user=pwd.getpwuid(uid).pw_name,
        group=grp.getgrgid(gid).gr_name,
        uid=uid,
        gid=gid,
        chain=chain,
        key=key,
        port=server.port,
        tls_port=server.tls_port,
        lmtp_port=server.lmtp_port,
        auth_port=server.auth_port,
        **settings,
    )
    (folder / "dovecot.conf").write_text(text, encoding="utf-8")
    for path in (folder, *folder.rglob("*")):
        os.chown(path, uid, gid)


def _started(command: list[str]) -> subprocess.Popen[bytes]:
    """Start Dovecot as its user; only root may, and must, change to another one."""
    if os.getuid() != 0:
        return subprocess.Popen(command)
    uid, gid = _identity()
    return subprocess.Popen(command, user=uid, group=gid, extra_groups=[])


def _identity() -> tuple[int, int]:
    """The unprivileged user Dovecot runs as: ourselves, or nobody where we are root."""
    if os.getuid() != 0:
        return os.getuid(), os.getgid()
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def _binary() -> str:
    """Dovecot's path; Debian keeps it where only root's search path looks."""
    found = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise RuntimeError("Dovecot is not installed (Debian: dovecot-imapd, dovecot-lmtpd)")
    return found


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _wait(process: subprocess.Popen[bytes], server: DovecotServer) -> None:
    """Wait until every listener takes connections."""
    end = time.monotonic() + 20
    for port in (server.port, server.tls_port, server.lmtp_port, server.auth_port):
        while True:
            try:
                socket.create_connection((server.host, port), 1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > end:
                    said = server.log.read_text() if server.log.exists() else "nothing logged"
                    raise RuntimeError(f"Dovecot did not start: {said}") from None
                time.sleep(0.05)
