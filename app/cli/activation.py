"""``activation``: a document without a browser, and the end of open ones."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import IO

import click
from flask.cli import AppGroup
from sqlalchemy import select

from app import audit
from app.activation.ending import kill
from app.activation.rotation import ask_all_rotations
from app.activation.services import Issued, issue
from app.cli.console import ACTOR, Operator, OperatorError, keys_told, moment, operator
from app.cli.people import find_account, find_services
from app.cli.stock import SERVICES
from app.models import Activation, ActivationState, new_id

activation = AppGroup("activation", help="Issue a document without a browser; end open ones.")


@activation.command("issue")
@click.argument("account")
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to make, closed to others; it must not exist yet.",
)
@click.option("--service", "services", multiple=True, type=click.Choice(SERVICES), help="Repeat.")
def issue_document(account: str, out: Path, services: tuple[str, ...]) -> None:
    """Issue an activation document for ACCOUNT into a file.

    Whoever holds the file within its minutes can activate a device: carry it there safely and
    open it with `handfast open FILE`. Earlier open documents for the same services are dead.
    """
    here = operator()
    with _new_file(out) as file:
        issued = _issue(here, account, services)
        file.write(issued.document)
    click.echo(
        f"{out} is good until {moment(issued.expires_at)} (activation {issued.activation_id})"
    )


@activation.command("kill-all")
@click.confirmation_option(prompt="End every open activation? Their owners have to start again.")
def kill_all() -> None:
    """End every open activation and have every key replaced at its device's next report.

    For after a backup was restored, or after a theft. Keys work until they are replaced.
    """
    here = operator()
    now = here.clock.now()
    with here.migrated() as database, database.write_connection() as connection:
        found = connection.execute(
            select(Activation.id).where(Activation.state == ActivationState.OPEN)
        )
        killed = kill(connection, list(found.scalars()), reason="ended-by-operator")
        audit.record(
            connection,
            at=now,
            actor=ACTOR,
            act=audit.Act.ACTIVATION_ENDED,
            detail={"count": len(killed)},
        )
        asked = ask_all_rotations(connection, now=now)
        audit.record(
            connection,
            at=now,
            actor=ACTOR,
            act=audit.Act.KEY_ROTATION_ASKED,
            detail={"count": asked},
        )
    click.echo(f"{len(killed)} activations ended; {asked} keys are replaced as devices report in")


def _issue(here: Operator, address: str, services: tuple[str, ...]) -> Issued:
    with here.migrated() as database:
        with database.write() as session:
            account = find_account(session, address)
            ids = find_services(here, session, account, services)
        with keys_told():
            return issue(
                database,
                person_id=account.person_id,
                account_service_ids=ids,
                ticket=new_id(here.entropy),
                now=here.clock.now(),
                entropy=here.entropy,
                keys=here.portal_keys(),
                config=here.config,
                actor=ACTOR,
            )


@contextmanager
def _new_file(path: Path) -> Iterator[IO[bytes]]:
    """Yield a file that gets its name when it is whole: a crash leaves the name free."""
    temporary = path.with_name(f".{path.name}.{token_hex(4)}")
    try:
        if path.is_symlink() or path.exists():
            raise FileExistsError
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            _give_name(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except FileExistsError as error:
        raise OperatorError(f"{path} is there already", "name a file that is not") from error
    except OSError as error:
        raise OperatorError(
            f"cannot make {path}: {error.strerror}", "name a file in a folder you can write to"
        ) from error


def _give_name(temporary: Path, path: Path) -> None:
    """Name a whole file; a link, since a rename replaces what somebody put there meanwhile."""
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        raise
    except OSError:
        # A memory stick may know no links.
        temporary.rename(path)
