"""The devices: whole activations over HTTP, from threads of this process.

Only the servers' CPU is counted, and they are other processes.
"""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection

from bench.world import Owner, World
from protocol.activation import document_prs, open_document
from protocol.encoding import b64u
from protocol.handshake import Context, DeviceDescription, GrantName, Initiator
from protocol.media_type import EXCHANGE
from protocol.signing import SigningKey
from protocol.trust import KeySet, TrustedIssuer

CLIENTS = 16
DEVICE = DeviceDescription("Ann's laptop", "Linux", "handfast 0.1")


@dataclass
class Load:
    """What the devices saw: seconds from request to answer, one for each request."""

    activations: int = 0
    latencies: list[float] = field(default_factory=list)

    def percentile(self, part: float) -> float:
        """The latency in milliseconds that `part` of the requests stayed below."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * part))] * 1000


class HttpError(Exception):
    """A server answered with something else than 200."""


Post = Callable[[str, bytes, str], bytes]


def exchange(document: bytes, key_set: KeySet, identity: SigningKey, post: Post) -> None:
    """Run init and confirm for a document, as a device does, up to the keys."""
    verified = open_document(document, [TrustedIssuer(key_set.iss, key_set)])
    claims = verified.document
    initiator = Initiator(
        Context(claims.iss, claims.jti),
        document_prs(verified.raw, [grant.password for grant in claims.grants]),
        exchange_keys=key_set.exchange_keys(claims.exchange),
        entropy=os.urandom,
    )
    pending = initiator.receive_reply(
        post("/init", initiator.init(), EXCHANGE),
        identity=identity,
        device=DEVICE,
        grants=[
            GrantName(one.id, one.account, one.service, one.service_uid) for one in claims.grants
        ],
        sub=claims.sub,
    )
    pending.receive_complete(post("/confirm", pending.confirm, EXCHANGE))


def run(port: int, world: World, activations: int) -> Load:
    """Activate as many grants as asked for, from CLIENTS connections at once."""
    load, lock = Load(), threading.Lock()
    waiting: Iterator[Owner] = iter(
        [world.owners[number % len(world.owners)] for number in range(activations)]
    )

    def device() -> None:
        identity = SigningKey.generate(entropy=os.urandom)
        latencies: list[float] = []
        with connected(port, latencies) as post:
            while True:
                with lock:
                    owner = next(waiting, None)
                if owner is None:
                    break
                order = f"{owner.person_id}\n{owner.service_id}\n{b64u(os.urandom(16))}"
                document = post("/issue", order.encode(), "text/plain")
                exchange(document, world.key_set, identity, post)
        with lock:
            load.latencies += latencies
            load.activations += len(latencies) // 3

    together([device] * CLIENTS)
    return load


def together(work: list[Callable[[], None]]) -> None:
    """Run all of it at the same time; an answer does not wait long for another's arithmetic."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(0.0005)
    try:
        with ThreadPoolExecutor(len(work)) as pool:
            for ended in [pool.submit(one) for one in work]:
                ended.result()
    finally:
        sys.setswitchinterval(usual)


@contextmanager
def connected(port: int, latencies: list[float]) -> Iterator[Post]:
    """Yield a function that posts over one connection and notes how long the answer took."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)

    def post(path: str, body: bytes, media_type: str) -> bytes:
        began = time.perf_counter()
        connection.request("POST", path, body, {"Content-Type": media_type})
        answer = connection.getresponse()
        content = answer.read()
        latencies.append(time.perf_counter() - began)
        if answer.status != 200:
            raise HttpError(f"{path}: {answer.status} {content[:200]!r}")
        return content

    try:
        yield post
    finally:
        connection.close()
