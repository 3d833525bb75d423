"""Every named crash point, on both sides, once and twice: killed there, and repeated."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from app import crashpoints as service
from app.activation.services import ask_rotation, confirm_device
from app.clock import SystemClock
from app.models.tables import SERVICE_KEY
from plugin import crashpoints as device
from plugin.errors import ExitCode
from tests.faults.site import ANN, REPOSITORY, Done, Site, wait_for
from tests.faults.witness import Witness

SERVICES = ("mail", "contacts")
EXCHANGE_POINTS = tuple(name for name in service.POINTS if name.startswith(("init.", "confirm.")))
PACKET_POINTS = tuple(name for name in service.POINTS if name.startswith("packet."))
# Walked in test_removal.py, and those of a typed code's end in test_codes.py.
REMOVAL_POINTS = tuple(name for name in service.POINTS if name.startswith("removal."))
# Walked in test_arrival.py.
ARRIVAL_POINTS = tuple(name for name in service.POINTS if name.startswith("arrival."))
# Walked in tests/app/worker/test_process.py.
MAIL_POINTS = tuple(name for name in service.POINTS if name.startswith("mail."))
OPERATOR_POINTS = tuple(
    name
    for name in service.POINTS
    if name
    not in (*EXCHANGE_POINTS, *PACKET_POINTS, *REMOVAL_POINTS, *ARRIVAL_POINTS, *MAIL_POINTS)
)
# A notice ends a key in test_revocation.py; nothing does when a document is opened.
OPENING_POINTS = tuple(
    name
    for name in device.POINTS
    if name not in ("device.key.ended", "device.unwanted.stored")
    and not name.startswith("device.removal.")
)
# Once this has happened the same request is answered from what is stored, and does not come here.
DURABLE = ("init.committed", "confirm.committed")
# Where the walk is worth its seconds in every `make test`.
QUICK = (
    "init.committed",
    "confirm.committed",
    "packet.committed",
    "device.pending.stored",
    "device.confirm.sent",
)


def walked(points: tuple[str, ...]) -> list[object]:
    """Each point once and twice; all but the quickest few are for `make faults`."""
    return [
        pytest.param(
            point,
            times,
            id=f"{point}-{times}",
            marks=() if point in QUICK and times == 1 else pytest.mark.faults,
        )
        for point in points
        for times in (1, 2)
    ]


@pytest.mark.parametrize(("point", "times"), walked(EXCHANGE_POINTS))
def test_the_service_is_killed_while_the_device_waits(
    point: str, times: int, site: Site, witness: Witness
) -> None:
    document = site.issue(*SERVICES)
    witness.look()
    exchange = site.start_exchange(crash_at=point)
    try:
        with site.handfast_running("open", str(document)) as running:
            for left in reversed(range(times)):
                wait_for(lambda: exchange.gone or running.poll() is not None)  # noqa: B023 - read at once
                assert exchange.crashed_at(point) or (left < times - 1 and point in DURABLE)
                witness.look()
                exchange.kill()
                exchange = site.start_exchange(crash_at=point if left else None)
            opened = Done.end_of(running)
        if opened.code == 0:
            # The device sent the same bytes again, and they are the same attempt.
            assert witness.look().activations[document.stem].attempts == 1
        finish(site, document, opened)
        witness.check_repeated()
        witness.check_end(*SERVICES)
        # While the exchange runs: the last to close the database would tidy up after the sweep.
        witness.check_secrets_gone()
    finally:
        exchange.kill()


@pytest.mark.parametrize(("point", "times"), walked(PACKET_POINTS))
def test_the_service_is_killed_while_the_device_reports(
    point: str, times: int, site: Site, witness: Witness
) -> None:
    exchange = site.start_exchange(crash_at=point)
    try:
        with site.handfast_running("refresh") as running:
            for left in reversed(range(times)):
                wait_for(lambda: exchange.gone or running.poll() is not None)  # noqa: B023 - read at once
                assert exchange.crashed_at(point) or running.poll() == ExitCode.UNFINISHED
                witness.look()
                exchange.kill()
                exchange = site.start_exchange(crash_at=point if left else None)
            reported = Done.end_of(running)
        if reported.code == ExitCode.UNFINISHED:
            # On a slow machine the service may start more slowly than the device is patient.
            reported = site.handfast("refresh")
        # The same content under a fresh number, by itself.
        assert reported.code == 0, reported.errors
        witness.check_end()
    finally:
        exchange.kill()


@pytest.mark.parametrize(("point", "times"), walked((*EXCHANGE_POINTS, *PACKET_POINTS)))
def test_the_service_is_killed_while_a_key_is_replaced(
    point: str, times: int, site: Site, witness: Witness
) -> None:
    (old,) = witness.old_keys
    ask_for_rotation(site, old)
    for _ in range(times):
        exchange = site.start_exchange(crash_at=point)
        try:
            with site.handfast_running("refresh") as running:
                wait_for(lambda: exchange.gone or running.poll() is not None)  # noqa: B023 - read at once
                running.kill()
            witness.look()
        finally:
            exchange.kill()
    with site.exchange():
        replaced(site, old)
        witness.check_end("mail")
        witness.check_secrets_gone()
    assert witness.look().keys[old].state == "retired"


@pytest.mark.parametrize(("point", "times"), walked(device.POINTS))
def test_the_device_is_killed_while_a_key_is_replaced(
    point: str, times: int, site: Site, witness: Witness
) -> None:
    (old,) = witness.old_keys
    ask_for_rotation(site, old)
    with site.exchange():
        for _ in range(times):
            site.handfast("refresh", crash_at=point)
            witness.look()
        replaced(site, old)
        witness.check_end("mail")
        witness.check_secrets_gone()


def ask_for_rotation(site: Site, key_id: str) -> None:
    """Confirm Ann's device, as she does, and let its key be replaced at the next report."""
    now = SystemClock().now()
    with site.database() as database:
        with database.read_connection() as connection:
            device_id = connection.execute(
                select(SERVICE_KEY.c.device_id).where(SERVICE_KEY.c.id == key_id)
            ).scalar_one()
        assert confirm_device(database, person_id=ANN, device_id=device_id, now=now)
        assert ask_rotation(database, person_id=ANN, key_id=key_id, now=now)


def replaced(site: Site, old: str) -> None:
    """Report until the old key is gone, as the daily timer does."""
    for _ in range(3):
        done = site.handfast("refresh")
        assert done.code == 0, done.errors
        if all(key.key_id != old for key in site.device().store.read().keys):
            return
    raise AssertionError("the old key is still there")


@pytest.mark.parametrize(("point", "times"), walked(OPENING_POINTS))
def test_the_device_is_killed(
    point: str, times: int, live_site: Site, live_witness: Witness
) -> None:
    site, witness = live_site, live_witness
    document = site.issue(*SERVICES)
    witness.look()
    crashed = site.handfast("open", str(document), crash_at=point)
    assert crashed.code == device.EXIT_STATUS
    witness.look()
    if times == 2:
        # The second time the store may be written already, and the point not reached any more.
        again = repeat(site, document, crash_at=point)
        assert again.code == device.EXIT_STATUS or not site.device().pending()
        witness.look()
    finish(site, document, crashed)
    witness.check_repeated()
    witness.check_end(*SERVICES)
    witness.check_secrets_gone()


@pytest.mark.faults
@pytest.mark.parametrize("times", [1, 2])
def test_the_operator_is_killed_after_issuing(times: int, site: Site, witness: Witness) -> None:
    document = site.folder / "activation.handfast"
    command = ("activation", "issue", "ann@example.org", "--service", "mail", "--out")
    for _ in range(times):
        assert (
            site.flask(*command, str(document), crash_at="issue.committed").code
            == service.EXIT_STATUS
        )
        witness.look()
    issued = site.flask(*command, str(document))
    assert issued.code == 0, issued.errors
    with site.exchange():
        assert site.handfast("open", str(document)).code == 0
    witness.check_end("mail")
    witness.check_secrets_gone()


@pytest.mark.faults
@pytest.mark.parametrize("times", [1, 2])
def test_the_sweeper_is_killed(times: int, site: Site, witness: Witness) -> None:
    document = site.issue(*SERVICES)
    witness.look()
    with site.exchange():
        assert site.handfast("open", str(document)).code == 0
    for _ in range(times):
        assert site.flask("sweep", crash_at="sweep.deleted").code == service.EXIT_STATUS
        witness.look()
    witness.check_end(*SERVICES)
    witness.check_secrets_gone()


@pytest.mark.faults
@pytest.mark.postgresql
@pytest.mark.parametrize(
    "point",
    [
        "init.committed",
        "confirm.computed",
        "confirm.committed",
        "packet.computed",
        "packet.committed",
    ],
)
def test_the_service_is_killed_on_postgresql(point: str, postgresql_site: Site) -> None:
    site, witness = postgresql_site, Witness(postgresql_site)
    document = site.issue(*SERVICES)
    witness.look()
    exchange = site.start_exchange(crash_at=point)
    with site.handfast_running("open", str(document)) as running:
        wait_for(lambda: exchange.gone or running.poll() is not None)
        exchange.kill()
        assert exchange.crashed_at(point)
        witness.look()
        with site.exchange():
            finish(site, document, Done.end_of(running))
            witness.check_repeated()
    witness.check_end(*SERVICES)
    witness.check_secrets_gone()


def test_every_crash_point_in_the_code_is_walked() -> None:
    named = {*service.POINTS, *device.POINTS}
    patterns = set(crash_points_in("app")) | set(crash_points_in("plugin"))

    walked_here = {
        *EXCHANGE_POINTS,
        *PACKET_POINTS,
        *REMOVAL_POINTS,
        *ARRIVAL_POINTS,
        *MAIL_POINTS,
        *OPERATOR_POINTS,
        *device.POINTS,
    }
    assert {"issue.committed", "sweep.deleted"} == set(OPERATOR_POINTS)
    assert walked_here == named
    for pattern in patterns:
        assert any(re.fullmatch(pattern, name) for name in named), f"{pattern} is not in a list"
    for name in named:
        assert any(re.fullmatch(pattern, name) for pattern in patterns), f"{name} is nowhere"


def crash_points_in(package: str) -> Iterator[str]:
    """The names in the calls of `crashpoint`, as patterns where a part is put in later."""
    for file in (REPOSITORY / package).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "crashpoint":
                yield from named_by(node.args[0], file)


def named_by(argument: ast.expr, file: Path) -> Iterator[str]:
    """What one argument may be: a text, a text with a hole, or the value of a parameter."""
    match argument:
        case ast.Constant(value=str(name)):
            yield re.escape(name)
        case ast.JoinedStr(values=parts):
            yield "".join(
                re.escape(str(one.value)) if isinstance(one, ast.Constant) else "[a-z]+"
                for one in parts
            )
        case ast.Name(id=parameter):
            calls = re.findall(rf'\b{parameter}="([a-z.]+)"', file.read_text(encoding="utf-8"))
            assert calls, f"{file}: crashpoint({parameter}) is never given a name"
            yield from map(re.escape, calls)
        case other:
            raise AssertionError(f"{file}: cannot tell which point {ast.unparse(other)} is")


def finish(site: Site, document: Path, opened: Done) -> None:
    """Do what a person does: look at the status, and activate again if there is nothing."""
    if opened.code == 0:
        return
    status = site.handfast("status")
    assert status.code == 0, status.errors
    if len(site.device().store.read().keys) == 1:
        again = repeat(site, document)
        assert again.code == 0, again.errors


def repeat(site: Site, document: Path, crash_at: str | None = None) -> Done:
    """Finish what is pending; else open the document, a new one where the file is gone."""
    if site.device().pending():
        return site.handfast("status", crash_at=crash_at)
    if len(site.device().store.read().keys) > 1:
        return site.handfast("status", crash_at=crash_at)
    again = document if document.exists() else site.issue(*SERVICES)
    return site.handfast("open", str(again), crash_at=crash_at)
