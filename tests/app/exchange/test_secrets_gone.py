"""Security 29: after success, death or expiry the sealed bytes are in no file of the database."""

from pathlib import Path

from sqlalchemy import select

from app.activation.services import make_stock, sweep
from app.clock import DAY
from app.models import Activation, Run, ServiceGrant, ServiceKey
from tests.app.exchange.reporting import activated
from tests.app.exchange.test_rotation import offered
from tests.app.service_fixtures import Service


def sealed_values(service: Service) -> list[bytes]:
    """Everything sealed that must not outlive its use."""
    with service.database.read() as session:
        columns = (Activation.prs_sealed, Run.secrets_sealed, ServiceGrant.password_sealed)
        found = [value for column in columns for value in session.scalars(select(column))]
    return [value for value in found if value is not None]


def still_there(service: Service, values: list[bytes]) -> list[str]:
    """The names of the database's files that still hold one of the values, or a part of it."""
    folder = Path(str(service.database.engine.url.database)).parent
    files = {path.name: path.read_bytes() for path in folder.glob("handfast.sqlite3*")}
    parts = [value[start : start + 16] for value in values for start in (20, len(value) - 16)]
    return [name for name, content in files.items() if any(part in content for part in parts)]


def test_the_search_finds_what_is_there(sqlite_service: Service) -> None:
    sqlite_service.issue(sqlite_service.ann)

    assert still_there(sqlite_service, sealed_values(sqlite_service)) != []


def test_nothing_sealed_is_left_after_a_redemption(sqlite_service: Service) -> None:
    service, handset = sqlite_service, sqlite_service.handset()
    make_stock(
        service.database,
        account_service_ids=[service.ann.services["mail"]],
        count=1,
        now=service.clock.now(),
        entropy=service.entropy,
        sealer=service.keys.grants,
    )
    values = sealed_values(service)
    issued = service.issue(service.ann, "mail", "contacts")
    lost = handset.offer(service, issued.document)
    service.exchange.init(lost.init)
    values += sealed_values(service)
    offer = handset.offer(service, issued.document)
    pending = offer.pending(service.exchange.init(offer.init))
    values += sealed_values(service)
    service.exchange.confirm(pending.confirm, address="192.0.2.7")

    sweep(service.database, service.clock)

    assert len(set(values)) == 4
    assert still_there(service, values) == []


def test_nothing_sealed_is_left_after_expiry(sqlite_service: Service) -> None:
    service = sqlite_service
    for _ in range(30):
        issued = service.issue(service.ann, "mail")
        offer = service.handset().offer(service, issued.document)
        service.exchange.init(offer.init)
    values = sealed_values(service)
    service.clock.advance(8 * DAY)

    sweep(service.database, service.clock)

    assert len(values) == 2
    assert still_there(service, values) == []


def test_a_retired_key_and_its_rotation_leave_nothing_sealed(sqlite_service: Service) -> None:
    service = sqlite_service
    old = activated(service)
    rotation = offered(old)
    with service.database.read() as session:
        values = [session.get_one(ServiceKey, old.key.key_id).key_sealed or b""]
    values += sealed_values(service)
    service.exchange.init(old.initiator(rotation).init())
    values += sealed_values(service)
    assert still_there(service, values) != []

    old.replace(rotation).send()

    sweep(service.database, service.clock)
    assert len(set(values)) == 3
    assert still_there(service, values) == []


def test_a_key_that_its_device_ended_leaves_nothing_sealed(sqlite_service: Service) -> None:
    line = activated(sqlite_service)
    with sqlite_service.database.read() as session:
        values = [session.get_one(ServiceKey, line.key.key_id).key_sealed or b""]

    line.end()

    sweep(sqlite_service.database, sqlite_service.clock)
    assert still_there(sqlite_service, values) == []
