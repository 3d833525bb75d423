"""``keys``: make, rotate, publish and list the service's keys."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask.cli import AppGroup

from app import audit
from app.cli.console import ACTOR, Operator, keys_told, moment, operator
from app.keystore import key_sets
from app.keystore.provider import KeyKind
from protocol.trust import KeySet

keys = AppGroup("keys", help="Make, rotate, publish and list the keys.")
CHOICES = tuple(kind.value for kind in KeyKind)


@keys.command("init")
def init() -> None:
    """Make every key that is missing and publish the key set; safe to repeat."""
    here = operator()
    with _changing(here, "init"):
        bundle = key_sets.init_keys(
            here.keys,
            issuer=here.config.issuer,
            exchange_url=here.config.exchange_url,
            now=here.clock.now(),
            entropy=here.entropy,
        )
    click.echo(f"the keys of {bundle.issuer} are in {here.config.keys_dir}")
    click.echo(f"trust bundle fingerprint: {bundle.fingerprint}")
    click.echo("publish that fingerprint where people can compare it, and move root/ offline")


@keys.command("rotate")
@click.argument("kind", type=click.Choice(CHOICES))
@click.option(
    "--stolen",
    is_flag=True,
    help="The current key has leaked: use the successor now and retire the others now.",
)
def rotate(kind: str, stolen: bool) -> None:
    """Make the successor of the current KIND key and publish it.

    A document or exchange key is published eight days before its first use, so that every device
    knows it by then; --stolen does not wait, and devices learn the new key at their next refresh.
    """
    here = operator()
    now = here.clock.now()
    with _changing(here, kind):
        successor = key_sets.rotate(
            here.keys, KeyKind(kind), now=now, entropy=here.entropy, at_once=stolen
        )
        _publish(here, now)
    click.echo(f"{kind}: {successor.id} is used from {moment(successor.not_before)}")


@keys.command("publish")
def publish() -> None:
    """Sign the key set again; run it weekly from a timer."""
    here = operator()
    now = here.clock.now()
    with _changing(here, "publish"):
        key_set = _publish(here, now)
    click.echo(
        f"key set version {key_set.version} is valid until {moment(key_set.exp * 1_000_000)}"
    )


@keys.command("list")
def list_keys() -> None:
    """List the keys that can be read here, never their secrets."""
    here = operator()
    now = here.clock.now()
    with keys_told():
        found = key_sets.list_keys(here.keys, now=now)
    if not found:
        click.echo("there are no keys yet; make them with: flask --app wsgi keys init")
    for key in found:
        until = f" until {moment(key.retired_at)}" if key.retired_at is not None else ""
        click.echo(f"{key.kind:<15} {key.state:<9} {key.id}  from {moment(key.not_before)}{until}")


def _publish(here: Operator, now: int) -> KeySet:
    return key_sets.publish(
        here.keys, issuer=here.config.issuer, exchange_url=here.config.exchange_url, now=now
    )


@contextmanager
def _changing(here: Operator, what: str) -> Iterator[None]:
    """Audit first: an act on keys that cannot be audited does not happen."""
    with here.migrated() as database, database.write() as session:
        audit.record(
            session, at=here.clock.now(), actor=ACTOR, act=audit.Act.KEYS_CHANGED, target=what
        )
        session.flush()
        with keys_told():
            yield
