"""The demo's mail server and the authority that vouches for it."""

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from imapclient import IMAPClient
from imapclient.exceptions import LoginError

from demo import mail_server
from demo.certificates import Certificates, provide

PASSWORD = "correct-horse"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return provide(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def mail(certificates: Certificates) -> Iterator[mail_server.MailServer]:
    mailboxes = {"ann@example.org": PASSWORD}
    with mail_server.serve(certificates.chain, certificates.key, mailboxes) as server:
        yield server


def connect(mail: mail_server.MailServer, certificates: Certificates) -> IMAPClient:
    context = ssl.create_default_context(cafile=str(certificates.authority))
    return IMAPClient(mail.host, mail.port, ssl_context=context)


def test_the_right_password_opens_the_mailbox(
    mail: mail_server.MailServer, certificates: Certificates
) -> None:
    with connect(mail, certificates) as client:
        client.plain_login("ann@example.org", PASSWORD)
        assert client.select_folder("INBOX")[b"EXISTS"] == 0


@pytest.mark.parametrize("who", ["ann@example.org", "olu@example.org"])
def test_a_wrong_password_or_person_is_refused(
    mail: mail_server.MailServer, certificates: Certificates, who: str
) -> None:
    client = connect(mail, certificates)
    with pytest.raises(LoginError):
        client.plain_login(who, "wrong")
    client.shutdown()


def test_a_client_that_stays_connected_does_not_keep_the_server_up(
    certificates: Certificates,
) -> None:
    with mail_server.serve(certificates.chain, certificates.key, {}) as server:
        client = connect(server, certificates)
    with pytest.raises(OSError), socket.create_connection(("127.0.0.1", server.port)):  # noqa: PT011  # refused or reset, as the system likes
        pass
    client.shutdown()


def test_certificates_are_made_once(certificates: Certificates) -> None:
    before = certificates.chain.read_bytes()
    assert provide(certificates.chain.parent).chain.read_bytes() == before


def test_the_private_key_is_for_its_owner_only(certificates: Certificates) -> None:
    assert Path(certificates.key).stat().st_mode & 0o077 == 0
