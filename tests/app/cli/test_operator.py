"""The operator's commands, run as the operator runs them, on an installation of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from sqlalchemy import insert, select

from app import create_operator
from app.clock import HOUR, SystemClock, seconds
from app.config import operator_config
from app.database import Database
from app.models import AuditEntry, MailAccount, Person, ServiceGrant
from app.outbox.kinds import MailKind
from app.outbox.services import queue
from protocol.activation import open_document
from protocol.trust import TrustBundle, TrustedIssuer, verify_key_set

Run = Callable[..., Result]
ROOT = Path(__file__).resolve().parents[3]
NOW = 1_790_000_000_000_000


@pytest.fixture
def run(tmp_path: Path) -> Run:
    config = operator_config({"HANDFAST_STATE_DIR": str(tmp_path / "state")})
    runner = create_operator(config).test_cli_runner()

    def invoke(*arguments: str, stdin: str | None = None) -> Result:
        return runner.invoke(args=arguments, input=stdin)

    return invoke


@pytest.fixture
def installed(run: Run) -> Run:
    assert run("db", "upgrade").exit_code == 0
    assert run("keys", "init").exit_code == 0
    return run


@pytest.fixture
def with_ann(installed: Run, tmp_path: Path) -> Run:
    with _database(tmp_path).write() as session:
        session.execute(insert(Person).values(id="A" * 22, created_at=NOW))
        session.execute(
            insert(MailAccount).values(
                id="B" * 22,
                person_id="A" * 22,
                address="ann@example.org",
                proven_at=NOW,
                vouched_by="pin",
                host="imap.example.org",
                port=993,
                security="tls",
                username="ann@example.org",
                checked_at=NOW,
                created_at=NOW,
            )
        )
    return installed


def test_a_command_before_the_migrations_says_what_to_run(run: Run) -> None:
    result = run("pins", "list")
    assert result.exit_code == 1
    assert "hint: run: flask --app wsgi db upgrade" in result.output


def test_a_wrong_setting_is_told_without_a_traceback(tmp_path: Path) -> None:
    environment = {**os.environ, "HANDFAST_STATE_DIR": str(tmp_path), "HANDFAST_SHARD": "2000"}
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "check"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert [line.partition(":")[0] for line in done.stderr.splitlines()] == ["handfast"] * 2
    assert "handfast: error: HANDFAST_SHARD: expected a whole number" in done.stderr


def test_keys_init_twice_keeps_the_keys(installed: Run) -> None:
    before = installed("keys", "list").output
    assert installed("keys", "init").exit_code == 0
    assert installed("keys", "list").output == before


def test_a_rotated_exchange_key_is_published_before_it_is_used(
    installed: Run, tmp_path: Path
) -> None:
    assert installed("keys", "rotate", "exchange").exit_code == 0
    listed = installed("keys", "list").output
    assert "exchange        upcoming" in listed
    assert len(_published(tmp_path).key_set.exchanges[0].keys) == 2


def test_check_finds_nothing_unsafe_after_the_first_start(installed: Run) -> None:
    result = installed("check")
    assert result.exit_code == 0, result.output
    assert "0 problems" in result.output


def test_a_root_key_on_a_stick_is_named_by_a_setting(installed: Run, tmp_path: Path) -> None:
    (tmp_path / "state/keys/root").rename(tmp_path / "stick")
    without = installed("keys", "publish")
    assert without.exit_code == 1
    assert "the root key is not here" in without.output
    settings = {
        "HANDFAST_STATE_DIR": str(tmp_path / "state"),
        "HANDFAST_ROOT_DIR": str(tmp_path / "stick"),
    }
    with_stick = create_operator(operator_config(settings)).test_cli_runner()
    assert with_stick.invoke(args=["keys", "publish"]).exit_code == 0


def test_check_finds_a_key_that_others_can_read(installed: Run, tmp_path: Path) -> None:
    key = next((tmp_path / "state/keys/exchange").glob("*.json"))
    key.chmod(0o644)
    result = installed("check")
    assert result.exit_code == 1
    assert "problem" in result.output


def test_mail_that_nobody_sends_is_told(with_ann: Run, tmp_path: Path) -> None:
    with _database(tmp_path).write() as session:
        queue(
            session,
            person_id="A" * 22,
            address="ann@example.org",
            kind=MailKind.NEW_DEVICE,
            facts={},
            now=SystemClock().now() - HOUR,
            entropy=os.urandom,
        )
    result = with_ann("check")
    assert "warning  mail to people does not go out: 1 waiting" in result.output
    assert "hint: start the worker" in result.output


def test_pins_are_normalised_listed_and_removed(installed: Run, tmp_path: Path) -> None:
    assert installed("pins", "add", "Example.ORG", "--host", "imap.example.org").exit_code == 0
    assert "example.org  imap.example.org:993" in installed("pins", "list").output
    assert installed("pins", "remove", "example.org").exit_code == 0
    with _database(tmp_path).read() as session:
        acts = session.scalars(select(AuditEntry.act).where(AuditEntry.target == "example.org"))
        assert acts.all() == ["pin-changed", "pin-changed"]


def test_a_pin_with_a_file_that_is_no_certificate_is_refused(
    installed: Run, tmp_path: Path
) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("hello")
    result = installed("pins", "add", "example.org", "--host", "i.example.org", "--ca", str(file))
    assert result.exit_code == 1
    assert "holds no certificate" in result.output


def test_a_document_is_issued_into_a_file_closed_to_others(with_ann: Run, tmp_path: Path) -> None:
    out = tmp_path / "ann.handfast"
    result = with_ann("activation", "issue", "ann@example.org", "--out", str(out))
    assert result.exit_code == 0, result.output
    assert out.stat().st_mode & 0o777 == 0o600
    document = open_document(out.read_bytes(), [_published(tmp_path)]).document
    assert [grant.service for grant in document.grants] == ["calendar", "contacts", "mail"]


def test_a_document_never_replaces_a_file(with_ann: Run, tmp_path: Path) -> None:
    out = tmp_path / "there"
    out.write_text("mine")
    result = with_ann("activation", "issue", "ann@example.org", "--out", str(out))
    assert result.exit_code == 1
    assert out.read_text() == "mine"


def test_an_unknown_account_leaves_no_file(with_ann: Run, tmp_path: Path) -> None:
    out = tmp_path / "bob.handfast"
    result = with_ann("activation", "issue", "bob@example.org", "--out", str(out))
    assert result.exit_code == 1
    assert "nobody has signed in with bob@example.org" in result.output
    assert not out.exists()


def test_stock_is_used_first(with_ann: Run, tmp_path: Path) -> None:
    made = with_ann("stock", "make", "ann@example.org", "--service", "mail", "--count", "2")
    assert "2 passwords are in stock" in made.output
    out = tmp_path / "ann.handfast"
    arguments = ("activation", "issue", "ann@example.org", "--service", "mail", "--out", str(out))
    assert with_ann(*arguments).exit_code == 0
    assert "mail  1 in stock" in with_ann("stock", "list").output
    grant = open_document(out.read_bytes(), [_published(tmp_path)]).document.grants[0]
    with _database(tmp_path).read() as session:
        row = session.get_one(ServiceGrant, grant.id)
        assert row.password_sealed is None


def test_every_audit_row_is_canonical_json(with_ann: Run, tmp_path: Path) -> None:
    with_ann("stock", "make", "ann@example.org")
    with _database(tmp_path).read() as session:
        for record in session.scalars(select(AuditEntry.record)):
            facts = json.loads(record)
            assert json.dumps(facts, sort_keys=True, separators=(",", ":")).encode() == record


def test_kill_all_asks_first(with_ann: Run, tmp_path: Path) -> None:
    with_ann("activation", "issue", "ann@example.org", "--out", str(tmp_path / "a"))
    assert with_ann("activation", "kill-all", stdin="n\n").exit_code == 1
    ended = with_ann("activation", "kill-all", "--yes").output
    assert ended == "1 activations ended; 0 keys are replaced as devices report in\n"


def test_a_new_database_is_closed_to_others(installed: Run, tmp_path: Path) -> None:
    assert installed("check").exit_code == 0
    assert (tmp_path / "state/handfast.sqlite3").stat().st_mode & 0o077 == 0


def _database(tmp_path: Path) -> Database:
    return Database(f"sqlite:///{tmp_path / 'state/handfast.sqlite3'}")


def _published(tmp_path: Path) -> TrustedIssuer:
    folder = tmp_path / "state/keys/published"
    bundle = TrustBundle.from_json((folder / "trust.json").read_bytes())
    key_set = verify_key_set(
        (folder / "handfast-keys.jwt").read_bytes(), bundle, now=seconds(SystemClock().now())
    )
    return TrustedIssuer(bundle.issuer, key_set)
