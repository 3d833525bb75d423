"""Mail through a real Postfix into a real Dovecot, and what comes back from there."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Final

import pytest
from imapclient import IMAPClient
from sqlalchemy import select

from app.accounts import challenges, proof
from app.clock import MINUTE
from app.config import worker_config
from app.keystore.rings import WorkerKeys
from app.mailservers.server import VouchedBy
from app.models import AuditEntry, MailAccount, OutgoingMail, StaffRole
from app.outbox.kinds import MailKind
from app.outbox.services import queue
from app.outbox.submission import verifying
from app.worker.here import Here
from app.worker.loop import Loop
from tests.app.outbox.office import settings
from tests.app.pages.seeded import bare_portal
from tests.app.service_fixtures import Owner, Service
from tests.app.webadmin.desk import staff_at_desk
from tests.peers import smtp_server
from tests.peers.ca import CertificateAuthority, certificate_authority
from tests.peers.postfix import PostfixServer, may_start, postfix

pytestmark = [
    pytest.mark.postfix,
    pytest.mark.dovecot,
    pytest.mark.skipif(not may_start(), reason="Postfix starts for root only"),
]

ANN, NEW = "ann@example.org", "new.person@example.org"
UNKNOWN = "unknown@example.org"
PASSWORDS: Final = {
    ANN: "ann's password",
    NEW: "new person's password",
    "bounces@example.org": "bounce secret",
    smtp_server.USER: smtp_server.PASSWORD,
}
REFUSALS: Final = {
    "refused@example.org": "550 5.7.1 not here",
    "later@example.org": "450 4.2.0 not now",
}
PATIENCE_SECONDS: Final = 20


@pytest.fixture(scope="module")
def authority() -> Iterator[CertificateAuthority]:
    """A CA that only these tests trust."""
    with certificate_authority() as made:
        (made.folder / "ca.pem").write_text(made.pem, encoding="ascii")
        yield made


@pytest.fixture(scope="module")
def server(authority: CertificateAuthority) -> Iterator[PostfixServer]:
    """One Postfix with its Dovecot for all of them."""
    with postfix(PASSWORDS, authority.issue("localhost"), refusals=REFUSALS) as running:
        yield running


@pytest.fixture(params=["tls", "starttls"])
def security(request: pytest.FixtureRequest) -> str:
    """Both ways to submit."""
    return str(request.param)


@pytest.fixture
def site(sqlite_service: Service, server: PostfixServer, authority: CertificateAuthority) -> Site:
    """A service whose worker submits to that Postfix."""
    return Site(sqlite_service, server, authority.folder / "ca.pem")


class Site:
    """A service, its worker, and the mail server that both of them know."""

    def __init__(self, service: Service, server: PostfixServer, ca: Path) -> None:
        self.service, self.server, self.ca = service, server, ca

    def worker(self, security: str = "tls") -> Loop:
        """The worker with its real jobs."""
        port = self.server.tls_port if security == "tls" else self.server.port
        environment = {
            **settings(port, self.ca, security=security),
            "HANDFAST_STATE_DIR": str(self.service.config.state_dir),
            "HANDFAST_BOUNCES_PORT": str(self.server.mailboxes.tls_port),
        }
        here = self.service
        keys = WorkerKeys.open(here.provider, entropy=here.entropy, now=here.clock.now())
        config = worker_config(environment)
        return Loop(Here(config, here.database, keys, here.clock, here.entropy))

    def inbox(self, address: str) -> list[EmailMessage]:
        """Read a mailbox, as a person's mail program does."""
        port = self.server.mailboxes.tls_port
        with IMAPClient("localhost", port, ssl_context=verifying(self.ca)) as client:
            client.login(address, PASSWORDS[address])
            client.select_folder("INBOX", readonly=True)
            answer = client.fetch(client.search("ALL"), ["BODY.PEEK[]"])
        raw = [fields[b"BODY[]"] for _, fields in sorted(answer.items())]
        return [message_from_bytes(each, policy=default) for each in raw]

    def queue(self, owner: Owner, address: str) -> str:
        """Queue a mail."""
        here = self.service
        with here.database.write() as session:
            return queue(
                session,
                person_id=owner.person_id,
                address=address,
                kind=MailKind.NEW_DEVICE,
                facts={"device": "Ann’s 📱", "account": address},
                now=here.clock.now(),
                entropy=here.entropy,
            )

    def mail(self, mail_id: str) -> OutgoingMail:
        """Return a mail as it is in the database."""
        with self.service.database.read() as session:
            return session.get_one(OutgoingMail, mail_id)


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until a mail server has done its part."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


def test_an_act_in_webadmin_is_read_in_the_mailbox(
    tmp_path: Path, server: PostfixServer, authority: CertificateAuthority, security: str
) -> None:
    with bare_portal(tmp_path) as seeded:
        site = Site(seeded.service, server, authority.folder / "ca.pem")
        before = len(site.inbox(NEW))
        ada = staff_at_desk(seeded.app, StaffRole.ADMINISTRATOR)
        ada.get("/admin/people/invite")
        form = {"address": NEW, "name": "New Person", "services": ["mail"], "reason": "joins us"}
        assert ada.post("/admin/people/invite", form).status_code == 303, ada.text()

        site.worker(security).until_idle()

        wait_for(lambda: len(site.inbox(NEW)) > before)
        mail = site.inbox(NEW)[-1]
    assert mail["From"] == "Handfast at Example <handfast@example.org>"
    assert mail["Auto-Submitted"] == "auto-generated"
    body = mail.get_content()
    assert "Hello New Person," in body
    assert "Who did it: Ada" in body
    assert "Why: joins us" in body
    assert "https://portal.example.test:8443/" in body


def test_mail_to_nobody_comes_back_and_is_noticed(site: Site) -> None:
    mail_id = site.queue(site.service.ann, UNKNOWN)
    with site.service.database.write() as session:
        session.get_one(MailAccount, "account-ann").address = UNKNOWN

    def noticed() -> bool:
        site.worker().until_idle()
        return site.mail(mail_id).state == "bounced"

    wait_for(noticed)
    failure = site.mail(mail_id).failure or ""
    # Postfix took it, and only then heard from Dovecot that there is no such mailbox.
    assert failure.startswith("5.1.1 smtp; 550 5.1.1 ")
    assert "User doesn't exist" in failure
    with site.service.database.read() as session:
        account = session.get_one(MailAccount, "account-ann")
        entry = session.scalars(select(AuditEntry).where(AuditEntry.act == "mail-bounced")).one()
    assert account.bounced_at == site.service.clock.now()
    assert (entry.subject_id, entry.target) == (site.service.ann.person_id, mail_id)
    # The report stays where it is, for people to read.
    assert any(mail_id in str(mail) for mail in site.inbox("bounces@example.org"))


def test_a_report_that_names_a_mail_without_its_tag_changes_nothing(site: Site) -> None:
    mail_id = site.queue(site.service.ann, ANN)
    site.worker().until_idle()
    sent = site.inbox(ANN)[-1]
    right = re.search(r"bounces\+([a-z2-7]{26})([a-z2-7]{16})@", str(sent["Return-Path"]))
    assert right is not None
    forged = report(f"bounces+{right[1]}{'a' * 16}@example.org", mail_id)
    port = site.server.mailboxes.tls_port
    with IMAPClient("localhost", port, ssl_context=verifying(site.ca)) as client:
        client.login("bounces@example.org", PASSWORDS["bounces@example.org"])
        client.append("INBOX", forged)

    site.worker().until_idle()

    assert site.mail(mail_id).state == "sent"
    with IMAPClient("localhost", port, ssl_context=verifying(site.ca)) as client:
        client.login("bounces@example.org", PASSWORDS["bounces@example.org"])
        client.select_folder("INBOX", readonly=True)
        # It was read, and nothing is thrown away.
        assert client.search(["UNSEEN"]) == []
        assert client.search(["SUBJECT", "Undelivered"])


def test_what_the_server_refuses_or_puts_off_is_written_down(site: Site) -> None:
    refused = site.queue(site.service.ann, "refused@example.org")
    later = site.queue(site.service.ann, "later@example.org")

    site.worker().until_idle()

    assert site.mail(refused).state == "failed"
    assert (site.mail(refused).failure or "").startswith("550 5.7.1 ")
    assert site.mail(later).state == "waiting"
    assert (site.mail(later).failure or "").startswith("450 4.2.0 ")
    assert site.mail(later).next_at == site.service.clock.now() + MINUTE


def test_an_address_is_proven_by_the_code_that_is_read_in_its_mailbox(site: Site) -> None:
    here = site.service
    with here.database.write() as session:
        session.add(
            MailAccount(
                id="claim",
                person_id=here.bob.person_id,
                address=NEW,
                vouched_by=VouchedBy.MANUAL,
                created_at=here.clock.now(),
            )
        )
    before = len(site.inbox(NEW))
    challenges.ask(
        here.database, here.bob.person_id, "claim", now=here.clock.now(), entropy=here.entropy
    )
    site.worker().until_idle()
    wait_for(lambda: len(site.inbox(NEW)) > before)
    code = re.search(r"^ +(\w{4}-\w{4})\s*$", site.inbox(NEW)[-1].get_content(), re.M)
    assert code is not None

    making = proof.Here(now=here.clock.now(), shard=0, entropy=here.entropy)
    challenges.answer(
        here.database, here.bob.person_id, "claim", code[1], keys=here.keys.staff, here=making
    )

    with here.database.read() as session:
        assert session.get_one(MailAccount, "claim").proven_at == here.clock.now()


def test_nothing_of_it_is_left_running(authority: CertificateAuthority) -> None:
    def where(link: Path) -> str:
        # A process may have ended since it was listed.
        with suppress(OSError):
            return str(link.readlink())
        return ""

    def at_work(folder: Path) -> list[str]:
        links = list(map(where, Path("/proc").glob("[0-9]*/cwd")))
        return [link for link in links if link.startswith(f"{folder}/")]

    with postfix(PASSWORDS, authority.issue("localhost")) as running:
        folder = running.log.parent
        assert at_work(folder)
    # Its workers end with it, a moment later.
    wait_for(lambda: at_work(folder) == [])


def report(to: str, mail_id: str) -> bytes:
    """A delivery report as somebody might make it up who knows a mail's id."""
    return f"""From: MAILER-DAEMON@mail.example.org
To: {to}
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.org

Final-Recipient: rfc822; ann@example.org
Action: failed
Status: 5.1.1

--b
Content-Type: text/rfc822-headers

Message-ID: <{mail_id}.handfast@example.org>

--b--
""".replace("\n", "\r\n").encode()
