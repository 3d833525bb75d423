"""A portal that has been lived in: Ann's devices, keys, sessions and history, all really made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flask import Flask
from sqlalchemy.orm import Session

from app import create_portal
from app.accounts import sessions
from app.activation.services import ensure_services, request_activation, revoke_device, revoke_key
from app.audit import Act, record
from app.clock import DAY, HOUR, MINUTE, FixedClock, SystemClock
from app.config import portal_config
from app.database import Database
from app.devices.services import DeviceView, list_devices
from app.extensions import of
from app.keystore.provider import FileKeyProvider
from app.mailservers.network import Network
from app.mailservers.server import VouchedBy
from app.models import Base, MailAccount
from tests.app.portal_fixtures import ISSUER, Browser
from tests.app.service_fixtures import Entropy, Owner, Service

UNPROVEN = "accounts.department@a-long-name-for-a-small-company.example.com"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/605.1.15"


@dataclass
class Seeded:
    """The portal, the service behind it, and the ids of what Ann has."""

    app: Flask
    service: Service
    laptop: str = ""
    tablet: str = ""
    phone: str = ""
    key: str = ""
    ended_key: str = ""
    waiting: str = ""
    issued: str = ""
    used: str = ""
    unproven: str = ""
    # The activation by which the phone came, which nobody has confirmed yet.
    doubtful: str = ""

    @property
    def ann(self) -> Owner:
        """The owner of everything here."""
        return self.service.ann

    def start_session(self, owner: Owner, user_agent: str = FIREFOX) -> tuple[str, str]:
        """Sign somebody in without a mail server; returns the cookie's token and the session."""
        token = sessions.new_token(self.service.entropy)
        client = sessions.Client("192.0.2.7", user_agent)
        now = self.service.clock.now()
        with self.service.database.write() as database:
            row = sessions.start(
                database,
                token,
                client,
                person_id=owner.person_id,
                now=now,
                lifetime=12 * HOUR,
                entropy=self.service.entropy,
            )
            record(
                database,
                at=now,
                actor=f"person:{owner.person_id}",
                act=Act.SIGNED_IN,
                subject=owner.person_id,
                target=row.id,
                detail={"account": owner.address, "address": client.address},
            )
        return token, row.id

    def browser(self, owner: Owner) -> Browser:
        """Return a browser in which somebody is signed in."""
        token, _ = self.start_session(owner)
        client = self.app.test_client()
        client.set_cookie(
            "__Host-handfast", token, domain="portal.example.test", path="/", secure=True
        )
        return Browser(client)


@contextmanager
def bare_portal(
    folder: Path, *, issuer: str = ISSUER, database_url: str = "", network: Network | None = None
) -> Iterator[Seeded]:
    """Build a portal in which Ann and Bob have nothing but an account."""
    config = portal_config(
        {
            "HANDFAST_ISSUER": issuer,
            "HANDFAST_STATE_DIR": str(folder),
            "HANDFAST_CLIENT_DIR": str(folder / "client"),
            "DATABASE_URL": database_url,
        }
    )
    clock = FixedClock(SystemClock().now() - 9 * DAY)
    database = Database(config.database_url)
    Base.metadata.create_all(database.engine)
    provider = FileKeyProvider(config.keys_dir)
    service = Service(database, clock, config, provider, entropy=Entropy(str(folder)))
    portal = create_portal(config, clock=clock, network=network)
    try:
        yield Seeded(portal, service)
    finally:
        of(portal).close()
        database.dispose()


def live_in(seeded: Seeded) -> None:
    """Let nine days pass in which Ann uses everything there is."""
    service, ann, clock = seeded.service, seeded.ann, seeded.service.clock
    seeded.start_session(ann)
    laptop = service.handset("Ann's laptop")
    bound = service.issue(ann, "mail", "contacts", "calendar", bound_jkt=laptop.identity.kid)
    service.activate(laptop, bound.document)
    clock.advance(3 * DAY)
    _add_unproven(seeded)
    document = service.issue(ann, "mail", "contacts")
    service.activate(service.handset("Old tablet"), document.document)
    seeded.used = document.activation_id
    clock.advance(2 * DAY)
    _find(seeded)
    owner = {"person_id": ann.person_id, "now": clock.now()}
    revoke_device(service.database, device_id=seeded.tablet, **owner)  # type: ignore[arg-type]  # two keyword arguments of different types
    revoke_key(service.database, key_id=seeded.ended_key, **owner)  # type: ignore[arg-type]  # see above
    clock.advance(3 * DAY)
    _note_failure(seeded)
    clock.advance(DAY - 3 * HOUR)
    clock.advance(2 * HOUR + 35 * MINUTE)
    document = service.issue(ann, "calendar")
    service.activate(service.handset("Ann's new phone"), document.document)
    seeded.doubtful = document.activation_id
    seeded.phone = _device_ids(seeded)["Ann's new phone"]
    seeded.start_session(ann, SAFARI)
    clock.advance(20 * MINUTE)
    seeded.waiting = request_activation(
        service.database,
        account_service_ids=[ann.services["contacts"]],
        ticket="W" * 21 + "A",
        entropy=service.entropy,
        config=service.config,
        person_id=ann.person_id,
        now=clock.now(),
    )
    clock.advance(4 * MINUTE)
    seeded.issued = service.issue(ann, "mail", ticket="I" * 21 + "A").activation_id
    clock.advance(MINUTE)


def _devices(session: Session, seeded: Seeded) -> list[DeviceView]:
    return list_devices(session, seeded.ann.person_id, now=seeded.service.clock.now())


def _device_ids(seeded: Seeded) -> dict[str, str]:
    with seeded.service.database.read() as session:
        return {
            each.name: each.id
            for each in list_devices(session, seeded.ann.person_id, now=seeded.service.clock.now())
        }


def _find(seeded: Seeded) -> None:
    with seeded.service.database.read() as session:
        devices = {
            each.name: each
            for each in list_devices(session, seeded.ann.person_id, now=seeded.service.clock.now())
        }
    seeded.laptop, seeded.tablet = devices["Ann's laptop"].id, devices["Old tablet"].id
    keys = {key.service: key.id for key in devices["Ann's laptop"].keys}
    seeded.key, seeded.ended_key = keys["mail"], keys["calendar"]


def _add_unproven(seeded: Seeded) -> None:
    now, service = seeded.service.clock.now(), seeded.service
    seeded.unproven = "account-unproven"
    with service.database.write() as session:
        session.add(
            MailAccount(
                id=seeded.unproven,
                person_id=seeded.ann.person_id,
                address=UNPROVEN,
                proven_at=None,
                vouched_by=VouchedBy.MANUAL,
                host="mail.a-long-name-for-a-small-company.example.com",
                port=993,
                security="tls",
                username=UNPROVEN,
                checked_at=now,
                created_at=now,
            )
        )
        session.flush()
        ensure_services(session, seeded.unproven, shard=0, now=now, entropy=service.entropy)


def _note_failure(seeded: Seeded) -> None:
    with seeded.service.database.write() as session:
        record(
            session,
            at=seeded.service.clock.now(),
            actor="system",
            act=Act.SIGN_IN_FAILED,
            subject=seeded.ann.person_id,
            target=seeded.ann.account_id,
            detail={"account": seeded.ann.address, "cause": "wrong-password"},
        )
