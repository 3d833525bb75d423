"""A real Postfix from a temporary folder: it takes mail from who signs in, and delivers it.

Passwords are Dovecot's to judge, and the mail goes to the same Dovecot; whom that does not know
makes a real delivery report. Postfix starts only for root, and serves as its user ``postfix``.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.peers.ca import CertificateFiles
from tests.peers.dovecot import DovecotServer, dovecot

DOMAIN = "example.org"
_MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/mail.log
maillog_file_prefixes = {folder}
myhostname = mail.{domain}
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
virtual_mailbox_domains = {domain}
virtual_transport = lmtp:inet:127.0.0.1:{lmtp_port}
recipient_delimiter = +
# Dovecot says whom it does not know, once the mail was taken: that makes a report.
smtpd_reject_unlisted_recipient = no
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions =
    check_recipient_access inline:{{ {refusals} }}, permit_sasl_authenticated, reject
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:{auth_port}
smtpd_tls_security_level = encrypt
smtpd_tls_auth_only = yes
smtpd_tls_chain_files = {folder}/key.pem, {folder}/chain.pem
# Nothing ever leaves this machine.
default_transport = error:5.1.2 this server delivers to nobody else
"""
_MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
127.0.0.1:{tls_port} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""
_QUEUES = ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming")
_OWN = (*_QUEUES, "private", "saved", "trace")
_SHARED = {"public": 0o710, "maildrop": 0o730}


@dataclass(frozen=True)
class PostfixServer:
    """Where it takes mail, over STARTTLS and over TLS, and the Dovecot that it delivers to."""

    host: str
    port: int
    tls_port: int
    log: Path
    mailboxes: DovecotServer


@contextmanager
def postfix(
    users: Mapping[str, str],
    certificate: CertificateFiles,
    *,
    refusals: Mapping[str, str] | None = None,
) -> Iterator[PostfixServer]:
    """Serve these users (address to password) until the block ends.

    ``refusals`` are answers to recipients, such as "450 4.2.0 later". Needs root, and Debian's
    packages postfix and dovecot-lmtpd.
    """
    with (
        dovecot(users, certificate) as mailboxes,
        TemporaryDirectory(prefix="handfast-postfix-") as name,
    ):
        folder = Path(name)
        port, tls_port = _free_port(), _free_port()
        server = PostfixServer("127.0.0.1", port, tls_port, folder / "mail.log", mailboxes)
        _write(folder, certificate, server, refusals or {})
        process = subprocess.Popen(
            [_binary(), "-c", str(folder), "start-fg"],
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait(process, server)
            yield server
        finally:
            _end(process, folder)


def may_start() -> bool:
    """Tell whether we are who Postfix starts for."""
    return os.geteuid() == 0


def _write(
    folder: Path, certificate: CertificateFiles, server: PostfixServer, refusals: Mapping[str, str]
) -> None:
    """Write the configuration and an empty queue, each part with the owner that Postfix wants."""
    listed = ", ".join(f"{{ {address} = {answer} }}" for address, answer in refusals.items())
    main = _MAIN.format(
        folder=folder,
        domain=DOMAIN,
        lmtp_port=server.mailboxes.lmtp_port,
        auth_port=server.mailboxes.auth_port,
        refusals=listed or f"{{ nobody@{DOMAIN}.invalid = DUNNO }}",
    )
    (folder / "main.cf").write_text(main, encoding="utf-8")
    master = _MASTER.format(port=server.port, tls_port=server.tls_port)
    (folder / "master.cf").write_text(master.lstrip(), encoding="utf-8")
    shutil.copy(certificate.chain, folder / "chain.pem")
    shutil.copy(certificate.key, folder / "key.pem")
    folder.chmod(0o755)
    (folder / "queue").mkdir(mode=0o755)
    (folder / "queue" / "pid").mkdir(mode=0o755)
    (folder / "data").mkdir(mode=0o700)
    shutil.chown(folder / "data", "postfix")
    for queue in _OWN:
        (folder / "queue" / queue).mkdir(mode=0o700)
        shutil.chown(folder / "queue" / queue, "postfix")
    for queue, mode in _SHARED.items():
        (folder / "queue" / queue).mkdir()
        shutil.chown(folder / "queue" / queue, "postfix", "postdrop")
        (folder / "queue" / queue).chmod(mode)


def _binary() -> str:
    found = shutil.which("postfix", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        raise RuntimeError("Postfix is not installed (Debian: postfix)")
    return found


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _end(process: subprocess.Popen[bytes], folder: Path) -> None:
    """End the master by the id that it wrote down; what was started is a script around it.

    The master ends everything in its group with itself.
    """
    written = folder / "queue" / "pid" / "master.pid"
    master = int(written.read_text()) if written.exists() else None
    if master is not None:
        os.kill(master, signal.SIGTERM)
    process.terminate()
    process.wait(20)
    end = time.monotonic() + 20
    while master is not None and Path(f"/proc/{master}").exists():
        if time.monotonic() > end:
            raise RuntimeError("Postfix did not end")
        time.sleep(0.02)


def _wait(process: subprocess.Popen[bytes], server: PostfixServer) -> None:
    """Wait until it greets, which it does once all of it is up."""
    end = time.monotonic() + 20
    while True:
        try:
            with socket.create_connection((server.host, server.port), 2) as probe:
                if probe.recv(4) == b"220 ":
                    return
        except OSError:
            pass
        if process.poll() is not None or time.monotonic() > end:
            said = server.log.read_text() if server.log.exists() else "nothing logged"
            raise RuntimeError(f"Postfix did not start: {said}")
        time.sleep(0.05)
