"""``staff``: who works in WebAdmin, from outside of it: the first owner, and ways back in."""

from __future__ import annotations

import click
from flask.cli import AppGroup
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cli.console import ACTOR, Operator, OperatorError, moment, operator
from app.clock import HOUR, MINUTE
from app.models import LinkPurpose, Reach, Staff, StaffRole
from app.rights import permissions_of
from app.staff import links, members
from app.staff.reach import Actor

staff = AppGroup("staff", help="Let the first owner in, and bring staff back who are locked out.")
MIN_REASON = 3
MAX_REASON = 200
OPERATOR = Actor(ACTOR, permissions_of(StaffRole.OWNER), Reach.EVERYONE, None, StaffRole.OWNER)


@staff.command("first-link")
@click.option("--another", is_flag=True, help="Although there is an owner; needs --reason.")
@click.option("--reason", help="Why there has to be another owner; it stands in the audit.")
def first_link(another: bool, reason: str | None) -> None:
    """Print a link by which somebody becomes an owner: it works once, for 30 minutes."""
    here = operator()
    given = _reason(reason) if another else None
    with here.migrated() as database, database.write() as session:
        try:
            token = links.make_first(
                session, reason=given, now=here.clock.now(), entropy=here.entropy
            )
        except links.OwnerExistsError as error:
            raise OperatorError(
                "there is an owner, who can invite others",
                "if nobody can sign in any more: staff first-link --another --reason WHY",
            ) from error
    _print_link(here, token, LinkPurpose.FIRST)


@staff.command("list")
def list_staff() -> None:
    """Show who works here, with login, role and state."""
    here = operator()
    with here.migrated() as database, database.read() as session:
        rows = members.list_members(session)
    if not rows:
        click.echo("nobody works here yet; begin with: flask --app wsgi staff first-link")
    for row in rows:
        seen = "never signed in" if row.seen_at is None else f"last here {moment(row.seen_at)}"
        click.echo(f"{row.login}  {row.role}  {row.state}  {seen}")


@staff.command("reset-link")
@click.argument("login")
def reset_link(login: str) -> None:
    """Take LOGIN's password and second factors away, and print a link to choose new ones."""
    here = operator()
    with here.migrated() as database, database.write() as session:
        found = _find(session, login)
        token = members.forget_sign_in(
            session, found, ACTOR, now=here.clock.now(), entropy=here.entropy
        )
    _print_link(here, token, LinkPurpose.RESET)


@staff.command("disable")
@click.argument("login")
@click.option("--reason", required=True, help="Why; it stands in the audit.")
def disable(login: str, reason: str) -> None:
    """Keep LOGIN out from now on."""
    here = operator()
    with here.migrated() as database, database.write() as session:
        found = _find(session, login)
        try:
            members.disable(session, OPERATOR, found.id, _reason(reason), now=here.clock.now())
        except members.LastOwnerError as error:
            raise OperatorError(
                f"{login} is the only owner",
                "let another one in first: staff first-link --another --reason WHY",
            ) from error
    click.echo(f"{login} is disabled and signed out everywhere")


def _print_link(here: Operator, token: str, purpose: LinkPurpose) -> None:
    lasts = links.LIFETIMES[purpose]
    span = f"{lasts // HOUR} hours" if lasts >= HOUR else f"{lasts // MINUTE} minutes"
    click.echo(f"open this once within {span}; whoever opens it first has it:", err=True)
    click.echo(links.address_of(here.config.issuer, token))


def _find(session: Session, login: str) -> Staff:
    found = session.scalar(select(Staff).where(Staff.login == login.strip().lower()))
    if found is None:
        raise OperatorError(
            f"nobody signs in as {login!r}", "see who works here: flask --app wsgi staff list"
        )
    return found


def _reason(text: str | None) -> str:
    reason = " ".join((text or "").split())
    if not MIN_REASON <= len(reason) <= MAX_REASON or not reason.isprintable():
        raise OperatorError("a reason is needed", f"--reason, {MIN_REASON} to {MAX_REASON} letters")
    return reason
