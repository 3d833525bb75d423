"""A device that used an unbound document waits for its owner's word; the pages ask for it."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from app.activation.services import sweep
from app.clock import HOUR, MINUTE
from app.models import Device
from tests.app.pages.seeded import Seeded

QUESTION = "Is Ann's new phone your device?"
PAGES = ("/", "/devices", "/devices/{phone}", "/activations/{doubtful}")


@pytest.mark.parametrize("path", PAGES)
def test_the_device_is_named_and_its_owner_is_asked(seeded: Seeded, path: str) -> None:
    ann = seeded.browser(seeded.ann)
    ann.get(path.format_map(vars(seeded)))
    assert QUESTION in ann.text()
    assert "used your activation document" in ann.text()
    assert "192.0.2.7" in ann.text()
    assert "Anybody can give a device any name" in ann.text()
    assert "Without an answer its keys end" in ann.text()
    assert "Yes, this is my device" in ann.text()
    assert "Not you? Revoke" in ann.text()


def test_at_home_it_comes_first(seeded: Seeded) -> None:
    ann = seeded.browser(seeded.ann)
    ann.get("/")
    assert ann.text().index(QUESTION) < ann.text().index("Activate this device")


def test_a_device_whose_document_was_bound_to_it_is_not_asked_about(seeded: Seeded) -> None:
    ann = seeded.browser(seeded.ann)
    ann.get(f"/devices/{seeded.laptop}")
    assert "your device?" not in ann.text()
    assert "not confirmed" not in ann.text()


def test_yes_is_said_once_and_for_all(lived_in: Seeded) -> None:
    ann = lived_in.browser(lived_in.ann)
    ann.get("/")
    answer = ann.post(f"/devices/{lived_in.phone}/confirm")
    assert answer.status_code == 303
    ann.get(answer.headers["Location"])
    assert "Ann's new phone is confirmed as yours." in ann.text()
    for path in PAGES:
        ann.get(path.format_map(vars(lived_in)))
        assert QUESTION not in ann.text()
    ann.get("/history")
    assert ann.text().count("Ann's new phone was confirmed as yours.") == 1


def test_yes_said_twice_is_said_once(lived_in: Seeded) -> None:
    ann = lived_in.browser(lived_in.ann)
    ann.get("/")
    for _ in range(2):
        ann.post(f"/devices/{lived_in.phone}/confirm")
    ann.get("/history")
    assert ann.text().count("was confirmed as yours") == 1


@pytest.mark.parametrize("swept", [True, False])
def test_after_the_deadline_nobody_is_asked_and_yes_is_too_late(
    lived_in: Seeded, swept: bool
) -> None:
    ann = lived_in.browser(lived_in.ann)
    ann.get("/")
    lived_in.service.clock.advance(24 * HOUR - 25 * MINUTE)
    if swept:
        assert sweep(lived_in.service.database, lived_in.service.clock).devices
    ann = lived_in.browser(lived_in.ann)
    ann.get("/")
    assert QUESTION not in ann.text()
    ann.post(f"/devices/{lived_in.phone}/confirm")
    ann.get(f"/devices/{lived_in.phone}")
    assert "That came too late" in ann.text()
    assert "is confirmed as yours" not in ann.text()


def test_not_you_leads_to_revoking_the_device(lived_in: Seeded) -> None:
    ann = lived_in.browser(lived_in.ann)
    ann.get("/")
    assert f'href="/devices/{lived_in.phone}/revoke"' in ann.text()
    ann.get(f"/devices/{lived_in.phone}/revoke")
    ann.post(f"/devices/{lived_in.phone}/revoke")
    ann.get("/")
    assert QUESTION not in ann.text()


def test_the_status_tells_a_script_until_when(seeded: Seeded) -> None:
    ann = seeded.browser(seeded.ann)
    told = ann.get(f"/activations/{seeded.doubtful}/status").get_json()
    assert told["confirm_by"] == told["at"] + 24 * 3600
    told = ann.get(f"/activations/{seeded.used}/status").get_json()
    assert told["confirm_by"] is None


def test_a_device_that_waits_for_a_word_is_nowhere_called_active(lived_in: Seeded) -> None:
    ann = lived_in.browser(lived_in.ann)
    ann.get("/")
    before = ann.text().count("on a device that is not confirmed yet")
    revoked = f"/devices/{lived_in.laptop}/revoke"
    ann.get(revoked)
    ann.post(revoked)
    ann.get("/")
    assert "active on" not in ann.text()
    assert ann.text().count("on a device that is not confirmed yet") == before == 1
    ann.get(f"/devices/{lived_in.phone}")
    assert ">active<" not in ann.text()
    assert ">not confirmed yet<" in ann.text()
    ann.get("/activations")
    assert ">not confirmed yet<" in ann.text()


def test_whoever_revokes_a_stranger_is_told_of_the_password(seeded: Seeded) -> None:
    ann = seeded.browser(seeded.ann)
    ann.get(f"/devices/{seeded.phone}/revoke")
    assert "change the password of your mail account" in ann.text()
    ann.get(f"/devices/{seeded.laptop}/revoke")
    assert "change the password" not in ann.text()


def test_two_devices_of_one_name_are_told_apart(lived_in: Seeded) -> None:
    ann = lived_in.browser(lived_in.ann)
    ann.get("/devices")
    assert "first seen" not in ann.text()
    with lived_in.service.database.write() as session:
        session.execute(
            update(Device).values(name="Ann's laptop").where(Device.name != "Old tablet")
        )
    ann.get("/devices")
    assert ann.text().count("first seen") == 2


@pytest.mark.parametrize("swept", [True, False])
def test_when_nobody_answered_in_time_the_pages_say_so(lived_in: Seeded, swept: bool) -> None:
    lived_in.service.clock.advance(24 * HOUR - 25 * MINUTE)
    if swept:
        assert sweep(lived_in.service.database, lived_in.service.clock).devices
    ann = lived_in.browser(lived_in.ann)
    for path in PAGES[2:]:
        ann.get(path.format_map(vars(lived_in)))
        assert "Nobody said in time that this device is yours" in ann.text()
        assert ">active<" not in ann.text()
    ann.get("/history")
    told = "because nobody said in time that Ann's new phone is yours."
    assert (told in ann.text()) is swept
