"""``db``: the schema of the database."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from app import schema
from app.cli.console import operator

db = AppGroup("db", help="Bring the database's schema up to date.")


@db.command("upgrade")
def upgrade() -> None:
    """Run every migration that is missing; safe to repeat."""
    before, after = schema.upgrade(operator().database)
    if before == after:
        click.echo(f"the schema is current ({after})")
    else:
        click.echo(f"the schema went from {before or 'nothing'} to {after}")


@db.command("revision")
@click.argument("message")
def revision(message: str) -> None:
    """Write a migration from what the models say and the database lacks (for developers)."""
    schema.new_revision(operator().database, message)
