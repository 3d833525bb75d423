"""``sweep``: remove what has expired."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from app.activation.services import sweep as sweep_database
from app.cli.console import operator


@click.command("sweep")
@with_appcontext
def sweep() -> None:
    """Remove every secret, session and answer whose time is over; safe at any time."""
    here = operator()
    with here.migrated() as database:
        swept = sweep_database(database, here.clock)
    click.echo(f"removed {swept.total}: " + ", ".join(f"{n} {k}" for k, n in vars(swept).items()))
