"""The worker as a process: it ends when it is told to, and two of them do nothing twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import update

from app import ROOT, crashpoints
from app.clock import FixedClock, SystemClock
from app.config import portal_config
from app.database import Database
from app.keystore.provider import FileKeyProvider
from app.models import MailState, OutgoingMail
from app.schema import upgrade
from tests.app.outbox.conftest import ca_file, server
from tests.app.outbox.office import MailRoom, settings
from tests.app.service_fixtures import Service
from tests.peers.smtp_server import SubmissionServer

__all__ = ["ca_file", "server"]

MAILS = 30
PATIENCE_SECONDS = 60
POINTS = tuple(name for name in crashpoints.POINTS if name.startswith("mail."))


@pytest.fixture
def room(tmp_path: Path, server: SubmissionServer, ca_file: Path) -> Iterator[MailRoom]:
    """A mail room whose workers are processes of their own, with a clock that runs."""
    config = portal_config({"HANDFAST_STATE_DIR": str(tmp_path)})
    database = Database(config.database_url)
    upgrade(database)
    clock = FixedClock(SystemClock().now())
    service = Service(database, clock, config, FileKeyProvider(config.keys_dir))
    environment = {**settings(server.port, ca_file), "HANDFAST_STATE_DIR": str(tmp_path)}
    del environment["HANDFAST_BOUNCES"]
    yield MailRoom(service, environment)
    database.dispose()


def states(room: MailRoom, ids: list[str]) -> set[str]:
    """What became of mails."""
    return {room.mail(mail_id).state for mail_id in ids}


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until a process has done its part."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


@contextmanager
def worker(
    room: MailRoom, more: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Run the worker until the block ends."""
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "worker"]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **room.environment, **(more or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "the worker runs\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def test_it_ends_in_the_middle_and_leaves_nothing_half_done(
    room: MailRoom, server: SubmissionServer
) -> None:
    ids = [room.queue(room.service.ann) for _ in range(MAILS)]
    with worker(room) as process:
        wait_for(lambda: bool(server.taken))
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 0
        assert "Traceback" not in said
    # What the server has taken is written down as sent, and nothing else is.
    names = [taken.message["Message-ID"].strip("<>").partition(".")[0] for taken in server.taken]
    assert len(names) == len(set(names))
    assert set(names) == {mail_id for mail_id in ids if room.mail(mail_id).state == "sent"}
    assert {room.mail(mail_id).attempts for mail_id in set(ids) - set(names)} <= {0}

    with worker(room):
        wait_for(lambda: states(room, ids) == {"sent"})
    assert len(server.taken) == MAILS


def test_two_workers_at_once_send_each_mail_once(room: MailRoom, server: SubmissionServer) -> None:
    ids = [room.queue(room.service.ann) for _ in range(MAILS)]
    with worker(room), worker(room):
        wait_for(lambda: states(room, ids) == {"sent"})
    names = [taken.message["Message-ID"] for taken in server.taken]
    assert len(names) == len(set(names)) == MAILS


def test_one_that_was_killed_leaves_the_rest_to_the_next(
    room: MailRoom, server: SubmissionServer
) -> None:
    ids = [room.queue(room.service.ann) for _ in range(MAILS)]
    with worker(room) as process:
        wait_for(lambda: bool(server.taken))
        process.kill()
        process.wait()
    with worker(room):
        # One at most was under way: its claim has to run out first.
        wait_for(lambda: sum(room.mail(each).state == "sent" for each in ids) >= MAILS - 1)
    waiting = [room.mail(each) for each in ids if room.mail(each).state == "waiting"]
    assert [mail.attempts for mail in waiting] in ([], [1])


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_any_point_it_sends_each_mail_and_leaves_none_out(
    room: MailRoom, server: SubmissionServer, point: str
) -> None:
    ids = [room.queue(room.service.ann) for _ in range(2)]
    armed = {"HANDFAST_TESTING": "1", "HANDFAST_CRASH_AT": point}
    with worker(room, armed) as process:
        process.wait(PATIENCE_SECONDS)
        assert process.returncode == crashpoints.EXIT_STATUS
    # Only a mail that was handed over and not yet written down may come twice.
    before = len(server.taken)
    assert before == (0 if point == "mail.claimed" else 1)
    assert states(room, ids) == ({"sent", "waiting"} if point == "mail.settled" else {"waiting"})
    with room.service.database.write() as session:
        # Its claim runs out.
        waiting = OutgoingMail.state == MailState.WAITING
        session.execute(update(OutgoingMail).where(waiting).values(next_at=0))
    with worker(room):
        wait_for(lambda: states(room, ids) == {"sent"})
    names = [taken.message["Message-ID"] for taken in server.taken]
    assert len(set(names)) == 2
    assert len(names) == (3 if point == "mail.taken" else 2)
