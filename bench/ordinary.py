"""What ours is compared with: the same three requests as an ordinary Flask application has them.

Routes, a session of the ORM for each request, objects with relationships, commit, and what the
answer needs read again after the commit. The cryptography, the tables, the sealing and SQLite's
settings are the same; it is served by gunicorn with threads.
"""

from __future__ import annotations

import json
import os
from typing import Any

from flask import Flask, Response, abort, request
from sqlalchemy import select
from sqlalchemy.orm import scoped_session, sessionmaker

from app.clock import DAY, MINUTE, SystemClock, seconds
from app.config import portal_config
from app.database import Database
from app.keystore.places import key_place, prs_place, run_place
from app.keystore.provider import FileKeyProvider
from app.keystore.rings import ExchangeKeys, PortalKeys
from app.models.base import new_id
from bench.ordinary_models import (
    AccountService,
    Activation,
    Device,
    Entry,
    Person,
    Run,
    ServiceGrant,
    ServiceKey,
)
from protocol.activation import ActivationDocument, Grant, document_prs, sign_document
from protocol.handshake import (
    Completed,
    Context,
    DeviceClaim,
    GrantName,
    RunSecrets,
    accept_confirm,
    check_admission,
    complete,
    init_hash,
    read_confirm,
    read_init,
    respond,
)
from protocol.media_type import ACTIVATION, EXCHANGE

application = Flask(__name__)
config = portal_config(os.environ)
clock = SystemClock()
provider = FileKeyProvider(config.keys_dir)
signing = PortalKeys.open(provider, entropy=os.urandom, now=clock.now())
exchanging = ExchangeKeys.open(provider, entropy=os.urandom, now=clock.now())
# Every request writes, so each transaction begins as a writer: nobody's work is thrown away.
engine = Database(config.database_url, busy_seconds=30).engine.execution_options(
    handfast_begin="BEGIN IMMEDIATE"
)
db = scoped_session(sessionmaker(engine))


@application.teardown_appcontext
def end_session(_error: BaseException | None) -> None:
    """Give the connection back."""
    db.remove()


@application.get("/healthz")
def healthz() -> str:
    """Say that it is up."""
    return "ok\n"


@application.post("/issue")
def issue() -> Response:
    """Issue a document for one service of a person."""
    person_id, service_id, ticket = request.get_data(as_text=True).splitlines()
    person, service = db.get(Person, person_id), db.get(AccountService, service_id)
    if person is None or service is None or service.account.person is not person:
        abort(404)
    earlier = select(Activation).filter_by(person_id=person.id, state="open")
    for activation in db.scalars(earlier):
        activation.state, activation.prs_sealed = "dead", None
    now = clock.now()
    activation = Activation(
        id=new_id(os.urandom),
        person=person,
        ticket=ticket,
        kind="document",
        state="open",
        created_at=now,
        expires_at=now + 7 * DAY,
        document_expires_at=now + 5 * MINUTE,
        attempts=0,
    )
    password = os.urandom(32)
    grant = ServiceGrant(
        id=new_id(os.urandom),
        service=service,
        activation=activation,
        position=0,
        state="issued",
        created_at=now,
        expires_at=now + 7 * DAY,
    )
    db.add_all((activation, grant))
    document = sign(activation, grant, password, now)
    prs = document_prs(document, [password])
    activation.prs_sealed = signing.grants.seal(prs, prs_place(activation.id), now=now)
    db.add(audit(now, f"person:{person.id}", "document-issued", activation))
    db.commit()
    return Response(document, mimetype=ACTIVATION)


@application.post("/init")
def init() -> Response:
    """Answer an init with the stored or a fresh reply."""
    message, now = read_init(request.get_data()), clock.now()
    activation = db.get(Activation, message.activation)
    if activation is None or activation.state != "open" or activation.attempts >= 5:
        abort(403)
    context = Context(config.issuer, activation.id, bound_jkt=activation.bound_jkt)
    th1 = init_hash(context, message)
    known = db.get(Run, (activation.id, th1))
    if known is not None:
        return Response(known.reply, mimetype=EXCHANGE)
    assert activation.prs_sealed is not None
    prs = exchanging.grants.open(activation.prs_sealed, prs_place(activation.id))
    if not check_admission(prs, th1, message.admission):
        abort(403)
    key = exchanging.exchange.current(now)
    replied = respond(context, prs, message, exchange_key=key, entropy=os.urandom, th1=th1)
    secrets = replied.secrets.to_bytes()
    run = Run(
        activation=activation,
        run=th1,
        admission_hash=bytes(64),
        reply=replied.reply,
        secrets_sealed=exchanging.keys.seal(secrets, run_place(activation.id, th1), now=now),
        created_at=now,
        expires_at=now + 5 * MINUTE,
    )
    activation.attempts += 1
    activation.taken_at = now
    db.add(run)
    db.commit()
    return Response(run.reply, mimetype=EXCHANGE)


@application.post("/confirm")
def confirm() -> Response:
    """Turn a confirmed run into keys."""
    message, now = read_confirm(request.get_data()), clock.now()
    run = db.get(Run, (message.activation, bytes(message.run)))
    if run is None or run.secrets_sealed is None or run.activation.state != "open":
        abort(403)
    activation = run.activation
    place = run_place(activation.id, message.run)
    secrets = RunSecrets.from_bytes(exchanging.keys.open(run.secrets_sealed, place))
    claim = accept_confirm(secrets, message)
    device = find_or_make_device(activation, claim, now)
    completed = complete(secrets, claim, sub=activation.person.id, grants=names(activation))
    store_keys(activation, device, completed, now)
    activation.state, activation.redeemed_at = "redeemed", now
    activation.device, activation.address = device, request.remote_addr
    activation.prs_sealed, activation.complete = None, completed.body
    run.secrets_sealed = None
    db.add(audit(now, f"device:{device.id}", "device-activated", activation))
    db.commit()
    return Response(activation.complete, mimetype=EXCHANGE)


def sign(activation: Activation, grant: ServiceGrant, password: bytes, now: int) -> bytes:
    """Write the document."""
    service = grant.service
    named = Grant(grant.id, service.account.address, service.service, service.service_uid, password)
    document = ActivationDocument(
        iss=config.issuer,
        iat=seconds(now),
        exp=seconds(now) + 300,
        jti=activation.id,
        sub=activation.person.id,
        exchange=config.exchange_url,
        grants=(named,),
    )
    return sign_document(document, signing.documents.current(now))


def names(activation: Activation) -> list[GrantName]:
    """What the keys are for."""
    return [
        GrantName(
            grant.id,
            grant.service.account.address,
            grant.service.service,
            grant.service.service_uid,
        )
        for grant in activation.grants
    ]


def find_or_make_device(activation: Activation, claim: DeviceClaim, now: int) -> Device:
    """One row for each device of a person."""
    wanted = select(Device).filter_by(person_id=activation.person_id, jkt=claim.jkt)
    device = db.scalars(wanted).one_or_none()
    if device is None:
        device = Device(
            id=new_id(os.urandom),
            person=activation.person,
            jkt=claim.jkt,
            identity=claim.identity,
            state="active",
            created_at=now,
        )
        db.add(device)
    device.name, device.platform, device.handler = claim.name, claim.platform, claim.handler
    device.seen_at = now
    return device


def store_keys(activation: Activation, device: Device, completed: Completed, now: int) -> None:
    """One row for each grant."""
    for grant, key in zip(activation.grants, completed.keys, strict=True):
        grant.state = "redeemed"
        row = ServiceKey(
            id=key.key_id,
            person_id=activation.person_id,
            device=device,
            account_service_id=grant.account_service_id,
            activation_id=activation.id,
            grant=grant,
            key_sealed=exchanging.keys.seal(key.key, key_place(key.key_id), now=now),
            fingerprint=key.fingerprint,
            state="active",
            created_at=now,
        )
        db.add(row)


def audit(now: int, actor: str, act: str, activation: Activation) -> Entry:
    """The line that goes with an act."""
    facts: dict[str, Any] = {"at": now, "actor": actor, "act": act, "target": activation.id}
    return Entry(
        at=now,
        actor=actor,
        act=act,
        subject_id=activation.person_id,
        target=activation.id,
        record=json.dumps(facts, sort_keys=True).encode(),
    )
