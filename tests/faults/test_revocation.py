"""A key is ended by its device: either side is killed on the way, and both end without it."""

import pytest

from app.activation.services import revoke_key
from app.clock import SystemClock
from plugin import crashpoints as device
from plugin.errors import ExitCode
from tests.faults.site import ANN, Done, Site, wait_for
from tests.faults.witness import Witness

DEVICE_POINTS = (
    "device.numbers.reserved",
    "device.packet.sent",
    "device.key.ended",
    "store.temp.written",
    "store.renamed",
)
SERVICE_POINTS = ("packet.opened", "packet.computed", "packet.committed", "packet.answered")


def walked(points: tuple[str, ...], quick: str) -> list[object]:
    """Each point; all but one are for `make faults`."""
    return [
        pytest.param(point, marks=() if point == quick else pytest.mark.faults) for point in points
    ]


def revoke(site: Site, crash_at: str | None = None) -> Done:
    """Do what a person does who wants the only key away."""
    (key,) = site.device().store.read().keys
    return site.handfast("keys", "revoke", "--yes", key.key_id.lstrip("-"), crash_at=crash_at)


def check_ended(site: Site, key_id: str) -> None:
    """Both sides are without the key, and the audit says who ended it."""
    assert site.device().store.read().keys == ()
    now = Witness(site).look()
    assert now.keys[key_id].state == "revoked"
    assert now.keys[key_id].key_sealed is None
    assert ("key-revoked", key_id) in now.audit


@pytest.mark.parametrize("point", walked(DEVICE_POINTS, "device.packet.sent"))
def test_the_device_is_killed_while_it_ends_a_key(point: str, site: Site) -> None:
    (key,) = site.device().store.read().keys
    with site.exchange():
        assert revoke(site, crash_at=point).code == device.EXIT_STATUS
        if site.device().store.read().keys:
            again = revoke(site)
            assert again.code == 0, again.errors
        check_ended(site, key.key_id)


@pytest.mark.parametrize("point", walked(SERVICE_POINTS, "packet.committed"))
def test_the_service_is_killed_while_a_device_ends_its_key(point: str, site: Site) -> None:
    (key,) = site.device().store.read().keys
    arguments = ("keys", "revoke", "--yes", key.key_id.lstrip("-"))
    exchange = site.start_exchange(crash_at=point)
    try:
        with site.handfast_running(*arguments) as running:
            wait_for(lambda: exchange.gone or running.poll() is not None)
            assert exchange.crashed_at(point)
            exchange.kill()
            exchange = site.start_exchange()
            done = Done.end_of(running)
        if done.code == ExitCode.UNFINISHED:
            # On a slow machine the service may start more slowly than the device is patient.
            done = site.handfast(*arguments)
        assert done.code == 0, done.errors
        check_ended(site, key.key_id)
    finally:
        exchange.kill()


def test_a_key_revoked_on_the_portal_goes_with_the_next_report(site: Site) -> None:
    (key,) = site.device().store.read().keys
    with site.database() as database:
        now = SystemClock().now()
        assert revoke_key(database, person_id=ANN, key_id=key.key_id, now=now)
    with site.exchange():
        told = site.handfast("refresh")
        assert told.code == ExitCode.REFUSED_BY_SERVICE, told.errors
        check_ended(site, key.key_id)
