"""``pins``: the operator's word about who serves a mail domain."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import get_args

import click
from flask.cli import AppGroup
from sqlalchemy import delete, select

from app import audit
from app.cli.console import ACTOR, OperatorError, operator
from app.mailservers.address import AddressError, normalise_domain
from app.mailservers.provider import Credential, UsernameForm
from app.mailservers.server import Security
from app.models import MailPin

pins = AppGroup("pins", help="Say which mail server rightly serves a mail domain.")


@pins.command("add")
@click.argument("domain")
@click.option("--host", required=True, help="Name of the IMAP server; its certificate must match.")
@click.option("--port", type=click.IntRange(1, 65535), default=993, show_default=True)
@click.option("--security", type=click.Choice(get_args(Security)), default="tls", show_default=True)
@click.option(
    "--username",
    "username_form",
    type=click.Choice(get_args(UsernameForm)),
    default="address",
    show_default=True,
    help="What the server wants as user name.",
)
@click.option(
    "--credential",
    type=click.Choice([Credential.PASSWORD.value, Credential.APP_PASSWORD.value]),
    default="password",
    show_default=True,
)
@click.option(
    "--ca",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="PEM file of the CA that signs the server's certificate, if it is not a public one.",
)
def add(  # click passes one argument per option
    domain: str,
    host: str,
    port: int,
    security: str,
    username_form: str,
    credential: str,
    ca: Path | None,
) -> None:
    """Pin DOMAIN to a mail server, replacing an earlier pin.

    Who controls that server can sign in as every address of DOMAIN.
    """
    here = operator()
    now = here.clock.now()
    pin = MailPin(
        domain=_normalised(domain),
        host=host.lower(),
        port=port,
        security=security,
        username_form=username_form,
        credential=credential,
        ca_pem=_certificate(ca) if ca else None,
        created_at=now,
    )
    with here.migrated() as database, database.write() as session:
        session.merge(pin)
        audit.record(
            session,
            at=now,
            actor=ACTOR,
            act=audit.Act.PIN_CHANGED,
            target=pin.domain,
            detail={"host": pin.host, "port": port},
        )
    click.echo(f"{pin.domain} is served by {pin.host}:{port} ({security})")


@pins.command("list")
def list_pins() -> None:
    """List the pinned domains."""
    with operator().migrated() as database, database.read() as session:
        found = session.scalars(select(MailPin).order_by(MailPin.domain)).all()
    if not found:
        click.echo(
            "no domain is pinned; add one with: flask --app wsgi pins add DOMAIN --host HOST"
        )
    for pin in found:
        authority = "own CA" if pin.ca_pem else "public CAs"
        click.echo(f"{pin.domain}  {pin.host}:{pin.port}  {pin.security}  {authority}")


@pins.command("remove")
@click.argument("domain")
def remove(domain: str) -> None:
    """Remove the pin of DOMAIN; accounts stay, but sign-in discovers the server again."""
    here = operator()
    name = _normalised(domain)
    with here.migrated() as database, database.write() as session:
        if not session.execute(
            delete(MailPin).where(MailPin.domain == name).returning(MailPin.domain)
        ).first():
            raise OperatorError(
                f"{name} is not pinned", "list the pins with: flask --app wsgi pins list"
            )
        audit.record(
            session,
            at=here.clock.now(),
            actor=ACTOR,
            act=audit.Act.PIN_CHANGED,
            target=name,
            detail={"removed": 1},
        )
    click.echo(f"{name} is no longer pinned")


def _normalised(domain: str) -> str:
    try:
        return normalise_domain(domain)
    except AddressError as error:
        raise OperatorError(
            f"{domain!r} is not a mail domain", "give what stands after the @, like example.org"
        ) from error


def _certificate(path: Path) -> str:
    pem = path.read_text(encoding="ascii", errors="replace")
    try:
        ssl.create_default_context(cadata=pem)
    except ssl.SSLError as error:
        raise OperatorError(
            f"{path} holds no certificate", "give the CA's certificate in PEM form"
        ) from error
    return pem
