"""A worker that is killed on the way through a list: the next goes on, and nothing is double."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from sqlalchemy import func, select

from app import ROOT
from app.bulk import services as bulk
from app.models import (
    Activation,
    AuditEntry,
    GrantState,
    ImportState,
    Invitation,
    OutgoingMail,
    Person,
    ServiceGrant,
)
from tests.app.bulk.lists import Office

LINES = 1500
STOCK = 1
# Works through everything that waits, and says when it begins.
WORKER = """
import os, sys
from app.bulk.checking import check_some
from app.bulk.stocking import stock_some
from app.bulk.taking import Worker, take_one
from app.clock import FixedClock
from app.config import portal_config
from app.database import Database
from app.keystore.provider import FileKeyProvider
from app.keystore.rings import PortalKeys

config = portal_config({"HANDFAST_STATE_DIR": sys.argv[1]})
database, clock = Database(config.database_url), FixedClock(int(sys.argv[2]))
provider = FileKeyProvider(config.keys_dir)
grants = PortalKeys.open(provider, entropy=os.urandom, now=clock.now()).grants
worker = Worker(database, config, clock, os.urandom)
print("begins", flush=True)
while (
    check_some(database, clock)
    or take_one(worker)
    or stock_some(database, clock, os.urandom, grants)
):
    pass
"""


def start(office: Office) -> subprocess.Popen[str]:
    """Start a worker and wait until it has begun."""
    arguments = [str(office.service.config.state_dir), str(office.service.clock.now())]
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begins\n"
    return process


def kill_after(office: Office, seconds: float) -> bool:
    """Kill a worker after a while; tell whether it was done before."""
    with start(office) as process:
        time.sleep(seconds)
        is_done = process.poll() is not None
        process.kill()
    return is_done


def count(office: Office, query: object) -> int:
    with office.service.database.read() as session:
        return session.scalar(query) or 0  # type: ignore[call-overload]  # a count


def people(office: Office) -> int:
    return count(office, select(func.count()).select_from(Person)) - 2


# Each worker has to import its modules first.
@pytest.mark.timeout(300)
def test_a_killed_worker_leaves_all_or_nothing_and_the_next_goes_on(sqlite_office: Office) -> None:
    office = sqlite_office
    ada = office.hire()
    text = "address\n" + "".join(f"p{number}@example.com\n" for number in range(LINES))
    job_id = office.upload(ada, text, stock=STOCK)
    waits = iter([0.0, 0.2, 0.4, 0.8, 1.2, 2.0, 3.0, 5.0, 10.0, 20.0, 40.0])
    states = set()
    for wait in waits:
        is_done = kill_after(office, wait)
        job = office.job(ada, job_id)
        states.add(job.state)
        # Whenever it died, everybody is there or nobody.
        is_taken = job.state in {ImportState.STOCKING, ImportState.DONE}
        assert people(office) == (LINES if is_taken else 0)
        if is_done and job.state == ImportState.DONE:
            break
        if job.state == ImportState.CHECKED:
            with office.service.database.write() as session:
                bulk.take(session, ada, job_id, now=office.service.clock.now())
    assert office.job(ada, job_id).state == ImportState.DONE
    assert len(states) > 1
    stocked = select(func.count()).where(ServiceGrant.state == GrantState.STOCKED)
    assert count(office, stocked) == LINES * 3 * STOCK
    for table in (Invitation, Activation, OutgoingMail):
        assert count(office, select(func.count()).select_from(table)) == LINES
    for act, times in {"person-invited": 1, "activation-requested": 1, "stock-made": 3}.items():
        noted = select(func.count()).where(AuditEntry.act == act)
        assert count(office, noted) == LINES * times
    assert count(office, select(func.count()).where(AuditEntry.act == "list-taken")) == 1
