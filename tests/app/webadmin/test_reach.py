"""Whom staff see and whom they may act on."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import GroupMember, Person, PersonGroup, Reach, Staff, StaffGroup, StaffRole
from app.rights import permissions_of
from app.staff import reach
from app.staff.reach import Actor, ColleagueError, OutOfReachError
from tests.app.service_fixtures import Service


def test_everyone_is_within_a_reach_of_everyone(service: Service) -> None:
    with service.database.read() as session:
        assert seen(session, actor(Reach.EVERYONE)) == {"person-ann", "person-bob"}


def test_the_people_of_ones_groups_only(service: Service) -> None:
    with service.database.write() as session:
        hire(session, StaffRole.CUSTOMER_CARE)
        put_into_group(session, "person-ann", "staff-1")
        olu = actor(Reach.GROUPS)
        assert seen(session, olu) == {"person-ann"}
        reach.check(session, olu, "person-ann")
        with pytest.raises(OutOfReachError):
            reach.check(session, olu, "person-bob")
        with pytest.raises(OutOfReachError):
            reach.find(session, olu, "person-nobody")


def test_who_has_no_groups_reaches_nobody(service: Service) -> None:
    with service.database.read() as session:
        assert seen(session, actor(Reach.GROUPS)) == set()
        assert seen(session, actor(Reach.GROUPS, staff_id=None)) == set()


def test_a_colleague_is_seen_and_left_alone_by_customer_care(service: Service) -> None:
    with service.database.write() as session:
        hire(session, StaffRole.ADMINISTRATOR, address="ann@example.org")
        olu, ada = actor(Reach.EVERYONE), actor(Reach.EVERYONE, role=StaffRole.ADMINISTRATOR)
        assert reach.find(session, olu, "person-ann").id == "person-ann"
        with pytest.raises(ColleagueError):
            reach.check(session, olu, "person-ann")
        reach.check(session, ada, "person-ann")
        reach.check(session, olu, "person-bob")


def actor(
    how_far: Reach, role: StaffRole = StaffRole.CUSTOMER_CARE, staff_id: str | None = "staff-1"
) -> Actor:
    return Actor(f"staff:{staff_id}", permissions_of(role), how_far, staff_id, role)


def seen(session: Session, who: Actor) -> set[str]:
    return set(session.scalars(select(Person.id).where(reach.within(who))))


def hire(session: Session, role: StaffRole, address: str | None = None) -> None:
    session.add(
        Staff(
            id="staff-1",
            login="somebody",
            name="Somebody",
            address=address,
            role=role,
            reach=Reach.GROUPS,
            state="active",
            created_at=1,
        )
    )
    session.flush()


def put_into_group(session: Session, person_id: str, staff_id: str) -> None:
    session.add(PersonGroup(id="group-1", name="North", created_at=1))
    session.flush()
    session.add(GroupMember(group_id="group-1", person_id=person_id))
    session.add(StaffGroup(staff_id=staff_id, group_id="group-1"))
    session.flush()
