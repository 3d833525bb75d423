"""A service with staff, and lists of people that go through its worker."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

from app.bulk import services as bulk
from app.bulk.checking import check_some
from app.bulk.reading import read_list
from app.bulk.services import JobView, WrongLine
from app.bulk.stocking import stock_some
from app.bulk.taking import Worker, take_one
from app.models import PersonGroup, Reach, Staff, StaffGroup, StaffRole, StaffState
from app.rights import permissions_of
from app.staff.reach import Actor
from tests.app.service_fixtures import Service

REASON = "the new members of the choir"


@dataclass
class Office:
    """Staff with lists, and the worker beside them."""

    service: Service

    def hire(
        self, role: StaffRole = StaffRole.ADMINISTRATOR, *, groups: Sequence[str] | None = None
    ) -> Actor:
        """Add a member of staff, whose reach is those groups if any are given."""
        reach = Reach.EVERYONE if groups is None else Reach.GROUPS
        staff_id = f"staff-{role}"
        with self.service.database.write() as session:
            session.add(
                Staff(
                    id=staff_id,
                    login=role.value,
                    name="Ada",
                    address=None,
                    role=role,
                    reach=reach,
                    state=StaffState.ACTIVE,
                    created_at=self.service.clock.now(),
                )
            )
            session.flush()
            session.add_all(StaffGroup(staff_id=staff_id, group_id=each) for each in groups or ())
        return Actor(f"staff:{staff_id}", permissions_of(role), reach, staff_id, role)

    def group(self, name: str) -> str:
        """Add a group and return its id."""
        with self.service.database.write() as session:
            session.add(PersonGroup(id=f"g-{name}", name=name, created_at=0))
        return f"g-{name}"

    def upload(self, actor: Actor, text: str | bytes, *, stock: int = 0) -> str:
        """Upload a list and return its id."""
        octets = text if isinstance(text, bytes) else text.encode()
        with self.service.database.write() as session:
            return bulk.make(
                session,
                actor,
                read_list(io.BytesIO(octets)),
                reason=REASON,
                stock=stock,
                now=self.service.clock.now(),
                entropy=self.service.entropy,
            )

    def check(self, actor: Actor, text: str | bytes, *, stock: int = 0) -> JobView:
        """Upload a list and let it be checked to its end."""
        job_id = self.upload(actor, text, stock=stock)
        while check_some(self.service.database, self.service.clock):
            pass
        return self.job(actor, job_id)

    def take(self, actor: Actor, job_id: str) -> JobView:
        """Let a checked list be taken, and its stock be made."""
        with self.service.database.write() as session:
            bulk.take(session, actor, job_id, now=self.service.clock.now())
        self.work()
        return self.job(actor, job_id)

    def work(self) -> None:
        """Let the worker do what is waiting."""
        service = self.service
        worker = Worker(service.database, service.config, service.clock, service.entropy)
        while take_one(worker) or stock_some(
            service.database, service.clock, service.entropy, service.keys.grants
        ):
            pass

    def job(self, actor: Actor, job_id: str) -> JobView:
        """Return a list as it stands."""
        with self.service.database.read() as session:
            found = bulk.find(session, actor, job_id)
        assert found is not None
        return found

    def wrong(self, job_id: str) -> list[WrongLine]:
        """Return the lines of a list with problems."""
        with self.service.database.read() as session:
            return bulk.wrong_lines(session, job_id, limit=1000)

    def problems(self, actor: Actor, text: str | bytes) -> list[tuple[int, str]]:
        """Return what is wrong with the lines of a list: numbers and codes."""
        job = self.check(actor, text)
        return [
            (each.line, f"{one.problem} {one.about}".rstrip())
            for each in self.wrong(job.id)
            for one in each.problems
        ]
