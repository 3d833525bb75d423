"""Handfast's own code for the three requests, in one listener without TLS, mail and pages.

`POST /issue` (person, service and ticket, one a line) calls what the portal's view calls; the
rest is the exchange's listener as it is.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from app import create_exchange
from app.activation.services import issue
from app.clock import SystemClock
from app.config import exchange_config, portal_config
from app.keystore.provider import FileKeyProvider
from app.keystore.rings import PortalKeys
from protocol.media_type import ACTIVATION

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

exchange = create_exchange(exchange_config(os.environ), sweep_seconds=None)
config = portal_config(os.environ)
clock = SystemClock()
keys = PortalKeys.open(FileKeyProvider(config.keys_dir), entropy=os.urandom, now=clock.now())
database = exchange.extensions["handfast-database"]


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer one request."""
    if environ["PATH_INFO"] != "/issue":
        return exchange(environ, start_response)
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    person, service, ticket = body.decode().splitlines()
    issued = issue(
        database,
        person_id=person,
        account_service_ids=[service],
        ticket=ticket,
        now=clock.now(),
        entropy=os.urandom,
        keys=keys,
        config=config,
    )
    length = ("Content-Length", str(len(issued.document)))
    start_response("200 OK", [("Content-Type", ACTIVATION), length])
    return [issued.document]
