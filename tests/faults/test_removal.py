"""A device is to remove everything, and either side is killed: it does, and the service knows."""

import pytest
from sqlalchemy import select, update

from app.clock import SystemClock
from app.models import DeviceState
from app.models.tables import DEVICE, SERVICE_KEY
from plugin import crashpoints as device
from tests.faults.site import ANN, Done, Site, wait_for

DEVICE_POINTS = (
    "device.packet.sent",
    "device.removal.stored",
    "device.removal.sent",
    "device.removal.noted",
)
SERVICE_POINTS = ("removal.committed", "removal.answered")


def walked(points: tuple[str, ...], quick: str) -> list[object]:
    """Each point; all but one are for `make faults`."""
    return [
        pytest.param(point, marks=() if point == quick else pytest.mark.faults) for point in points
    ]


def ask(site: Site) -> None:
    """What staff do who have Ann's device cleared."""
    now = SystemClock().now()
    with site.database() as database, database.write_connection() as connection:
        connection.execute(
            update(DEVICE)
            .where(DEVICE.c.person_id == ANN)
            .values(wipe_asked_at=now, state=DeviceState.REVOKED, revoked_at=now)
        )
        connection.execute(
            update(SERVICE_KEY).values(state="revoked", key_sealed=None, ended_at=now)
        )


def check_removed(site: Site) -> None:
    """The device has nothing of Ann's, and the service knows that."""
    contents = site.device().store.read()
    assert (contents.keys, contents.pending) == ((), ())
    (record,) = contents.removals
    assert record.noted is not None
    with site.database() as database, database.read_connection() as connection:
        (wiped_at,) = connection.execute(select(DEVICE.c.wiped_at)).scalars()
        assert wiped_at is not None


@pytest.mark.parametrize("point", walked(DEVICE_POINTS, "device.removal.stored"))
def test_the_device_is_killed_while_it_removes(point: str, site: Site) -> None:
    ask(site)
    with site.exchange():
        assert site.handfast("refresh", crash_at=point).code == device.EXIT_STATUS
        site.handfast("refresh")
        check_removed(site)


@pytest.mark.parametrize("point", walked(SERVICE_POINTS, "removal.committed"))
def test_the_service_is_killed_while_it_notes(point: str, site: Site) -> None:
    ask(site)
    exchange = site.start_exchange(crash_at=point)
    try:
        with site.handfast_running("refresh") as running:
            wait_for(lambda: exchange.gone or running.poll() is not None)
            assert exchange.crashed_at(point)
            Done.end_of(running)
    finally:
        exchange.kill()
    with site.exchange():
        site.handfast("refresh")
        check_removed(site)
