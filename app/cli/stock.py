"""``stock``: activation passwords made ahead of time."""

from __future__ import annotations

import click
from flask.cli import AppGroup
from sqlalchemy import func, select

from app.activation.services import make_stock
from app.cli.console import moment, operator
from app.cli.people import find_account, find_services
from app.models import AccountService, GrantState, MailAccount, ServiceGrant, ServiceName

stock = AppGroup("stock", help="Make activation passwords ahead of time.")
SERVICES = tuple(service.value for service in ServiceName)


@stock.command("make")
@click.argument("account")
@click.option("--service", "services", multiple=True, type=click.Choice(SERVICES), help="Repeat.")
@click.option("--count", type=click.IntRange(1, 100), default=1, show_default=True)
def make(account: str, services: tuple[str, ...], count: int) -> None:
    """Make COUNT passwords for each service of ACCOUNT; the next activations use them first."""
    here = operator()
    now = here.clock.now()
    with here.migrated() as database:
        with database.write() as session:
            found = find_account(session, account)
            ids = find_services(here, session, found, services)
        made = make_stock(
            database,
            account_service_ids=ids,
            count=count,
            now=now,
            entropy=here.entropy,
            sealer=here.portal_keys().grants,
        )
    click.echo(f"{made} passwords are in stock for {found.address}, for 90 days")


@stock.command("list")
def list_stock() -> None:
    """Show how many passwords each service has in stock, and until when."""
    here = operator()
    query = (
        select(
            MailAccount.address,
            AccountService.service,
            func.count(ServiceGrant.id),
            func.min(ServiceGrant.expires_at),
        )
        .join(AccountService, AccountService.id == ServiceGrant.account_service_id)
        .join(MailAccount, MailAccount.id == AccountService.account_id)
        .where(ServiceGrant.state == GrantState.STOCKED, ServiceGrant.expires_at > here.clock.now())
        .group_by(MailAccount.address, AccountService.service)
        .order_by(MailAccount.address, AccountService.service)
    )
    with here.migrated() as database, database.read() as session:
        rows = session.execute(query).all()
    if not rows:
        click.echo("the stock is empty; fill it with: flask --app wsgi stock make ACCOUNT")
    for address, service, count, first in rows:
        click.echo(f"{address}  {service}  {count} in stock, the first until {moment(first)}")
