"""A WebAdmin that has been worked in: the cast at their desks, people, and weeks of figures."""

from __future__ import annotations

import math
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.accounts.sessions import Client
from app.activation.codes import make_code
from app.auditing.sealing import seal
from app.bulk import services as bulk
from app.bulk.checking import check_some
from app.bulk.reading import read_list
from app.clock import DAY
from app.database import Database
from app.models import (
    DailyCount,
    Reach,
    Staff,
    StaffPasskey,
    StaffRole,
    StaffStage,
    WebSession,
    new_id,
)
from app.people import terms
from app.provisioning import services as provisioning
from app.provisioning.services import Invite
from app.rights import Permission, permissions_of
from app.staff import groups, sessions
from app.staff.reach import Actor
from app.statistics.counting import count_audit
from app.statistics.names import WAITS, Daily, Ending, Step
from app.statistics.present import count_present
from app.tokens import services as tokens
from app.webhooks import services as webhooks
from protocol.signing import SigningKey
from tests.app.pages.seeded import SAFARI, Seeded
from tests.app.service_fixtures import Service
from tests.app.webadmin.desk import hire

DAYS_BACK = 400


LIST = b"""address,name,services,groups,language
carol@example.org,Carol,mail,Sales,
dave@example,Dave,mail,,
erin@example.org,Erin,mail telephone,Nowhere,
"""


@dataclass
class Lived:
    """The portal, its people, and the ids of the staff."""

    seeded: Seeded
    sam: str
    ada: str
    olu: str
    uma: str
    # Customer care for some groups only.
    limited: str
    # What they made: a group, an invitation, a list with problems, a code, a token.
    group: str = ""
    invited: str = ""
    invitation: str = ""
    job: str = ""
    code: str = ""
    token: str = ""
    session: str = ""
    # Of Sam's own: a passkey, and a session elsewhere.
    passkey: str = ""
    elsewhere: str = ""
    webhook: str = ""

    @property
    def places(self) -> dict[str, str]:
        """Return what stands for the names in the addresses of pages."""
        return {**vars(self.seeded), **vars(self), "person": self.seeded.ann.person_id}


def work_in(seeded: Seeded, folder: Path) -> Lived:
    """Hire the cast, let them work, count what they did, and add figures of the year before."""
    app, service = seeded.app, seeded.service
    lived = Lived(
        seeded,
        sam=hire(app, StaffRole.OWNER),
        ada=hire(app, StaffRole.ADMINISTRATOR),
        olu=hire(app, StaffRole.CUSTOMER_CARE),
        uma=hire(app, StaffRole.AUDITOR),
        limited=hire(app, StaffRole.CUSTOMER_CARE, reach=Reach.GROUPS, login="olu.of.a.group"),
    )
    with service.database.write() as session:
        _work(session, lived)
        _equip(session, lived)
        _tell_outside(session, lived)
    check_some(service.database, service.clock)
    _count(service, folder)
    return lived


def _work(session: Session, lived: Lived) -> None:
    """Make one of everything that staff make."""
    service = lived.seeded.service
    now, entropy = service.clock.now(), service.entropy
    sam = Actor(
        f"staff:{lived.sam}",
        permissions_of(StaffRole.OWNER),
        Reach.EVERYONE,
        lived.sam,
        StaffRole.OWNER,
    )
    for owner in (service.ann, service.bob):
        terms.refresh(session, owner.person_id)
    lived.group = groups.make(session, sam, "Sales", now=now, entropy=entropy)
    here = provisioning.Here(now, entropy, service.config)
    carol = Invite("carol@example.org", "Carol", groups=[lived.group])
    made = provisioning.invite(session, sam, carol, reason="starts on Monday", here=here)
    lived.invited, lived.invitation = made.person_id, made.invitation_id or ""
    lines = read_list(BytesIO(LIST))
    lived.job = bulk.make(session, sam, lines, reason="a new class", now=now, entropy=entropy)
    lived.token = tokens.make(
        session,
        sam,
        name="Mail gateway",
        scopes=[Permission.PEOPLE_SEE],
        days=30,
        now=now,
        entropy=entropy,
    ).id
    lived.code = make_code(
        session.connection(),
        person_id=service.bob.person_id,
        account_service_ids=[service.bob.services["mail"]],
        made_by=sam.actor,
        now=now,
        entropy=entropy,
        keys=service.keys,
        config=service.config,
    ).activation_id
    latest = select(WebSession.id).order_by(WebSession.seen_at.desc()).limit(1)
    lived.session = session.scalars(latest).one()


def _equip(session: Session, lived: Lived) -> None:
    """Give Sam two second factors, so that one may be removed, and a session elsewhere."""
    service = lived.seeded.service
    now, entropy = service.clock.now(), service.entropy
    sam = session.get_one(Staff, lived.sam)
    sam.totp_sealed, sam.totp_step = b"an authenticator", 1
    lived.passkey = new_id(entropy)
    session.add(
        StaffPasskey(
            id=lived.passkey,
            staff_id=lived.sam,
            credential_id=entropy(16),
            credential=b"a credential",
            sign_count=0,
            name="Key on the ring",
            created_at=now,
            used_at=None,
        )
    )
    home = Client("192.0.2.10", SAFARI)
    _, row = sessions.start(
        session, home, staff_id=lived.sam, stage=StaffStage.FULL, now=now, entropy=entropy
    )
    lived.elsewhere = row.id


def _tell_outside(session: Session, lived: Lived) -> None:
    """Add an outside system, and send it a test that waits."""
    service = lived.seeded.service
    actor, now, entropy = f"staff:{lived.sam}", service.clock.now(), service.entropy
    lived.webhook = webhooks.add(
        session,
        name="Ticket system",
        url="https://tickets.example.org/hooks/handfast",
        acts=["key-revoked", "device-revoked"],
        actor=actor,
        sealer=service.keys.staff,
        now=now,
        entropy=entropy,
    ).id
    webhooks.test(session, lived.webhook, actor=actor, now=now, entropy=entropy)


def _count(service: Service, folder: Path) -> None:
    now = service.clock.now()
    key = SigningKey.generate(entropy=service.entropy)
    while seal(service.database, folder / "audit-heads.log", key, now=now):
        pass
    while count_audit(service.database, now=now):
        pass
    count_present(service.database, now=now)
    _add_figures(service.database, now // DAY)


def _add_figures(database: Database, today: int) -> None:
    """Make up counts of the days before: weeks with quiet ends, and growth."""
    rows = []
    for back in range(10, DAYS_BACK):
        day = today - back
        issued = max(0, round((30 + 18 * math.sin(day * 2 * math.pi / 7)) * (1 - back / 500)))
        active, ended = issued * 8 // 10, issued // 10
        rows += [
            (day, Daily.ACTIVATIONS, Step.LEFT_WAITING, issued // 3),
            (day, Daily.ACTIVATIONS, Step.ISSUED, issued),
            (day, Daily.ACTIVATIONS, Step.ACTIVE, active),
            (day, Daily.ACTIVATIONS, Step.ENDED, ended),
            (day, Daily.ENDED, Ending.EXPIRED, ended),
            (day, Daily.FAILED, "wrong-credential", issued // 6),
            (day, Daily.FAILED, "needs-app-password", issued // 9),
            (day, Daily.FAILED_AT, "provider:google", issued // 9),
            (day, Daily.FAILED_AT, "domain:example.org", issued // 8),
            (day, Daily.FAILED_AT, "other", issued // 20),
            *(
                (day, Daily.WAITED, label, active // (place + 2))
                for place, (_, label) in enumerate(WAITS)
            ),
        ]
    kept = [
        {"day": day, "what": what.value, "label": str(label), "count": count}
        for day, what, label, count in rows
        if count
    ]
    with database.write() as session:
        session.execute(insert(DailyCount), kept)
