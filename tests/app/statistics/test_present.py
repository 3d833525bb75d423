"""What there is at present is counted as a person would count it, every few minutes."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from app.activation.services import revoke_device
from app.clock import DAY, MINUTE
from app.models import Device, PresentCount
from app.statistics.names import KEY_AGES, LONGER, class_of
from app.statistics.present import EVERY, SMALL, SOON, count_present
from tests.app.service_fixtures import Service
from tests.app.statistics.counted import count_all, present


def test_people_devices_keys_and_what_waits_are_counted(service: Service, tmp_path: Path) -> None:
    for name in ("laptop", "phone", "tablet"):
        document = service.issue(service.ann, "mail", "contacts")
        service.activate(service.handset(name), document.document)
    with service.database.write() as session:
        session.execute(update(Device).where(Device.name == "phone").values(platform="Darwin"))
        session.execute(
            update(Device).where(Device.name == "tablet").values(platform="<b>mine</b>")
        )
    service.clock.advance(8 * DAY)
    service.issue(service.bob)
    service.clock.advance(MINUTE)
    count_all(service, tmp_path)
    count_present(service.database, now=service.clock.now())
    assert present(service.database) == {
        ("people", "enabled"): 2,
        ("devices", "Linux"): 1,
        ("devices", "Darwin"): 1,
        ("devices", "other"): 1,
        ("keys", "30d"): 6,
        ("waiting", "1h"): 1,
    }


def test_what_is_gone_is_not_counted_any_more(service: Service, tmp_path: Path) -> None:
    document = service.issue(service.ann)
    service.activate(service.handset(), document.document)
    count_all(service, tmp_path)
    count_present(service.database, now=service.clock.now())
    with service.database.read() as session:
        device_id = session.query(Device.id).scalar()
    assert device_id is not None
    revoke_device(
        service.database,
        device_id=device_id,
        person_id=service.ann.person_id,
        now=service.clock.now(),
    )
    service.clock.advance(SOON - 1)
    count_present(service.database, now=service.clock.now())
    assert ("devices", "Linux") in present(service.database)
    service.clock.advance(1)
    count_present(service.database, now=service.clock.now())
    assert present(service.database) == {("people", "enabled"): 2}


def test_a_large_installation_is_counted_less_often(service: Service, tmp_path: Path) -> None:
    count_all(service, tmp_path)
    count_present(service.database, now=service.clock.now())
    with service.database.write() as session:
        session.execute(update(PresentCount).values(count=SMALL))
    service.clock.advance(EVERY - 1)
    count_present(service.database, now=service.clock.now())
    assert present(service.database) == {("people", "enabled"): SMALL}
    service.clock.advance(1)
    count_present(service.database, now=service.clock.now())
    assert present(service.database) == {("people", "enabled"): 2}


@given(age=st.integers(0, 800 * DAY))
def test_a_class_holds_what_is_up_to_its_bound(age: int) -> None:
    label = class_of(KEY_AGES, age)
    bounds = {name: most for most, name in KEY_AGES}
    assert age <= bounds.get(label, age)
    assert all(age > most for most, name in KEY_AGES if label == LONGER or most < bounds[label])
