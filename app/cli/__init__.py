"""The operator's commands: ``flask --app wsgi …``, one file per group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.cli.activation import activation
from app.cli.audit import audit
from app.cli.check import check
from app.cli.console import Operator
from app.cli.db import db
from app.cli.keys import keys
from app.cli.pins import pins
from app.cli.staff import staff
from app.cli.stock import stock
from app.cli.sweep import sweep
from app.cli.worker import worker

if TYPE_CHECKING:
    from flask import Flask

    from app.config import OperatorConfig


def add_commands(application: Flask, config: OperatorConfig) -> None:
    """Give the application every operator's command."""
    application.extensions["handfast-operator"] = Operator(config)
    for command in (db, keys, pins, stock, staff, activation, audit, sweep, check, worker):
        application.cli.add_command(command)
