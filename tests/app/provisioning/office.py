"""An office over a service without listeners: staff with roles and reach, and what they do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import select

from app.accounts import proof
from app.accounts.mail_checks import ACCEPTED, Step, View
from app.auditing.reading import detail_of
from app.mailservers.server import MailPin, from_pin
from app.models import (
    AuditEntry,
    Base,
    GroupMember,
    OutgoingMail,
    PersonGroup,
    Reach,
    Staff,
    StaffGroup,
    StaffRole,
    StaffState,
)
from app.provisioning import services
from app.provisioning.services import Here, Invite, Invited
from app.rights import permissions_of
from app.staff.reach import Actor
from tests.app.service_fixtures import Service

REASON = "she asked for it on the telephone"
EVE = "eve@example.org"
SERVER = from_pin("example.org", MailPin("imap.example.org", 993))
Row = TypeVar("Row", bound=Base)


@dataclass
class Office:
    """Ada administers; Olu and Una are customer care, Una for the people of one group only."""

    service: Service
    actors: dict[str, Actor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.hire("Ada", StaffRole.ADMINISTRATOR)
        self.hire("Olu", StaffRole.CUSTOMER_CARE)
        self.hire("Una", StaffRole.CUSTOMER_CARE, reach=Reach.GROUPS, address="una@example.org")
        with self.service.database.write() as session:
            for name in ("sales", "stores"):
                session.add(PersonGroup(id=f"group-{name}", name=name, created_at=0))
            session.flush()
            session.add(StaffGroup(staff_id="staff-una", group_id="group-sales"))

    def hire(
        self,
        name: str,
        role: StaffRole,
        *,
        reach: Reach = Reach.EVERYONE,
        address: str | None = None,
    ) -> None:
        staff_id = f"staff-{name.lower()}"
        with self.service.database.write() as session:
            session.add(
                Staff(
                    id=staff_id,
                    login=name.lower(),
                    name=name,
                    address=address,
                    role=role,
                    reach=reach,
                    state=StaffState.ACTIVE,
                    created_at=self.service.clock.now(),
                )
            )
        permissions = permissions_of(role)
        self.actors[name] = Actor(f"staff:{staff_id}", permissions, reach, staff_id, role)

    @property
    def here(self) -> Here:
        """What acts that make things need."""
        service = self.service
        return Here(service.clock.now(), service.entropy, service.config)

    def invite(self, address: str = EVE, *, by: str = "Olu", **more: Any) -> Invited:
        """Invite somebody, in a transaction of its own."""
        with self.service.database.write() as session:
            return services.invite(
                session, self.actors[by], Invite(address, **more), reason=REASON, here=self.here
            )

    def act(self, name: str, *targets: Any, by: str = "Olu", **more: Any) -> Any:
        """Do one of the acts that need the moment only."""
        with self.service.database.write() as session:
            return getattr(services, name)(
                session,
                self.actors[by],
                *targets,
                **{
                    "reason": REASON,
                    "now": self.service.clock.now(),
                    "entropy": self.service.entropy,
                    **more,
                },
            )

    def make(self, name: str, *targets: Any, by: str = "Olu", **more: Any) -> Any:
        """Do one of the acts that make something."""
        with self.service.database.write() as session:
            return getattr(services, name)(
                session, self.actors[by], *targets, **{"reason": REASON, "here": self.here, **more}
            )

    def sign_in(self, address: str = EVE, *, anew: bool = False) -> str:
        """Prove an address at its mail server and return whom that makes one."""
        with self.service.database.write() as session:
            self.service.database.queue_for(session, address)
            return proof.sign_in(session, accepted(address), self.proof_here, anew=anew)

    def add(self, person_id: str, address: str, *, anew: bool = False) -> str:
        """Prove an address as somebody who is signed in and return the account's id."""
        with self.service.database.write() as session:
            self.service.database.queue_for(session, address)
            return proof.add_account(
                session, person_id, accepted(address), self.proof_here, anew=anew
            )

    @property
    def proof_here(self) -> proof.Here:
        """What a sign-in needs."""
        return proof.Here(self.service.clock.now(), 0, self.service.entropy)

    def rows(self, model: type[Row]) -> list[Row]:
        """Return every row of a table."""
        with self.service.database.read() as session:
            return list(session.scalars(select(model)))

    def row(self, model: type[Row], row_id: str) -> Row:
        """Return one row as it is now."""
        with self.service.database.read() as session:
            return session.get_one(model, row_id)

    def audit(self, person_id: str) -> list[tuple[str, str, dict[str, str | int]]]:
        """Return actor, act and facts of what concerns a person, in order."""
        rows = sorted(self.rows(AuditEntry), key=lambda row: row.id)
        return [(row.actor, row.act, detail_of(row)) for row in rows if row.subject_id == person_id]

    def acts(self, person_id: str) -> list[str]:
        """Return the acts alone."""
        return [act for _, act, _ in self.audit(person_id)]

    def mail(self) -> list[tuple[str, str]]:
        """Return kind and address of every mail, in order."""
        rows = sorted(self.rows(OutgoingMail), key=lambda row: row.created_at)
        return [(row.kind, row.address) for row in rows]

    def into_group(self, person_id: str, group_id: str = "group-sales") -> None:
        """Put somebody into a group."""
        with self.service.database.write() as session:
            session.add(GroupMember(group_id=group_id, person_id=person_id))


def accepted(address: str) -> View:
    """Return the check of a credential that the rightful server accepted."""
    return View(
        id="A" * 22,
        address=address,
        step=Step.SIGNING_IN,
        outcome=ACCEPTED,
        why=None,
        server=SERVER,
        username=address,
        named=False,
        used=True,
        began_at=0,
    )
