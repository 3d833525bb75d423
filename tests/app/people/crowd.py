"""Many people at once, for lists: several of them from the same moment."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert

from app.database import Database
from app.mailservers.server import VouchedBy
from app.models import GroupMember, MailAccount, Person, PersonGroup, PersonTerm, Reach, StaffRole
from app.people.terms import words_of
from app.rights import permissions_of
from app.staff.reach import Actor

FIRST = ("Ann", "Bob", "Cem", "Dora", "Eve")
# So many people have each moment in common.
TOGETHER = 4


def crowd(database: Database, count: int, *, now: int) -> list[str]:
    """Add people, the newest first; each has a proven account, every third another unproven one."""
    people: list[dict[str, Any]] = []
    accounts: list[dict[str, Any]] = []
    terms: list[dict[str, Any]] = []
    for number in range(count):
        person_id, name = f"crowd-{number:05d}", f"{FIRST[number % len(FIRST)]} Number{number}"
        created_at = now - number // TOGETHER * 1_000_000
        addresses = [f"{FIRST[number % len(FIRST)].lower()}.{number}@crowd.example"]
        if number % 3 == 0:
            addresses.append(f"other.{number}@elsewhere.example")
        people.append({"id": person_id, "name": name, "created_at": created_at})
        accounts += [
            {
                "id": f"{person_id}-{place}",
                "person_id": person_id,
                "address": address,
                "proven_at": None if place else created_at,
                "vouched_by": VouchedBy.MANUAL if place else VouchedBy.PIN,
                "created_at": created_at,
            }
            for place, address in enumerate(addresses)
        ]
        terms += [{"term": word, "person_id": person_id} for word in words_of(name, addresses)]
    with database.write_connection() as connection:
        for table, rows in ((Person, people), (MailAccount, accounts), (PersonTerm, terms)):
            connection.execute(insert(table), rows)
    return [row["id"] for row in people]


def group(database: Database, name: str, members: list[str], *, now: int) -> str:
    """Add a group with some members and return its id."""
    with database.write_connection() as connection:
        connection.execute(insert(PersonGroup), [{"id": name, "name": name, "created_at": now}])
        rows = [{"group_id": name, "person_id": member} for member in members]
        connection.execute(insert(GroupMember), rows)
    return name


ADA = Actor(
    "staff:ada",
    permissions_of(StaffRole.ADMINISTRATOR),
    Reach.EVERYONE,
    "ada",
    StaffRole.ADMINISTRATOR,
)


def olu(reach: Reach = Reach.GROUPS) -> Actor:
    """Return customer care, whose groups limit whom they see."""
    role = StaffRole.CUSTOMER_CARE
    return Actor("staff:olu", permissions_of(role), reach, "olu", role)
