"""``audit``: seal, verify and export, as the operator runs them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from app import create_operator
from app.config import operator_config

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """An installation with some acts of its operator in the audit, sealed."""
    config = operator_config({"HANDFAST_STATE_DIR": str(tmp_path / "state")})
    runner = create_operator(config).test_cli_runner()

    def invoke(*arguments: str) -> Result:
        return runner.invoke(args=arguments)

    for command in (("db", "upgrade"), ("keys", "init"), ("keys", "publish"), ("audit", "seal")):
        assert invoke(*command).exit_code == 0
    return invoke


def test_an_intact_audit_is_said_to_be_so(run: Run, tmp_path: Path) -> None:
    result = run("audit", "verify")
    assert result.exit_code == 0
    assert "2 entries, 1 signed heads" in result.output
    assert f"compared with 1 heads in {tmp_path}/state/audit-heads.log" in result.output
    assert result.output.endswith("the audit is intact\n")


def test_a_tampered_one_has_a_status_of_its_own(run: Run, tmp_path: Path) -> None:
    tamper(tmp_path)
    result = run("audit", "verify")
    assert result.exit_code == 3
    assert "position 1, entry 1: a column differs from the record" in result.output


def test_it_is_said_as_json_too(run: Run, tmp_path: Path) -> None:
    tamper(tmp_path)
    report = json.loads(run("audit", "verify", "--json").stdout)
    assert report["intact"] is False
    assert report["faults"] == [{"wrong": "COLUMNS", "position": 1, "entry": 1}]
    assert report["head"]["position"] == 2


def test_that_it_was_verified_is_in_the_audit_unless_unwanted(run: Run) -> None:
    run("audit", "verify")
    run("audit", "verify", "--no-entry")
    run("audit", "seal")
    records = [json.loads(line)["record"] for line in run("audit", "export").stdout.splitlines()]
    assert sum('"act":"audit-verified"' in record for record in records) == 1


def test_a_copy_of_the_heads_file_can_be_named(run: Run, tmp_path: Path) -> None:
    heads = tmp_path / "state" / "audit-heads.log"
    copy = tmp_path / "copy.log"
    copy.write_bytes(heads.read_bytes())
    assert f"heads in {copy}" in run("audit", "verify", "--heads", str(copy)).output


def test_a_missing_heads_file_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "state" / "audit-heads.log").unlink()
    assert "there is no heads file" in run("audit", "verify").output


def test_a_heads_file_that_cannot_be_opened_is_told(run: Run, tmp_path: Path) -> None:
    heads = tmp_path / "state" / "audit-heads.log"
    heads.rename(tmp_path / "elsewhere")
    heads.symlink_to(tmp_path / "elsewhere")
    result = run("audit", "seal")
    assert result.exit_code == 1
    assert "run this as the worker's user" in result.stderr


def test_sealing_onto_another_chain_is_refused_with_a_hint(run: Run, tmp_path: Path) -> None:
    tamper(tmp_path, "DELETE FROM audit_head")
    result = run("audit", "seal")
    assert result.exit_code == 1
    assert "hint: run: flask --app wsgi audit verify" in result.stderr


def test_the_export_is_a_chain_that_anybody_can_follow(run: Run) -> None:
    entries = [json.loads(line) for line in run("audit", "export").stdout.splitlines()]
    assert [entry["position"] for entry in entries] == [1, 2]
    assert set(entries[0]) == {"position", "id", "record", "detail", "salt", "hash"}


def tamper(folder: Path, statement: str = "UPDATE audit SET actor = 'system' WHERE id = 1") -> None:
    """Change the database behind everybody's back."""
    with sqlite3.connect(folder / "state" / "handfast.sqlite3") as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(statement)
