"""The worker's mail room in tests: people, a submission server, and what became of each mail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select

from app.config import WorkerConfig, worker_config
from app.models import OutgoingMail
from app.outbox.kinds import MailKind
from app.outbox.sending import Office
from app.outbox.services import queue
from tests.app.service_fixtures import Owner, Service
from tests.peers import smtp_server

ISSUER = "https://portal.example.test:8443"


def settings(
    port: int, ca: Path, *, host: str = "localhost", security: str = "tls"
) -> dict[str, str]:
    """What the operator sets for a server on loopback."""
    return {
        "HANDFAST_ISSUER": ISSUER,
        "HANDFAST_SMTP_HOST": host,
        "HANDFAST_SMTP_PORT": str(port),
        "HANDFAST_SMTP_SECURITY": security,
        "HANDFAST_SMTP_USERNAME": smtp_server.USER,
        "HANDFAST_SMTP_PASSWORD": smtp_server.PASSWORD,
        "HANDFAST_MAIL_FROM": "Handfast at Example <handfast@example.org>",
        "HANDFAST_MAIL_CA": str(ca),
        "HANDFAST_BOUNCES": "bounces@example.org",
        "HANDFAST_BOUNCES_PASSWORD": "bounce secret",
    }


@dataclass
class MailRoom:
    """A service with people, and the office that sends for it."""

    service: Service
    environment: Mapping[str, str] = field(repr=False)

    @property
    def config(self) -> WorkerConfig:
        """The worker's settings."""
        return worker_config(self.environment)

    @property
    def office(self) -> Office:
        """What the worker's jobs are given."""
        here = self.service
        return Office(here.database, self.config, here.keys.staff, here.clock, here.entropy)

    def queue(
        self,
        owner: Owner,
        kind: MailKind = MailKind.NEW_DEVICE,
        *,
        address: str | None = None,
        **facts: str | int,
    ) -> str:
        """Queue a mail to somebody."""
        here = self.service
        with here.database.write() as session:
            return queue(
                session,
                person_id=owner.person_id,
                address=address or owner.address,
                kind=kind,
                facts=facts,
                now=here.clock.now(),
                entropy=here.entropy,
            )

    def mail(self, mail_id: str) -> OutgoingMail:
        """Return a mail as it is in the database."""
        with self.service.database.read() as session:
            return session.scalars(select(OutgoingMail).where(OutgoingMail.id == mail_id)).one()
