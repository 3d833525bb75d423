"""Several devices try one code at the same moment: five runs in all, and one owner of the keys."""

from __future__ import annotations

from sqlalchemy import func, select

from app.audit import Act
from app.models import Activation, AuditEntry, ServiceKey
from protocol.errors import ErrorCode
from tests.app.exchange.coding import made, typed
from tests.app.service_fixtures import ADDRESS, Service
from tests.app.together import together


def test_of_eight_different_inits_at_once_five_are_answered(service: Service) -> None:
    code = made(service)
    inits = [typed(service, code.text).init for _ in range(8)]

    outcomes = together(*(lambda init=init: service.exchange.init(init) for init in inits))

    assert sum(isinstance(outcome, bytes) for outcome in outcomes) == 5
    assert outcomes.count(ErrorCode.REFUSED) == 3
    with service.database.read() as session:
        assert session.get_one(Activation, code.activation_id).attempts == 5
        burnt = select(func.count()).where(AuditEntry.act == Act.CODE_BURNT)
        assert session.execute(burnt).scalar_one() == 1


def test_of_two_devices_confirming_at_once_one_owns_the_key(service: Service) -> None:
    code = made(service)
    confirms = []
    for name in ("Ann's laptop", "Somebody else's"):
        run = typed(service, code.text, handset=service.handset(name))
        confirms.append(run.pending(service.exchange.init(run.init)).confirm)

    outcomes = together(
        *(lambda one=one: service.exchange.confirm(one, address=ADDRESS) for one in confirms)
    )

    # Not "used": of a code that is over, nobody is told what became of it.
    assert outcomes.count(ErrorCode.REFUSED) == 1
    assert sum(isinstance(outcome, bytes) for outcome in outcomes) == 1
    with service.database.read() as session:
        assert session.execute(select(func.count()).select_from(ServiceKey)).scalar_one() == 1


def test_two_codes_made_at_once_leave_one_open(service: Service) -> None:
    def make() -> bytes:
        return made(service).activation_id.encode()

    together(*[make] * 4)
    with service.database.read() as session:
        states = session.scalars(select(Activation.state)).all()
    assert sorted(states) == ["dead", "dead", "dead", "open"]
