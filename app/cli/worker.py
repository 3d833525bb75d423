"""``worker``: the process beside portal and exchange."""

from __future__ import annotations

import os
import signal

import click
from flask.cli import with_appcontext

from app import logs
from app.cli.console import keys_told, operator, read_config
from app.config import worker_config
from app.keystore.rings import WorkerKeys
from app.worker.here import Here
from app.worker.loop import Loop


@click.command("worker")
@click.option("--once", is_flag=True, help="Do what is waiting, then end.")
@with_appcontext
def worker(once: bool) -> None:
    """Send mail, link the audit, take imports, tell outside systems, sweep; until it is ended."""
    logs.prepare()
    loop = Loop(_here())
    if once:
        loop.until_idle()
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: loop.stop())
    click.echo("the worker runs")
    loop.run()


def _here() -> Here:
    here = operator()
    with here.migrated() as database, keys_told():
        keys = WorkerKeys.open(here.keys, entropy=here.entropy, now=here.clock.now())
    config = read_config(os.environ, worker_config)
    return Here(config, database, keys, here.clock, here.entropy)
