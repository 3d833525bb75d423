"""Nobody gives what they do not have, whatever a form lets through."""

from __future__ import annotations

import pytest

from app.models import GroupMember, PersonGroup, Reach, StaffGroup, StaffRole
from app.rights import may_grant
from app.staff import groups, members
from app.staff.groups import GroupInUseError, GroupNameTakenError
from app.staff.members import Newcomer, NotYoursError, Place
from app.staff.reach import Actor, OutOfReachError
from tests.app.service_fixtures import Service
from tests.app.staff.test_at_the_same_moment import hire

EVERYONE = frozenset[str]()


@pytest.mark.parametrize("giver", [StaffRole.OWNER, StaffRole.ADMINISTRATOR])
@pytest.mark.parametrize("given", list(StaffRole))
def test_a_role_is_given_by_who_has_as_much(
    sqlite_service: Service, giver: StaffRole, given: StaffRole
) -> None:
    actor, place = hire(sqlite_service, "ada", giver), Place(given, Reach.EVERYONE, EVERYONE)
    hire(sqlite_service, "olu", StaffRole.CUSTOMER_CARE)
    allowed = may_grant(giver, given)
    assert allowed is (giver == StaffRole.OWNER or given != StaffRole.OWNER)
    for act in (invite, move):
        if allowed:
            act(sqlite_service, actor, place)
        else:
            with pytest.raises(NotYoursError):
                act(sqlite_service, actor, place)


@pytest.mark.parametrize(
    ("place", "allowed"),
    [
        (Place(StaffRole.AUDITOR, Reach.EVERYONE, EVERYONE), False),
        (Place(StaffRole.AUDITOR, Reach.GROUPS, frozenset({"north"})), True),
        (Place(StaffRole.AUDITOR, Reach.GROUPS, frozenset({"south"})), False),
        (Place(StaffRole.AUDITOR, Reach.GROUPS, frozenset({"north", "south"})), False),
    ],
)
def test_a_reach_is_given_by_who_reaches_as_far(
    sqlite_service: Service, place: Place, allowed: bool
) -> None:
    actor = limited(sqlite_service)
    if allowed:
        invite(sqlite_service, actor, place)
    else:
        with pytest.raises(NotYoursError):
            invite(sqlite_service, actor, place)


def test_groups_beyond_the_reach_are_missing_ones(sqlite_service: Service) -> None:
    actor, now = limited(sqlite_service), sqlite_service.clock.now()
    with sqlite_service.database.write() as session:
        assert [group.name for group in groups.list_groups(session, actor)] == ["North"]
        with pytest.raises(OutOfReachError):
            groups.rename(session, actor, "south", "Mine", now=now)
        with pytest.raises(OutOfReachError):
            groups.remove(session, actor, "south", now=now)


def test_a_group_that_they_make_is_within_their_reach(sqlite_service: Service) -> None:
    actor, now = limited(sqlite_service), sqlite_service.clock.now()
    with sqlite_service.database.write() as session:
        groups.make(session, actor, "West", now=now, entropy=sqlite_service.entropy)
        assert [group.name for group in groups.list_groups(session, actor)] == ["North", "West"]


def test_a_name_is_given_to_one_group(sqlite_service: Service) -> None:
    actor, now = hire(sqlite_service, "sam"), sqlite_service.clock.now()
    limited(sqlite_service)
    with sqlite_service.database.write() as session:
        with pytest.raises(GroupNameTakenError):
            groups.make(session, actor, "North", now=now, entropy=sqlite_service.entropy)
        with pytest.raises(GroupNameTakenError):
            groups.rename(session, actor, "south", "North", now=now)


def test_a_group_with_people_in_it_stays(sqlite_service: Service) -> None:
    actor, now = hire(sqlite_service, "sam"), sqlite_service.clock.now()
    limited(sqlite_service)
    with sqlite_service.database.write() as session:
        session.add(GroupMember(group_id="north", person_id="person-ann"))
        session.flush()
        with pytest.raises(GroupInUseError):
            groups.remove(session, actor, "north", now=now)
        groups.remove(session, actor, "south", now=now)
        assert [group.name for group in groups.list_groups(session, actor)] == ["North"]


def limited(service: Service) -> Actor:
    """Ada, who administers the people of the group North."""
    ada = hire(service, "ada", StaffRole.ADMINISTRATOR)
    with service.database.write() as session:
        for name in ("North", "South"):
            session.add(PersonGroup(id=name.lower(), name=name, created_at=1))
        session.flush()
        session.add(StaffGroup(staff_id="staff-ada", group_id="north"))
    return Actor(ada.actor, ada.permissions, Reach.GROUPS, ada.staff_id, ada.role)


def invite(service: Service, actor: Actor, place: Place) -> None:
    newcomer = Newcomer("Eve", "eve", None, place)
    now, entropy = service.clock.now(), service.entropy
    with service.database.write() as session:
        members.invite(session, actor, newcomer, now=now, entropy=entropy)


def move(service: Service, actor: Actor, place: Place) -> None:
    with service.database.write() as session:
        members.move(session, actor, "staff-olu", place, now=service.clock.now())
