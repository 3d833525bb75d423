"""Answers get lost, cut, doubled or forged; the device resends, and never gives up a stored run."""

import argparse

import pytest

from plugin import limits
from plugin.commands import status
from plugin.device import Device
from plugin.errors import ExitCode, UserError
from plugin.exchange.answer import FINAL
from plugin.handler import activate, resume
from plugin.paths import Paths
from protocol import media_type
from protocol.errors import ErrorCode
from protocol.handshake import problem
from tests.plugin.conftest import open_device
from tests.plugin.loopback_service import Fault, Message, Service, fresh_key
from tests.plugin.test_activate import allow, quiet

RESENDS = len(limits.RESEND_PAUSES)


def lose(path: str, times: int) -> Fault:
    """Return a fault that drops the first answers to `path`, after the service has worked."""
    left = [times]

    def fault(asked: str, answer: Message) -> Message | None:
        if asked == path and left[0]:
            left[0] -= 1
            return None
        return answer

    return fault


def always(path: str, changed: Message) -> Fault:
    return lambda asked, answer: changed if asked == path else answer


def run(device: Device, service: Service) -> None:
    activate(service.issue(), device=device, origin=None, consent=allow, progress=quiet)


def words(device: Device) -> set[tuple[str, ...]]:
    return {key.words for key in device.store.read().keys}


@pytest.mark.parametrize("path", ["/init", "/confirm"])
def test_lost_answers_are_asked_for_again_with_the_same_bytes(
    path: str, device: Device, service: Service
) -> None:
    service.faults.append(lose(path, RESENDS))
    run(device, service)
    bodies = [body for asked, body in service.requests if asked == path]
    assert len(bodies) == RESENDS + 1
    assert len(set(bodies)) == 1
    assert words(device) == service.words()


def test_a_forged_signature_is_noise(device: Device, service: Service) -> None:
    left = [1]

    def forge(asked: str, answer: Message) -> Message:
        if asked == "/init" and left[0]:
            left[0] -= 1
            body = answer[2].replace(b'"signature":"', b'"signature":"AAAA')
            return answer[0], answer[1], body[:-6] + b'"}'
        return answer

    service.faults.append(forge)
    run(device, service)
    assert words(device) == service.words()


def test_an_answer_of_another_run_is_noise(device: Device, service: Service) -> None:
    run(device, service)
    old: list[Message] = []

    def record(_asked: str, answer: Message) -> Message:
        old.append(answer)
        return answer

    service.faults.append(record)
    run(device, service)
    service.faults[:] = [lambda asked, _answer: old[0] if asked == "/init" else old[1]]
    with pytest.raises(UserError) as failed:
        run(device, service)
    assert failed.value.exit_code is ExitCode.UNFINISHED
    assert device.pending() == ()


@pytest.mark.parametrize("code", list(ErrorCode))
def test_no_error_answer_changes_what_is_stored(
    code: ErrorCode, device: Device, service: Service
) -> None:
    service.faults.append(always("/confirm", (code.status, media_type.PROBLEM, problem(code))))
    with pytest.raises(UserError) as failed:
        run(device, service)
    assert failed.value.exit_code in (ExitCode.UNFINISHED, ExitCode.REFUSED_BY_SERVICE)
    before = device.store.read()
    assert len(before.pending) == 1
    resume(device, quiet)
    assert device.store.read() == before
    sent = [path for path, _body in service.requests if path == "/confirm"]
    assert len(sent) == (2 if code in FINAL else RESENDS + 2)
    service.faults.clear()
    resume(device, quiet)
    assert words(device) == service.words()


def test_status_says_why_an_exchange_cannot_be_finished_and_how_to_give_it_up(
    device: Device, service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    used = ErrorCode.USED
    service.faults.append(always("/confirm", (used.status, media_type.PROBLEM, problem(used))))
    with pytest.raises(UserError):
        run(device, service)
    assert status.run(argparse.Namespace(json=False), device) == ExitCode.UNFINISHED
    told = capsys.readouterr().out
    assert "Not finished: the service says another device has used this activation" in told
    assert "handfast keys remove" in told


@pytest.mark.parametrize("code", list(ErrorCode))
def test_an_error_to_the_init_stores_nothing(
    code: ErrorCode, device: Device, service: Service
) -> None:
    before = device.store.read()
    service.faults.append(always("/init", (code.status, media_type.PROBLEM, problem(code))))
    with pytest.raises(UserError):
        run(device, service)
    assert device.store.read() == before


def test_a_refused_init_leaves_the_document_usable(device: Device, service: Service) -> None:
    document = service.issue()
    service.faults.append(lose("/init", RESENDS + 1))
    with pytest.raises(UserError, match="is not finished"):
        activate(document, device=device, origin=None, consent=allow, progress=quiet)
    activate(document, device=device, origin=None, consent=allow, progress=quiet)
    assert words(device) == service.words()


def test_a_lost_complete_is_fetched_by_another_process(
    device: Device, service: Service, paths: Paths
) -> None:
    service.faults.append(lose("/confirm", RESENDS + 1))
    with pytest.raises(UserError) as failed:
        run(device, service)
    assert failed.value.exit_code is ExitCode.UNFINISHED
    assert service.words()
    later = open_device(paths)
    assert {key.words for key in resume(later, quiet)} == service.words()
    assert words(later) == service.words()
    assert later.pending() == ()


def test_finishing_twice_makes_no_second_key(
    device: Device, service: Service, paths: Paths
) -> None:
    service.faults.append(lose("/confirm", RESENDS + 1))
    with pytest.raises(UserError):
        run(device, service)
    (record,) = device.pending()
    established = record.pending().receive_complete(
        service.answer("/confirm", record.pending().confirm)[2]
    )
    device.activate_keys(record, established)
    open_device(paths).activate_keys(record, established)
    assert len(device.store.read().keys) == 1


def test_an_exchange_the_person_dropped_does_not_come_back(
    device: Device, service: Service
) -> None:
    service.faults.append(lose("/confirm", RESENDS + 1))
    with pytest.raises(UserError):
        run(device, service)
    (record,) = device.pending()
    pending = record.pending()
    established = pending.receive_complete(service.answer("/confirm", pending.confirm)[2])
    device.forget(record.activation)
    device.activate_keys(record, established)
    assert device.store.read().keys == ()


def test_of_two_handlers_with_one_document_one_goes_on(
    device: Device, service: Service, paths: Paths
) -> None:
    document = service.issue()
    slow = open_device(paths)

    def overtake(asked: str, answer: Message) -> Message:
        if asked == "/init":
            service.faults.clear()
            activate(document, device=device, origin=None, consent=allow, progress=quiet)
        return answer

    service.faults.append(overtake)
    with pytest.raises(UserError, match="has used the document before"):
        activate(document, device=slow, origin=None, consent=allow, progress=quiet)
    assert words(device) == service.words()
    assert len(device.store.read().keys) == 1


def test_a_pending_exchange_ends_after_seven_days(
    device: Device, service: Service, paths: Paths
) -> None:
    service.faults.append(lose("/confirm", RESENDS + 1))
    with pytest.raises(UserError):
        run(device, service)
    now = device.clock()
    almost = Device.open(paths, clock=lambda: now + 7 * 86400 - 10)
    assert len(almost.pending()) == 1
    after = Device.open(paths, clock=lambda: now + 7 * 86400 + 10)
    assert after.pending() == ()
    assert after.store.read().pending == ()


def test_a_new_exchange_key_is_looked_up_once(device: Device, service: Service) -> None:
    service.exchange_key = fresh_key()
    service.version = 2
    run(device, service)
    fetched = [path for path, _body in service.requests if path.endswith("handfast-keys")]
    assert len(fetched) == 1
    assert words(device) == service.words()


def test_a_key_that_nobody_announced_is_not_believed(device: Device, service: Service) -> None:
    service.announced = [service.exchange_key]
    service.exchange_key = fresh_key()
    with pytest.raises(UserError) as failed:
        run(device, service)
    assert failed.value.exit_code is ExitCode.UNFINISHED
    fetched = [path for path, _body in service.requests if path.endswith("handfast-keys")]
    assert len(fetched) == 1
    assert device.pending() == ()


@pytest.mark.parametrize(("age", "version"), [(86400 + 60, 2), (86400 - 60, 1)])
def test_a_key_set_older_than_a_day_is_refreshed_after_a_success(
    age: int, version: int, device: Device, service: Service
) -> None:
    now = device.clock() + age
    later = Device.open(device.paths, clock=lambda: now)
    service.version = 2
    activate(service.issue(age=-age), device=later, origin=None, consent=allow, progress=quiet)
    assert later.trust.get(service.issuer).key_set_version == version
