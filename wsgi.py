"""The WSGI callables: ``portal``, ``exchange`` and ``app`` (the operator's commands).

Each is built on first use, so that one process never loads the other's secrets.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    portal: Flask
    exchange: Flask
    app: Flask


def __getattr__(name: str) -> Flask:
    from app import create_exchange, create_operator, create_portal
    from app.config import exchange_config, portal_config

    if name == "portal":
        built = create_portal(portal_config(os.environ))
    elif name == "exchange":
        built = create_exchange(exchange_config(os.environ))
    elif name == "app":
        from app.cli.console import read_config
        from app.config import operator_config

        built = create_operator(read_config(os.environ, operator_config))
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = built
    return built
