"""``audit``: seal, verify and export, as the operator runs them."""

from __future__ import annotations

import base64
import hashlib
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from nacl.signing import VerifyKey

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


def test_a_tool_of_ones_own_verifies_it_as_documented(run: Run, tmp_path: Path) -> None:
    """Written from docs/audit.md alone: nothing of the service's own code is used."""
    # It leaves an entry with detail.
    run("audit", "verify")
    run("audit", "seal")
    report = json.loads(run("audit", "verify", "--json", "--no-entry").stdout)
    written = (tmp_path / "state" / "audit-heads.log").read_text(encoding="ascii")
    heads = [json.loads(line) for line in written.splitlines()]
    before, committed, signed = bytes(32), 0, {head["position"]: head for head in heads}
    for line in run("audit", "export").stdout.splitlines():
        entry = json.loads(line)
        record = entry["record"].encode()
        number = (entry["position"].to_bytes(8, "big"), entry["id"].to_bytes(8, "big"))
        before = sha256(b"handfast/1 audit link", number[0], before, number[1], record)
        assert before == bytes_of(entry["hash"])
        if entry["detail"] is not None:
            salt, detail = bytes_of(entry["salt"]), entry["detail"].encode()
            commitment = sha256(b"handfast/1 audit detail", salt, detail)
            assert bytes_of(json.loads(record)["commitment"]) == commitment
            committed += 1
        head = signed.pop(entry["position"], None)
        if head is not None:
            at = head["at"].to_bytes(8, "big")
            message = lengthened(b"handfast/1 audit head", number[0], before, at)
            VerifyKey(bytes_of(report["keys"][head["key"]])).verify(
                message, bytes_of(head["signature"])
            )
    assert signed == {}
    assert committed > 0


def bytes_of(text: str) -> bytes:
    """Decode base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(lengthened(*parts)).digest()


def lengthened(*parts: bytes) -> bytes:
    """Join parts, each after its length as unsigned LEB128; none here is longer than 16,383."""
    joined = b""
    for part in parts:
        low, high = len(part) % 128, len(part) // 128
        joined += (bytes([low + 128, high]) if high else bytes([low])) + part
    return joined


def tamper(folder: Path, statement: str = "UPDATE audit SET actor = 'system' WHERE id = 1") -> None:
    """Change the database behind everybody's back."""
    with sqlite3.connect(folder / "state" / "handfast.sqlite3") as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(statement)
