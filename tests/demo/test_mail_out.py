"""Mail of the demo's worker is put where the person can read it, and leaves the machine nowhere."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from imapclient import IMAPClient

from app.config import worker_config
from demo import mail_out, mail_server
from demo.certificates import Certificates, provide

ANN, PASSWORD = "ann@example.org", "correct-horse"


@dataclass
class Running:
    """The demo's mail, in both directions."""

    settings: dict[str, str]
    mail: mail_server.MailServer
    context: ssl.SSLContext
    folder: Path

    def send(self, to: str, *, sign_in: bool = True) -> None:
        """Hand a mail over, as the worker does."""
        place = worker_config(self.settings).submission
        assert place is not None
        with smtplib.SMTP_SSL(place.host, place.port, context=self.context) as smtp:
            if sign_in:
                smtp.login(place.username, place.password)
            smtp.sendmail(place.sender.text, [to], f"To: {to}\r\nSubject: Hello\r\n\r\nHi.\r\n")


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    certificates: Certificates = provide(tmp_path / "certificates")
    context = ssl.create_default_context(cafile=str(certificates.authority))
    mailboxes, folder = {ANN: PASSWORD}, tmp_path / "mail"
    with (
        mail_server.serve(certificates.chain, certificates.key, mailboxes) as mail,
        mail_out.serve(certificates, mail, mailboxes, folder) as settings,
    ):
        yield Running(settings, mail, context, folder)


def test_a_mail_is_in_the_mailbox_in_a_file_and_on_the_terminal(
    running: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    running.send(ANN)

    with IMAPClient(running.mail.host, running.mail.port, ssl_context=running.context) as client:
        client.plain_login(ANN, PASSWORD)
        client.select_folder("INBOX")
        assert len(client.search(["SUBJECT", "Hello"])) == 1
    assert b"Hi." in (running.folder / "001.eml").read_bytes()
    assert f"mail to {ANN}: Hello" in capsys.readouterr().out


def test_a_mailbox_that_nobody_has_is_refused(running: Running) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        running.send("nobody@example.org")
    assert refused.value.recipients["nobody@example.org"][0] == 550


def test_what_would_leave_the_machine_is_a_file(running: Running) -> None:
    running.send("somebody@elsewhere.example")
    assert (running.folder / "001.eml").exists()


def test_nobody_but_the_worker_hands_mail_over(running: Running) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        running.send(ANN, sign_in=False)
    assert refused.value.recipients[ANN][0] == 530
