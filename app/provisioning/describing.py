"""What staff call a person, and which groups they are in."""

from __future__ import annotations

from collections.abc import Callable, Collection

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from app.audit import Act
from app.models import GroupMember, Person, PersonGroup, Reach
from app.people import terms
from app.provisioning.acts import GoneError, UnusableError, begin, usable_name
from app.staff.reach import Actor, groups_within


def rename(
    session: Session,
    actor: Actor,
    person_id: str,
    name: str,
    *,
    reason: str,
    now: int,
    entropy: Callable[[int], bytes],
) -> None:
    """Call a person something else; needs PEOPLE_PROVISION.

    Raises UnusableError, GoneError where it is their name already, ReasonError, OutOfReachError,
    ColleagueError. No mail: their history has it.
    """
    written = usable_name(name)
    deed = begin(session, actor, person_id, reason=reason, now=now, entropy=entropy)
    changed = session.execute(
        update(Person)
        .where(Person.id == person_id, Person.name != written)
        .values(name=written)
        .returning(Person.id)
        .execution_options(synchronize_session=False)
    ).first()
    if changed is None:
        raise GoneError
    terms.refresh(session, person_id)
    deed.note(Act.PERSON_RENAMED, person_id, name=written)


def set_groups(
    session: Session,
    actor: Actor,
    person_id: str,
    groups: Collection[str],
    *,
    reason: str,
    now: int,
    entropy: Callable[[int], bytes],
) -> None:
    """Put a person into exactly these of the groups that the actor sees; needs GROUPS_MANAGE.

    Groups beyond the actor's reach stay as they are. Raises UnusableError where a group is not
    there, or where the actor would lose sight of the person; else as ``rename``.
    """
    deed = begin(session, actor, person_id, reason=reason, now=now, entropy=entropy)
    # One after another: of two at once each would add what the other one has added.
    session.execute(select(Person.id).where(Person.id == person_id).with_for_update())
    seen = select(PersonGroup.id, PersonGroup.name).where(groups_within(actor))
    names = dict(session.execute(seen).all())
    wanted = set(groups)
    if not wanted <= names.keys() or (actor.reach == Reach.GROUPS and not wanted):
        raise UnusableError("groups")
    mine = (GroupMember.person_id == person_id) & GroupMember.group_id.in_(names)
    present = set(session.scalars(select(GroupMember.group_id).where(mine)))
    if wanted == present:
        raise GoneError
    session.execute(delete(GroupMember).where(mine, GroupMember.group_id.in_(present - wanted)))
    for group_id in sorted(wanted - present):
        session.execute(insert(GroupMember).values(group_id=group_id, person_id=person_id))
    listed = ", ".join(sorted(names[each] for each in wanted))
    deed.note(Act.PERSON_GROUPED, person_id, **({"groups": listed} if listed else {}))
