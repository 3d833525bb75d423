"""``staff``: the first owner's link, and ways back in, as the operator asks for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from sqlalchemy import select, update

from app import create_operator
from app.config import operator_config
from app.database import Database
from app.models import AuditEntry, Staff, StaffLink, StaffState
from tests.app.portal_fixtures import ISSUER, build
from tests.app.webadmin.newcomer import Newcomer

Run = Callable[..., Result]
LINK_MADE = select(AuditEntry).where(AuditEntry.act == "staff-link-made")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    config = operator_config({"HANDFAST_STATE_DIR": str(tmp_path), "HANDFAST_ISSUER": ISSUER})
    runner = create_operator(config).test_cli_runner()

    def invoke(*arguments: str) -> Result:
        return runner.invoke(args=arguments)

    for arguments in (("db", "upgrade"), ("keys", "init")):
        assert invoke(*arguments).exit_code == 0
    return invoke


def database(folder: Path) -> Database:
    return Database(f"sqlite:///{folder / 'handfast.sqlite3'}")


def test_the_link_is_all_that_is_printed_to_standard_output(run: Run, tmp_path: Path) -> None:
    told = run("staff", "first-link")
    address, _, secret = told.stdout.strip().partition("#")
    assert address == f"{ISSUER}/admin/welcome"
    assert len(secret) == 43
    assert "within 30 minutes" in told.stderr
    assert secret not in told.stderr
    with database(tmp_path).read() as session:
        [link] = session.scalars(select(StaffLink)).all()
        [entry] = session.scalars(LINK_MADE).all()
    assert (link.purpose, link.staff_id) == ("first", None)
    assert entry.actor == "operator"


def test_the_printed_link_leads_all_the_way_in(run: Run, tmp_path: Path) -> None:
    secret = run("staff", "first-link").stdout.strip().partition("#")[2]
    portal = build(tmp_path)
    sam = Newcomer(portal, portal.browser()).join(secret)
    assert sam.browser.get("/admin").status_code == 200
    portal.here.close()
    assert "sam  owner  active  last here" in run("staff", "list").output
    refused = run("staff", "first-link")
    assert refused.exit_code == 1
    assert "there is an owner" in refused.output
    assert "--another --reason WHY" in refused.output


def test_another_one_takes_a_reason_which_is_audited(run: Run, tmp_path: Path) -> None:
    own(tmp_path)
    assert run("staff", "first-link", "--another").exit_code == 1
    assert run("staff", "first-link", "--another", "--reason", "x").exit_code == 1
    assert run("staff", "first-link", "--another", "--reason", "Sam is away").exit_code == 0
    with database(tmp_path).read() as session:
        [entry] = session.scalars(LINK_MADE).all()
    assert "Sam is away" in (entry.detail or "")


def test_who_is_locked_out_gets_a_link(run: Run, tmp_path: Path) -> None:
    own(tmp_path)
    told = run("staff", "reset-link", "SAM")
    assert told.stdout.startswith(f"{ISSUER}/admin/welcome#")
    assert "within 72 hours" in told.stderr
    with database(tmp_path).read() as session:
        [sam] = session.scalars(select(Staff)).all()
    assert (sam.state, sam.password_hash) == ("invited", None)


def test_somebody_who_does_not_work_here_is_said_so(run: Run) -> None:
    for arguments in (("reset-link", "nobody"), ("disable", "nobody", "--reason", "because")):
        told = run("staff", *arguments)
        assert told.exit_code == 1
        assert "nobody signs in as 'nobody'" in told.output


def test_the_only_owner_is_not_disabled(run: Run, tmp_path: Path) -> None:
    own(tmp_path)
    told = run("staff", "disable", "sam", "--reason", "left us")
    assert told.exit_code == 1
    assert "sam is the only owner" in told.output
    with database(tmp_path).write() as session:
        session.execute(update(Staff).values(role="auditor"))
    assert run("staff", "disable", "sam", "--reason", "left us").exit_code == 0
    assert "sam  auditor  disabled" in run("staff", "list").output


def test_where_nobody_works_yet_the_way_to_begin_is_told(run: Run) -> None:
    assert "staff first-link" in run("staff", "list").output


def own(folder: Path) -> None:
    """Let Sam own the installation."""
    with database(folder).write() as session:
        session.add(
            Staff(
                id="staff-sam",
                login="sam",
                name="Sam",
                role="owner",
                reach="everyone",
                state=StaffState.ACTIVE,
                password_hash="$argon2id$",
                created_at=1,
            )
        )
