"""Handfast's Internet Service: the portal, the key exchange service, the operator's commands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from flask import Flask

if TYPE_CHECKING:
    from app.config import ExchangeConfig, OperatorConfig, PortalConfig

ROOT: Final = Path(__file__).resolve().parent.parent


def create_portal(config: PortalConfig) -> Flask:
    """Build the portal (HTTPS): sign-in, accounts, activation, devices, keys, audit."""
    raise NotImplementedError


def create_exchange(config: ExchangeConfig) -> Flask:
    """Build the key exchange service (plain HTTP): init, confirm, health."""
    raise NotImplementedError


def create_operator(config: OperatorConfig) -> Flask:
    """Build the application that only carries the operator's commands."""
    from app.cli import add_commands

    application = Flask(__name__, static_folder=None)
    add_commands(application, config)
    return application
