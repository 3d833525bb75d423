"""Every message lost, cut, doubled and slowed down on its way, through a real TCP proxy."""

import pytest

from plugin.errors import ExitCode
from plugin.limits import RESEND_PAUSES
from tests.faults.site import Done, Site, wait_for
from tests.faults.witness import Witness
from tests.peers.fault_proxy import Fault

SERVICES = ("mail", "contacts")
PATHS = ("/init", "/confirm")
QUICK = (Fault.LOST_ANSWER, Fault.DOUBLED)
ALWAYS = len(RESEND_PAUSES) + 1


def faults() -> list[object]:
    """All but the stalled one, which takes a whole deadline and has a test of its own."""
    return [
        pytest.param(fault, id=fault, marks=() if fault in QUICK else pytest.mark.faults)
        for fault in Fault
        if fault is not Fault.STALLED
    ]


def told(done: Done) -> None:
    """Check that the person is told what happened and what to do, in the form of all errors."""
    lines = [line for line in done.errors.splitlines() if not line.startswith("…")]
    assert lines[0].startswith("handfast: error: "), done.errors
    assert lines[1].startswith("handfast: hint: "), done.errors
    assert "Traceback" not in done.errors


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("fault", faults())
def test_one_fault_is_survived_by_the_same_command(
    fault: Fault, path: str, live_site: Site, live_witness: Witness
) -> None:
    site, witness = live_site, live_witness
    document = site.issue(*SERVICES)
    witness.look()
    site.proxy.spoil(path, fault)
    done = site.handfast("open", str(document))
    assert done.code == 0, done.errors
    assert site.proxy.count(path, fault) == 0
    witness.check_repeated()
    witness.check_end(*SERVICES)
    # The same bytes were sent again, and the same bytes are the same attempt.
    assert witness.look().activations[document.stem].attempts == 1


@pytest.mark.parametrize("fault", faults())
def test_one_fault_is_survived_by_the_same_report(
    fault: Fault, site: Site, witness: Witness
) -> None:
    site.proxy.spoil("/packet", fault)
    with site.exchange():
        done = site.handfast("refresh")
        assert done.code == 0, done.errors
        assert site.proxy.count("/packet", fault) == 0
        witness.check_end()


@pytest.mark.faults
@pytest.mark.parametrize("fault", [Fault.REFUSED, Fault.LOST_ANSWER])
def test_a_confirm_that_is_never_answered_goes_on_later(
    fault: Fault, live_site: Site, live_witness: Witness
) -> None:
    site, witness = live_site, live_witness
    document = site.issue(*SERVICES)
    witness.look()
    site.proxy.spoil("/confirm", *[fault] * ALWAYS)
    done = site.handfast("open", str(document))
    assert done.code == ExitCode.UNFINISHED
    told(done)
    assert "handfast status" in done.errors
    witness.look()
    status = site.handfast("status")
    assert status.code == 0, status.errors
    witness.check_repeated()
    witness.check_end(*SERVICES)


@pytest.mark.faults
def test_an_init_that_is_never_answered_costs_one_document(
    live_site: Site, live_witness: Witness
) -> None:
    site, witness = live_site, live_witness
    document = site.issue(*SERVICES)
    site.proxy.spoil("/init", *[Fault.HALF_ANSWER] * ALWAYS)
    done = site.handfast("open", str(document))
    assert done.code == ExitCode.UNFINISHED
    told(done)
    assert "again" in done.errors
    assert witness.look().activations[document.stem].attempts <= 1
    assert site.device().pending() == ()
    again = site.handfast("open", str(site.issue(*SERVICES)))
    assert again.code == 0, again.errors
    witness.check_end(*SERVICES)


@pytest.mark.faults
def test_a_service_that_never_answers_is_given_up_in_time(
    live_site: Site, live_witness: Witness
) -> None:
    site, witness, other = live_site, live_witness, live_site.new_device("waiting-device")
    documents = site.issue("contacts"), site.issue("calendar")
    witness.look()
    # Both devices wait at the same time, since each waits for its whole deadline.
    site.proxy.spoil("/init", Fault.STALLED)
    with site.handfast_running("open", str(documents[0])) as first:
        wait_for(lambda: not site.proxy.count("/init", Fault.STALLED))
        site.proxy.spoil("/confirm", Fault.STALLED)
        with site.handfast_running("open", str(documents[1]), home=other) as second:
            ends = [Done.end_of(first), Done.end_of(second)]
    assert [end.code for end in ends] == [0, 0]
    witness.check_repeated()
    witness.check_end("contacts")
    witness.check_end("calendar", home=other)


@pytest.mark.faults
def test_a_service_that_is_away_is_said_and_survived(
    live_site: Site, live_witness: Witness
) -> None:
    site, witness = live_site, live_witness
    document = site.issue(*SERVICES)
    backend, site.proxy.backend = site.proxy.backend, None
    done = site.handfast("open", "--keep", str(document))
    assert done.code == ExitCode.UNFINISHED
    told(done)
    site.proxy.backend = backend
    assert site.handfast("open", str(document)).code == 0
    witness.check_end(*SERVICES)
