"""WebAdmin's pages with a million people, each beside the same page with a thousand.

Both databases are made in sets, in a temporary folder, and the same portal answers over either, in
this process and without a network. The requests take turns, so that what else runs on the machine
slows both down. ``HANDFAST_BENCH_PEOPLE`` asks for fewer than a million.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flask.testing import FlaskClient
from sqlalchemy import insert, select

from app import create_portal
from app.accounts.sessions import Client
from app.clock import FixedClock, SystemClock
from app.config import portal_config
from app.database import Database
from app.extensions import of
from app.models import (
    MailAccount,
    Person,
    Reach,
    Staff,
    StaffGroup,
    StaffRole,
    StaffStage,
    StaffState,
    new_id,
)
from app.people.paging import Place
from app.staff import sessions
from app.webadmin.gate import COOKIE
from bench.people_seeding import seed
from bench.report import Line, note

MANY: Final = 1_000_000
FEW: Final = 1_000
ROUNDS: Final = 15
GOAL: Final = 2.0
ISSUER: Final = "https://portal.example.org"
HOST: Final = "portal.example.org"

PAGES: Final = (
    ("the list of people", "/admin/people"),
    ("its last page", "/admin/people?after={last}"),
    ("by address", "/admin/people?sort=address"),
    ("searched for a whole address", "/admin/people?q={address}"),
    ("searched for a whole id", "/admin/people?q={person}"),
    ("searched for a name and a family", "/admin/people?q={name}"),
    ("searched for one first name", "/admin/people?q=ann"),
    ("searched for one letter", "/admin/people?q=a"),
    ("searched for a domain that all have", "/admin/people?q=d1"),
    ("who has a key", "/admin/people?state=active"),
    ("who has no key", "/admin/people?state=no-key"),
    ("who was invited", "/admin/people?state=invited"),
    ("for whom something waits", "/admin/people?state=waiting"),
    ("who is disabled", "/admin/people?state=disabled"),
    ("who has an unproven address", "/admin/people?state=unproven"),
    ("to whom mail came back", "/admin/people?state=bounced"),
    ("in a group of one in ten", "/admin/people?group=one-in-ten"),
    ("in a group of a few", "/admin/people?group=a-few"),
    ("a person", "/admin/people/{person}"),
    ("mail accounts", "/admin/accounts"),
    ("unproven mail accounts", "/admin/accounts?state=unproven"),
    ("devices", "/admin/devices"),
    ("devices of one platform", "/admin/devices?platform=Darwin"),
    ("activations that wait", "/admin/activations"),
    ("keys", "/admin/keys"),
    ("keys of a family", "/admin/keys?q={family}"),
    ("sessions", "/admin/sessions"),
)
# Of customer care whose reach is a group.
CARE_PAGES: Final = (
    ("the list of people, for care with a group", "/admin/people"),
    ("searched by care with a group", "/admin/people?q={family}"),
)


@dataclass(frozen=True)
class Installation:
    """A portal over one of the databases, and what the addresses of its pages have in them."""

    owner: FlaskClient
    care: FlaskClient
    words: dict[str, str]

    def seconds(self, path: str, *, is_care: bool) -> float:
        """Return how long a page takes."""
        client = self.care if is_care else self.owner
        began = time.perf_counter()
        answer = client.get(path.format(**self.words), base_url=ISSUER)
        took = time.perf_counter() - began
        if answer.status_code != 200:
            raise RuntimeError(f"{path}: {answer.status_code}")
        return took


def measure(
    count: int | None = None,
    rounds: int = ROUNDS,
    pages: Sequence[tuple[str, str]] = PAGES,
) -> Iterator[Line]:
    """Make both databases and compare every page."""
    count = count or int(os.environ.get("HANDFAST_BENCH_PEOPLE", MANY))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="handfast-people-")))
        few = stack.enter_context(_installation(folder / "few", FEW))
        began, worked = time.monotonic(), time.process_time()
        many = stack.enter_context(_installation(folder / "many", count))
        waited, worked = time.monotonic() - began, time.process_time() - worked
        note(f"{count:,} people made in {waited:.0f} s, {worked:.0f} s of them at work")
        for is_care, looked_at in ((False, pages), (True, CARE_PAGES)):
            for what, path in looked_at:
                yield _compare(what, path, few, many, rounds, is_care)


def _compare(
    what: str, path: str, few: Installation, many: Installation, rounds: int, is_care: bool
) -> Line:
    took: dict[bool, list[float]] = {True: [], False: []}
    for number in range(rounds + 1):
        for is_many, installation in ((False, few), (True, many)):
            seconds = installation.seconds(path, is_care=is_care)
            # The first ones read what later ones find in memory.
            if number:
                took[is_many].append(seconds)
    few_ms, many_ms = (1000 * statistics.median(took[which]) for which in (False, True))
    ratio = many_ms / few_ms
    return Line(
        what,
        f"{many_ms:.1f} ms, {ratio:.2f} ×",
        f"{few_ms:.1f} ms with {FEW:,} people",
        f"≤ {GOAL:g} ×",
        ratio <= GOAL,
    )


@contextmanager
def _installation(folder: Path, count: int) -> Iterator[Installation]:
    folder.mkdir()
    clock = FixedClock(SystemClock().now())
    seed(folder / "handfast.sqlite3", count, now=clock.now())
    url = f"sqlite:///{folder / 'handfast.sqlite3'}"
    settings = {"HANDFAST_ISSUER": ISSUER, "HANDFAST_STATE_DIR": str(folder), "DATABASE_URL": url}
    portal = create_portal(portal_config(settings), clock=clock)
    # Only the pages' own time counts, not that of a terminal.
    portal.logger.disabled = True
    try:
        database = of(portal).database
        tokens = [
            _staff(database, role, reach, clock.now())
            for role, reach in (
                (StaffRole.OWNER, Reach.EVERYONE),
                (StaffRole.CUSTOMER_CARE, Reach.GROUPS),
            )
        ]
        clients = []
        for token in tokens:
            client = portal.test_client()
            client.set_cookie(COOKIE, token, domain=HOST, secure=True)
            clients.append(client)
        yield Installation(clients[0], clients[1], _words(database))
    finally:
        of(portal).close()


def _staff(database: Database, role: StaffRole, reach: Reach, now: int) -> str:
    """Add a member of staff who has just signed in, and return their token."""
    with database.write() as session:
        staff_id = new_id(os.urandom)
        session.add(
            Staff(
                id=staff_id,
                login=role,
                name=role,
                role=role,
                reach=reach,
                state=StaffState.ACTIVE,
                created_at=now,
            )
        )
        session.flush()
        if reach == Reach.GROUPS:
            session.execute(insert(StaffGroup).values(staff_id=staff_id, group_id="one-in-ten"))
        token, _ = sessions.start(
            session,
            Client("192.0.2.9", "bench"),
            staff_id=staff_id,
            stage=StaffStage.FULL,
            now=now,
            entropy=os.urandom,
        )
        return token


def _words(database: Database) -> dict[str, str]:
    """Return somebody from the middle with a key, and where the list's last page begins."""
    with database.read() as session:
        total = session.query(Person).count()
        by_age = select(Person).order_by(Person.created_at, Person.id)
        person = session.scalars(by_age.offset(total // 40 * 20 + 4).limit(1)).one()
        last = session.scalars(by_age.offset(50).limit(1)).one()
        address = session.scalar(
            select(MailAccount.address).where(MailAccount.person_id == person.id)
        )
    return {
        "person": person.id,
        "address": address or "",
        "name": person.name.replace(" ", "+"),
        "family": person.name.rpartition(" ")[2],
        "last": str(Place("newest", last.created_at, last.id)),
    }
