"""Issue a document: rights, grants, signature, and one transaction with its audit row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, bindparam, insert, select

from app.activation.account_services import NamedService, named_services
from app.activation.ending import kill
from app.activation.stock import PASSWORD_BYTES, stocked_password, use_stock
from app.audit import Act, record
from app.clock import DAY, SECOND, seconds
from app.crashpoints import crashpoint
from app.keystore.places import prs_place
from app.models import ActivationState, GrantState, new_id
from app.models.tables import ACTIVATION, PERSON, SERVICE_GRANT
from app.prepared import Prepared
from protocol.activation import ActivationDocument, Grant, document_prs, sign_document

if TYPE_CHECKING:
    from app.config import Config
    from app.database import Database
    from app.keystore.rings import PortalKeys

_LOCK_PERSON: Final = Prepared(
    select(PERSON.c.id).where(PERSON.c.id == bindparam("person_id")).with_for_update()
)
_OPEN: Final = Prepared(
    select(
        ACTIVATION.c.id,
        ACTIVATION.c.ticket,
        ACTIVATION.c.made_by,
        ACTIVATION.c.document_expires_at,
        SERVICE_GRANT.c.account_service_id,
    )
    .join(SERVICE_GRANT, SERVICE_GRANT.c.activation_id == ACTIVATION.c.id)
    .where(
        ACTIVATION.c.person_id == bindparam("person_id"),
        ACTIVATION.c.state == ActivationState.OPEN,
        # A document for one device does not end another's rotation.
        ACTIVATION.c.kind == "document",
    )
)
_WAITING: Final = Prepared(
    select(ACTIVATION.c.id)
    .where(
        ACTIVATION.c.person_id == bindparam("person_id"),
        ACTIVATION.c.ticket == bindparam("ticket"),
        ACTIVATION.c.state == ActivationState.OPEN,
        ACTIVATION.c.document_expires_at.is_(None),
    )
    .limit(1)
)
_INSERT_ACTIVATION: Final = Prepared(
    insert(ACTIVATION),
    columns=(
        "id",
        "person_id",
        "ticket",
        "kind",
        "made_by",
        "state",
        "created_at",
        "expires_at",
        "document_expires_at",
        "bound_jkt",
        "attempts",
        "prs_sealed",
    ),
)
_INSERT_GRANTS: Final = Prepared(
    insert(SERVICE_GRANT),
    columns=(
        "id",
        "account_service_id",
        "activation_id",
        "position",
        "state",
        "created_at",
        "expires_at",
    ),
)


@dataclass(frozen=True)
class Issued:
    """A signed document and the activation it belongs to; times in microseconds."""

    activation_id: str
    document: bytes = field(repr=False)
    expires_at: int


def issue(
    database: Database,
    *,
    person_id: str,
    account_service_ids: Sequence[str],
    ticket: str,
    now: int,
    entropy: Callable[[int], bytes],
    keys: PortalKeys,
    config: Config,
    bound_jkt: str | None = None,
    actor: str | None = None,
) -> Issued:
    """Issue one document with a grant per service, and kill earlier ones that it replaces.

    The same ticket again is a reissue. What staff had left waiting is completed by it: the new row
    says who made it, too. Raises NotAllowedError; DatabaseUnavailableError means
    try again, which is safe.
    """
    until = seconds(now) + config.document_minutes * 60
    order = _Order(
        person_id=person_id,
        ticket=ticket,
        activation_id=new_id(entropy),
        now=now,
        until=until,
        bound_jkt=bound_jkt,
        config=config,
    )
    with database.write_connection() as connection:
        services = _services(connection, order, account_service_ids)
        made_by = _replace(connection, order, services, documents=True)
        grants = tuple(_grant(connection, service, keys, entropy) for service in services)
        document = sign_document(order.document(grants), keys.documents.current(now))
        prs = document_prs(document, [grant.password for grant in grants])
        sealed = keys.grants.seal(prs, prs_place(order.activation_id), now=now)
        _INSERT_ACTIVATION.run(connection, order.row(sealed, made_by))
        _store_grants(connection, order, grants, services)
        _record(connection, order, Act.DOCUMENT_ISSUED, actor, services)
    crashpoint("issue.committed")
    return Issued(order.activation_id, document, until * SECOND)


def request_activation(
    database: Database,
    *,
    person_id: str,
    account_service_ids: Sequence[str],
    ticket: str,
    now: int,
    entropy: Callable[[int], bytes],
    config: Config,
) -> str:
    """Note an activation that waits for a device, without a document; return its id.

    The same ticket again is the same activation. Raises NotAllowedError.
    """
    with database.write_connection() as connection:
        return wait_for_device(
            connection,
            person_id=person_id,
            account_service_ids=account_service_ids,
            ticket=ticket,
            now=now,
            entropy=entropy,
            config=config,
        )


def wait_for_device(
    connection: Connection,
    *,
    person_id: str,
    account_service_ids: Sequence[str],
    ticket: str,
    now: int,
    entropy: Callable[[int], bytes],
    config: Config,
    made_by: str | None = None,
    detail: Mapping[str, str | int] | None = None,
) -> str:
    """Note it in the caller's transaction; ``made_by`` is who does so for the person."""
    order = _Order(
        person_id=person_id,
        ticket=ticket,
        activation_id=new_id(entropy),
        now=now,
        until=None,
        bound_jkt=None,
        config=config,
    )
    services = _services(connection, order, account_service_ids)
    waiting = _WAITING.row(connection, {"person_id": person_id, "ticket": ticket})
    if waiting is not None:
        return str(waiting.id)
    made_before = _replace(connection, order, services, documents=False)
    _INSERT_ACTIVATION.run(connection, order.row(None, made_by or made_before))
    rows = [
        order.grant_row(new_id(entropy), service.id, position)
        for position, service in enumerate(services)
    ]
    _INSERT_GRANTS.run_each(connection, rows)
    _record(connection, order, Act.ACTIVATION_REQUESTED, made_by, services, detail)
    return order.activation_id


@dataclass(frozen=True)
class _Order:
    """What one activation is made of."""

    person_id: str
    ticket: str
    activation_id: str
    now: int
    # When the document expires, in whole seconds; None when there is none.
    until: int | None
    bound_jkt: str | None
    config: Config

    def document(self, grants: tuple[Grant, ...]) -> ActivationDocument:
        assert self.until is not None
        return ActivationDocument(
            iss=self.config.issuer,
            iat=seconds(self.now),
            exp=self.until,
            jti=self.activation_id,
            sub=self.person_id,
            exchange=self.config.exchange_url,
            grants=grants,
            jkt=self.bound_jkt,
        )

    def row(self, prs_sealed: bytes | None, made_by: str | None) -> dict[str, Any]:
        return {
            "id": self.activation_id,
            "person_id": self.person_id,
            "ticket": self.ticket,
            "kind": "document",
            "made_by": made_by,
            "state": ActivationState.OPEN.value,
            "created_at": self.now,
            "expires_at": self.now + self.config.activation_days * DAY,
            "document_expires_at": None if self.until is None else self.until * SECOND,
            "bound_jkt": self.bound_jkt,
            "attempts": 0,
            "prs_sealed": prs_sealed,
        }

    def grant_row(self, grant_id: str, service_id: str, position: int) -> dict[str, Any]:
        return {
            "id": grant_id,
            "account_service_id": service_id,
            "activation_id": self.activation_id,
            "position": position,
            "state": GrantState.ISSUED.value,
            "created_at": self.now,
            "expires_at": self.now + self.config.activation_days * DAY,
        }


def _services(
    connection: Connection, order: _Order, ids: Sequence[str]
) -> tuple[NamedService, ...]:
    """Check the rights, with the person's row locked: of two requests one comes after the other."""
    if connection.dialect.name != "sqlite":
        _LOCK_PERSON.row(connection, {"person_id": order.person_id})
    return named_services(
        connection, person_id=order.person_id, account_service_ids=ids, now=order.now
    )


def _replace(
    connection: Connection, order: _Order, services: tuple[NamedService, ...], *, documents: bool
) -> str | None:
    """Kill what the new activation replaces, whole; return who made that for the person, if so."""
    earlier = _replaced(connection, order, services, documents=documents)
    reason = "reissued" if documents else "replaced"
    kill(connection, sorted(earlier), reason=reason, successor=order.activation_id)
    return next((made_by for made_by in earlier.values() if made_by is not None), None)


def _replaced(
    connection: Connection, order: _Order, services: tuple[NamedService, ...], *, documents: bool
) -> dict[str, str | None]:
    """Find what the new activation replaces: its own ticket's, and those that share a service.

    One that only waits replaces only such as wait, since a document out there may be under way.
    """
    wanted = {service.id for service in services}
    found = {}
    for row in _OPEN.rows(connection, {"person_id": order.person_id}):
        overlaps = row.account_service_id in wanted
        if row.ticket == order.ticket or (
            overlaps and (documents or row.document_expires_at is None)
        ):
            found[row.id] = row.made_by
    return found


def _grant(
    connection: Connection,
    service: NamedService,
    keys: PortalKeys,
    entropy: Callable[[int], bytes],
) -> Grant:
    """Return a grant with a password from stock, or with a new one."""
    grant_id, password = service.stocked, None
    if grant_id is not None:
        password = stocked_password(connection, grant_id, sealer=keys.grants)
    if grant_id is None or password is None:
        grant_id, password = new_id(entropy), entropy(PASSWORD_BYTES)
    return Grant(grant_id, service.account, service.service, service.service_uid, password)


def _store_grants(
    connection: Connection,
    order: _Order,
    grants: tuple[Grant, ...],
    services: tuple[NamedService, ...],
) -> None:
    new = []
    for position, (grant, service) in enumerate(zip(grants, services, strict=True)):
        if grant.id == service.stocked:
            use_stock(connection, grant.id, activation_id=order.activation_id, position=position)
        else:
            new.append(order.grant_row(grant.id, service.id, position))
    if new:
        _INSERT_GRANTS.run_each(connection, new)


def _record(
    connection: Connection,
    order: _Order,
    act: Act,
    actor: str | None,
    services: tuple[NamedService, ...],
    detail: Mapping[str, str | int] | None = None,
) -> None:
    record(
        connection,
        at=order.now,
        actor=actor or f"person:{order.person_id}",
        act=act,
        subject=order.person_id,
        target=order.activation_id,
        detail={"services": len(services), **(detail or {})},
    )
