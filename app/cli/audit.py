"""``audit``: link, verify and export the audit."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click
from flask.cli import AppGroup

from app.audit import Act, record
from app.auditing.exporting import chained_lines
from app.auditing.sealing import HeadsAheadError, ImpossibleNumberError, seal
from app.auditing.verifying import Fault, Report, verify
from app.cli.console import ACTOR, OperatorError, keys_told, moment, operator
from app.keystore.provider import KeyKind, StoredKey
from app.keystore.rings import KeyRing, SigningKeys
from protocol.encoding import b64u
from protocol.signing import SigningKey

audit = AppGroup("audit", help="Link, verify and export the audit.")
# 1 is every command's own failure and 2 a wrong option; neither says that anybody tampered.
TAMPERED: Final = 3


@audit.command("seal")
def seal_now() -> None:
    """Link every entry that has no place in the chain yet, however old, and sign the end.

    The worker does this by itself for what is new.
    """
    here, linked = operator(), 0
    with here.migrated() as database, keys_told(), _file_told():
        keys = SigningKeys(KeyRing(here.keys, KeyKind.AUDIT))
        while True:
            now = here.clock.now()
            try:
                more = seal(
                    database, here.config.audit_heads, keys.current(now), now=now, everything=True
                )
            except HeadsAheadError as error:
                raise OperatorError(
                    str(error),
                    "run: flask --app wsgi audit verify; after restoring a backup, "
                    f"put {here.config.audit_heads} away as evidence first",
                ) from error
            except ImpossibleNumberError as error:
                raise OperatorError(
                    str(error),
                    "everything else is linked; run: flask --app wsgi audit verify",
                ) from error
            linked += more
            if not more:
                break
    click.echo(f"linked {linked}")


@audit.command("verify")
@click.option(
    "--heads",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The heads file, or a copy of it.  [default: HANDFAST_AUDIT_HEADS]",
)
@click.option("--json", "as_json", is_flag=True, help="Say it as one JSON object.")
@click.option("--no-entry", is_flag=True, help="Do not note in the audit that it was verified.")
def verify_now(heads: Path | None, as_json: bool, no_entry: bool) -> None:
    """Compute everything again and say what is wrong, the first bad position first.

    Ends with 0 if the audit is intact, 3 if it is not, and 1 if it could not be verified.
    """
    here = operator()
    now = here.clock.now()
    usual = here.config.audit_heads
    file = heads or (usual if usual.exists() else None)
    with here.migrated() as database, keys_told(), _file_told():
        stored = here.keys.load(KeyKind.AUDIT)
        report = verify(database, stored, heads=file, now=now)
        if not no_entry:
            with database.write() as session:
                facts = {"entries": report.entries, "faults": len(report.faults)}
                record(session, at=now, actor=ACTOR, act=Act.AUDIT_VERIFIED, detail=facts)
    click.echo(json.dumps(_facts(report, stored)) if as_json else _words(report, file))
    sys.exit(0 if report.is_intact else TAMPERED)


@audit.command("export")
@click.option("--out", type=click.File("wb", lazy=True), default="-", help="File; -: the terminal.")
def export(out: Any) -> None:
    """Write every linked entry as one JSON object in a line; docs/audit.md says what is in it."""
    here = operator()
    with here.migrated() as database:
        with database.write() as session:
            record(session, at=here.clock.now(), actor=ACTOR, act=Act.AUDIT_EXPORTED)
        with database.snapshot() as session:
            for line in chained_lines(session):
                out.write(line)


@contextmanager
def _file_told() -> Iterator[None]:
    """Say what is wrong with the heads file."""
    try:
        yield
    except OSError as error:
        raise OperatorError(
            f"the heads file cannot be used: {error.strerror}",
            "run this as the worker's user, to whom it belongs",
        ) from error


def _facts(report: Report, stored: Sequence[StoredKey]) -> dict[str, Any]:
    head = report.head
    public = [SigningKey.from_seed(key.secret).verify_key for key in stored]
    return {
        "intact": report.is_intact,
        "entries": report.entries,
        "erased": report.erased,
        "unlinked": report.unlinked,
        "heads": report.heads,
        "lines": report.lines,
        "head": None if head is None else json.loads(head.to_line()),
        # For tools of one's own: the public parts by their thumbprints.
        "keys": {key.kid: b64u(key.x) for key in public},
        "faults": [
            {"wrong": fault.wrong.name, "position": fault.position, "entry": fault.audit_id}
            for fault in report.faults
        ],
    }


def _words(report: Report, file: Path | None) -> str:
    lines = [
        f"{report.entries} entries, {report.heads} signed heads, {report.erased} without detail "
        f"since their person was deleted, {report.unlinked} not linked yet",
        f"compared with {report.lines} heads in {file}"
        if file is not None
        else "there is no heads file: a chain that was cut short would not be noticed",
    ]
    if report.head is not None:
        lines.append(f"it ends at {report.head.position}, signed {moment(report.head.at)}")
    lines += [_fault(fault) for fault in report.faults]
    lines.append("the audit is intact" if report.is_intact else "THE AUDIT IS NOT INTACT")
    return "\n".join(lines)


def _fault(fault: Fault) -> str:
    where = "not in the chain" if fault.position is None else f"position {fault.position}"
    which = "" if fault.audit_id is None else f", entry {fault.audit_id}"
    return f"{where}{which}: {fault.wrong}"
