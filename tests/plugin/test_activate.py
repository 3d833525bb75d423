"""activate(): from a document to the same keys on both sides."""

import pytest

from plugin.device import Device
from plugin.errors import ExitCode, UserError
from plugin.handler import ConsentRequest, activate
from tests.plugin.loopback_service import Service


def allow(_request: ConsentRequest) -> bool:
    return True


def quiet(_stage: str) -> None:
    return


def test_both_sides_end_with_the_same_keys(device: Device, service: Service) -> None:
    activated = activate(
        service.issue("mail", "contacts"),
        device=device,
        origin=service.issuer,
        consent=allow,
        progress=quiet,
    )
    assert {key.words for key in activated.keys} == service.words()
    assert [key.service for key in device.store.read().keys] == ["mail", "contacts"]


def test_progress_names_every_stage_in_order(device: Device, service: Service) -> None:
    stages: list[str] = []
    activate(service.issue(), device=device, origin=None, consent=allow, progress=stages.append)
    assert stages == ["verified", "taken", "agreed", "active"]


def test_the_person_is_told_who_asks_for_what(device: Device, service: Service) -> None:
    asked: list[ConsentRequest] = []

    def consent(request: ConsentRequest) -> bool:
        asked.append(request)
        return False

    document = service.issue("mail", "calendar")
    with pytest.raises(UserError):
        activate(document, device=device, origin=None, consent=consent, progress=quiet)
    assert asked[0].issuer == service.issuer
    assert asked[0].fingerprint == service.bundle.fingerprint
    assert asked[0].accounts == (("ann@example.org", ("mail", "calendar")),)


def test_nothing_is_sent_before_consent(device: Device, service: Service) -> None:
    seen: list[int] = []

    def consent(_request: ConsentRequest) -> bool:
        seen.append(len(service.requests))
        return False

    with pytest.raises(UserError) as refused:
        activate(service.issue(), device=device, origin=None, consent=consent, progress=quiet)
    assert refused.value.exit_code is ExitCode.REFUSED_BY_PERSON
    assert seen == [0]
    assert service.requests == []


def test_a_document_is_used_once(device: Device, service: Service) -> None:
    document = service.issue()
    activate(document, device=device, origin=None, consent=allow, progress=quiet)
    with pytest.raises(UserError, match="has used the document before"):
        activate(document, device=device, origin=None, consent=allow, progress=quiet)
