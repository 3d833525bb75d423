"""Commands of the device over bad networks: they go on, or say how; nothing is lost or doubled."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest

from demo import processes
from plugin.errors import ExitCode
from tests.faults import whole_site
from tests.faults.site import Done, free_port
from tests.faults.whole_site import Laptop, WholeSite, activations, keys_at_service
from tests.peers.fault_proxy import PASSING, Fault, FaultProxy, fault_proxy

SERVICES = ["calendar", "contacts", "mail"]
# Longer than any command takes that waits, tries again and gives up.
BOUND_SECONDS = 75


@dataclass(frozen=True)
class Act:
    """One command, whether it wants the mail password, and its messages on the two lines."""

    name: str
    arguments: tuple[str, ...]
    portal: tuple[str, ...] = ()
    exchange: tuple[str, ...] = ()
    password: bool = False

    def run(self, laptop: Laptop) -> Done:
        """Run it, and see that it ends in time."""
        arguments = [mail_key(laptop) if part == "MAIL-KEY" else part for part in self.arguments]
        began = time.monotonic()
        done = laptop.handfast(*arguments, password=self.password)
        assert time.monotonic() - began < BOUND_SECONDS
        return done


def mail_key(laptop: Laptop) -> str:
    """The id of the key for mail."""
    return next(key["key_id"] for key in laptop.held() if key["service"] == "mail")


ACTIVATE = Act(
    "activate", ("activate",), ("/api/v1/activations",), ("/init", "/confirm", "/packet"), True
)
ROTATE = Act("rotate", ("keys", "rotate", "--all"), (), ("/packet", "/init", "/confirm"))
REVOKE = Act("revoke", ("keys", "revoke", "MAIL-KEY", "--yes"), (), ("/packet",))
REFRESH = Act("refresh", ("refresh",), (), ("/packet",))
HARMLESS = (
    REFRESH,
    Act("services", ("services",), (), ("/packet",)),
    Act("devices", ("devices",), ("/api/v1/devices?limit=100",)),
    Act("trust-update", ("trust", "update"), ("/.well-known/handfast-keys",)),
)
ALL = (ACTIVATE, ROTATE, *HARMLESS)


@pytest.fixture(scope="module")
def running_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeSite]:
    with whole_site.running(tmp_path_factory.mktemp("whole")) as site:
        yield site


@pytest.fixture
def site(running_site: WholeSite) -> Iterator[WholeSite]:
    running_site.heal()
    yield running_site
    running_site.heal()


@pytest.fixture
def laptop(site: WholeSite) -> Laptop:
    """A device of Ann's with keys for all of her services."""
    laptop = site.new_device()
    laptop.activate()
    return laptop


def lines(act: Act, site: WholeSite) -> list[tuple[FaultProxy, str]]:
    """The messages of a command, with the line on which each goes."""
    return [(site.portal, path) for path in act.portal] + [
        (site.exchange, path) for path in act.exchange
    ]


def settled(laptop: Laptop, services: list[str] = SERVICES) -> None:
    """Both sides have the same keys, one for each service, and nothing is half done."""
    laptop.site.heal()
    done = REFRESH.run(laptop)
    assert done.code == 0, done.errors
    keys = laptop.held()
    assert sorted(key["service"] for key in keys) == services
    at_service = keys_at_service(laptop.site, keys[0]["key_id"])
    active = {name for name, state in at_service.items() if state == "active"}
    assert active == {key["key_id"] for key in keys}
    assert not laptop.device().pending()


def messages() -> list[object]:
    """Every message of every command."""
    return [
        pytest.param(act, place, id=f"{act.name}-{path.rsplit('/')[-1]}")
        for act in ALL
        for place, path in enumerate((*act.portal, *act.exchange))
    ]


@pytest.mark.faults
@pytest.mark.parametrize(("act", "place"), messages())
def test_a_command_survives_each_fault_of_each_message(
    act: Act, place: int, site: WholeSite
) -> None:
    laptop = site.new_device()
    if act is not ACTIVATE:
        laptop.activate()
    for number, fault in enumerate(PASSING):
        if act in (ACTIVATE, ROTATE) and number:
            # Each of them needs a device that has done neither lately.
            laptop = site.new_device()
            if act is ROTATE:
                laptop.activate()
        site.heal()
        line, path = lines(act, site)[place]
        line.spoil(path, fault)
        done = act.run(laptop)
        assert done.code == 0, (fault, done.errors)
        assert line.count(path, fault) == 0, fault
        settled(laptop)
        if act is ACTIVATE:
            redeemed = activations(site, laptop.held()[0]["key_id"])
            assert redeemed == [("document", "redeemed")], fault


def test_lost_answers_make_nothing_twice(site: WholeSite) -> None:
    laptop = site.new_device()
    for line, path in lines(ACTIVATE, site):
        line.spoil(path, Fault.LOST_ANSWER)
    done = ACTIVATE.run(laptop)
    assert done.code == 0, done.errors
    settled(laptop)
    before = laptop.held()
    for line, path in lines(ROTATE, site):
        line.spoil(path, Fault.LOST_ANSWER)
    done = ROTATE.run(laptop)
    assert done.code == 0, done.errors
    settled(laptop)
    after = laptop.held()
    assert not {key["key_id"] for key in before} & {key["key_id"] for key in after}
    made = activations(site, after[0]["key_id"])
    assert sorted(made) == [("document", "redeemed")] + [("rotation", "redeemed")] * 3


@pytest.mark.faults
@pytest.mark.parametrize("act", ALL, ids=lambda act: act.name)
def test_a_network_that_is_away_is_said_and_the_same_command_goes_on_later(
    act: Act, site: WholeSite
) -> None:
    laptop = site.new_device()
    if act is not ACTIVATE:
        laptop.activate()
    for line, path in lines(act, site):
        site.heal()
        line.spoil(path, *[Fault.REFUSED] * 30)
        done = act.run(laptop)
        if act is ACTIVATE and path == "/packet":
            # The keys are there and work; what is left is reported by the next refresh.
            assert done.code == 0, done.errors
            continue
        said(done)
        if act is ACTIVATE and path == "/confirm":
            assert len(laptop.device().pending()) == 1
    site.heal()
    done = act.run(laptop)
    assert done.code == 0, done.errors
    settled(laptop)


def said(done: Done) -> None:
    """What happened and what to do stands there, with the answer or as an error."""
    assert done.code == ExitCode.UNFINISHED, done.errors
    shown = done.output + done.errors
    assert "hint: " in shown, shown
    assert "Traceback" not in shown, shown


@pytest.mark.faults
def test_a_key_is_revoked_over_a_bad_line_once_and_for_all(site: WholeSite) -> None:
    for fault in PASSING:
        laptop = site.new_device()
        laptop.activate()
        mail = mail_key(laptop)
        site.exchange.spoil("/packet", fault)
        done = REVOKE.run(laptop)
        assert done.code == 0, (fault, done.errors)
        settled(laptop, ["calendar", "contacts"])
        assert keys_at_service(site, laptop.held()[0]["key_id"])[mail] == "revoked"


@pytest.mark.faults
def test_a_key_stays_while_its_end_is_not_known_at_the_service(
    laptop: Laptop, site: WholeSite
) -> None:
    site.exchange.spoil("/packet", *[Fault.REFUSED] * 30)
    done = REVOKE.run(laptop)
    said(done)
    settled(laptop)
    assert REVOKE.run(laptop).code == 0
    settled(laptop, ["calendar", "contacts"])


@pytest.mark.faults
@pytest.mark.parametrize("path", ["/.well-known/handfast-trust", "/.well-known/handfast-keys"])
def test_trust_is_added_over_a_bad_line(path: str, site: WholeSite) -> None:
    authority = str(site.house.certificates.authority)
    add = ("trust", "add", site.house.issuer, "--yes", "--ca-file", authority)
    for fault in PASSING:
        laptop = site.new_device()
        laptop.handfast("trust", "remove", site.house.issuer, "--yes")
        site.portal.spoil(path, fault)
        done = laptop.handfast(*add)
        assert done.code == 0, (fault, done.errors)
        site.heal()
        assert site.house.issuer in laptop.handfast("trust", "list").output


@pytest.mark.faults
def test_trust_is_not_added_by_halves(site: WholeSite) -> None:
    authority = str(site.house.certificates.authority)
    add = ("trust", "add", site.house.issuer, "--yes", "--ca-file", authority)
    laptop = site.new_device()
    laptop.handfast("trust", "remove", site.house.issuer, "--yes")
    site.portal.spoil("/.well-known/handfast-keys", *[Fault.HALF_ANSWER] * 2)
    said(laptop.handfast(*add))
    assert laptop.handfast("trust", "list", "--json").output.strip() == "[]"
    assert laptop.handfast(*add).code == 0


@pytest.mark.faults
def test_addresses_change_with_every_message(site: WholeSite) -> None:
    laptop = site.new_device()
    port = free_port()
    with processes.granian(site.house, "exchange", port, ()):
        assert site.exchange.backend is not None
        for act in ALL:
            # Another server answers each message, to another address of the device.
            site.exchange.wander(site.exchange.backend, port)
            site.exchange.roam()
            site.portal.roam()
            done = act.run(laptop)
            assert done.code == 0, (act.name, done.errors)
    settled(laptop)


@pytest.mark.faults
def test_an_exchange_that_moved_is_found_by_its_name_in_the_key_set(
    laptop: Laptop, site: WholeSite
) -> None:
    with moved(site):
        done = REFRESH.run(laptop)
        said(done)
        assert laptop.handfast("trust", "update").code == 0
        for act in (REFRESH, ROTATE):
            done = act.run(laptop)
            assert done.code == 0, done.errors
    laptop.handfast("trust", "update")
    settled(laptop)


@contextmanager
def moved(site: WholeSite) -> Iterator[None]:
    """Let the exchange be elsewhere, and the key set say so, until the block ends."""
    old, site.exchange.backend = site.exchange.backend, None
    try:
        with fault_proxy() as elsewhere:
            house = replace(site.house, exchange_port=elsewhere.port)
            elsewhere.backend = free_port()
            processes.flask(house, "keys", "publish")
            with processes.granian(house, "exchange", elsewhere.backend, ()):
                yield
    finally:
        site.exchange.backend = old
        processes.flask(site.house, "keys", "publish")


@pytest.mark.faults
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_device_comes_through_a_storm(seed: int, site: WholeSite) -> None:
    laptop = site.new_device()
    for act in (ACTIVATE, REFRESH, ROTATE, *HARMLESS, ROTATE):
        for attempt in range(6):
            site.portal.storm(seed * 100 + attempt, 0.4)
            site.exchange.storm(seed * 200 + attempt, 0.4)
            done = act.run(laptop)
            if done.code == 0:
                break
            said(done)
        else:
            pytest.fail(f"{act.name} never came through")
    settled(laptop)
