"""`bench.listener` with what comes first: a credential tried at a real IMAP server.

`POST /issue` has user name and password on two further lines. The check is the portal's own, in
the portal's own pool; the server is pinned, with the certificate authority of the demo.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from app.mailservers.check import check
from app.mailservers.network import Network
from app.mailservers.pool import MailPool
from app.mailservers.server import MailPin, from_pin
from bench import listener
from demo.house import MAIL_DOMAIN

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

authority = Path(os.environ["BENCH_MAIL_AUTHORITY"]).read_text(encoding="ascii")
pin = MailPin("localhost", int(os.environ["BENCH_MAIL_PORT"]), ca_pem=authority)
mail_server = from_pin(MAIL_DOMAIN, pin)
pool, network = MailPool(), Network()


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer one request; a refused credential ends it with an error."""
    if environ["PATH_INFO"] == "/issue":
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        *order, username, password = body.decode().splitlines()
        pool.run(
            lambda deadline: check(
                mail_server, username, password, deadline=deadline, network=network
            ),
            seconds=20,
        )
        rest = "\n".join(order).encode()
        environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(rest), str(len(rest))
    return listener.application(environ, start_response)
