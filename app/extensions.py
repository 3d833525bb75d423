"""What the portal's parts need, in one typed object on ``app.extensions["handfast"]``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, cast

from flask import Flask, current_app

from app.accounts.mail_work import MailWork
from app.clock import Clock, SystemClock
from app.config import PortalConfig
from app.database import Database
from app.mailservers.names import Names
from app.mailservers.network import Network
from app.mailservers.pool import MailPool
from app.metrics.registry import Metrics
from app.throttle import Throttles

NAME: Final = "handfast"


@dataclass(frozen=True)
class Handfast:
    """The portal's dependencies; tests put a clock of their own or a loopback resolver here."""

    config: PortalConfig
    database: Database
    clock: Clock
    entropy: Callable[[int], bytes]
    mail: MailWork
    metrics: Metrics

    @property
    def throttles(self) -> Throttles:
        """The counters that slow guessing down."""
        return Throttles(self.database)

    def close(self) -> None:
        """End the work beside the requests and the connections."""
        self.mail.close()
        self.database.dispose()


def install(
    portal: Flask,
    config: PortalConfig,
    *,
    clock: Clock | None,
    entropy: Callable[[int], bytes],
    network: Network | None,
) -> None:
    """Open the dependencies and put them where views find them."""
    database, clock = Database(config.database_url), clock or SystemClock()
    pool = MailPool(threads=config.mail_checks, waiting=config.mail_checks)
    network = network or Network(names=Names(*config.dns) if config.dns else Names())
    metrics = Metrics()
    mail = MailWork(
        database,
        clock,
        pool,
        network,
        seconds=config.mail_check_seconds,
        on_check=metrics.count_mail_check,
    )
    portal.extensions[NAME] = Handfast(
        config=config,
        database=database,
        clock=clock,
        entropy=entropy,
        mail=mail,
        metrics=metrics,
    )


def handfast() -> Handfast:
    """Return the dependencies of the running portal."""
    return of(current_app)


def of(portal: Flask) -> Handfast:
    """Return the dependencies of a portal."""
    return cast(Handfast, portal.extensions[NAME])
