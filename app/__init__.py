"""Handfast's Internet Service: the portal, the key exchange service, the operator's commands."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from flask import Flask

if TYPE_CHECKING:
    from app.clock import Clock
    from app.config import ExchangeConfig, OperatorConfig, PortalConfig
    from app.mailservers.network import Network

ROOT: Final = Path(__file__).resolve().parent.parent


def create_portal(
    config: PortalConfig,
    *,
    clock: Clock | None = None,
    entropy: Callable[[int], bytes] = os.urandom,
    network: Network | None = None,
) -> Flask:
    """Build the portal (HTTPS): sign-in, accounts, activation, devices, keys, audit."""
    from app import (
        areas,
        errors,
        extensions,
        i18n,
        logs,
        markup,
        pages,
        permissions,
        proxies,
        public_ids,
        security,
        web_session,
    )
    from app.accounts.views import blueprint as accounts
    from app.metrics import views as metrics
    from app.well_known.views import blueprint as well_known

    portal = Flask(
        __name__, template_folder=str(ROOT / "templates"), static_folder=str(ROOT / "static")
    )
    public_ids.install(portal)
    extensions.install(portal, config, clock=clock, entropy=entropy, network=network)
    logs.install(portal, entropy)
    i18n.install(portal)
    markup.install(portal)
    web_session.install(portal)
    areas.install(portal)
    permissions.install(portal)
    security.install(portal, config)
    errors.install(portal)
    for blueprint in (accounts, well_known, metrics.metrics):
        portal.register_blueprint(blueprint)
    metrics.install(portal)
    pages.install(portal)
    permissions.check_every_route(portal)
    portal.wsgi_app = proxies.TrustedProxies(portal.wsgi_app, config.trusted_proxies)  # type: ignore[method-assign]  # Flask's documented way to add middleware
    return portal


def create_exchange(
    config: ExchangeConfig,
    *,
    clock: Clock | None = None,
    entropy: Callable[[int], bytes] = os.urandom,
    sweep_seconds: float | None = 60.0,
) -> Flask:
    """Build the key exchange service (plain HTTP): init, confirm, packet, health.

    It sweeps by itself every ``sweep_seconds``; None leaves that to the operator's command.
    """
    from app.clock import SystemClock
    from app.database import Database
    from app.exchange.packets import PacketService
    from app.exchange.services import ExchangeService
    from app.exchange.sweeper import Sweeper
    from app.exchange.wsgi import ExchangeListener
    from app.keystore.provider import FileKeyProvider
    from app.keystore.rings import ExchangeKeys
    from protocol import cpace

    # A library that computes something else must not get as far as a first request.
    cpace.self_test()
    clock = clock or SystemClock()
    database = Database(config.database_url)
    keys = ExchangeKeys.open(FileKeyProvider(config.keys_dir), entropy=entropy, now=clock.now())
    service = ExchangeService(database, keys, config=config, clock=clock, entropy=entropy)
    packets = PacketService(database, keys, config=config, clock=clock, entropy=entropy)
    application = Flask(__name__, static_folder=None)
    # Flask carries the listener and stays out of its way: no routes, no session, no templates.
    listener = ExchangeListener(service, packets, trusted_proxies=config.trusted_proxies)
    application.wsgi_app = listener  # type: ignore[method-assign]  # Flask's documented place for this
    application.extensions["handfast-database"] = database
    if sweep_seconds is not None:
        Sweeper(database, clock, interval=sweep_seconds).start()
    return application


def create_operator(config: OperatorConfig) -> Flask:
    """Build the application that only carries the operator's commands."""
    from app.cli import add_commands

    application = Flask(__name__, static_folder=None)
    add_commands(application, config)
    return application
