"""What a key's page tells of its life, and how its owner has it replaced."""

from __future__ import annotations

from sqlalchemy import update

from app.clock import DAY, HOUR
from app.models import ServiceKey
from tests.app.pages.seeded import Seeded


def set_key(seeded: Seeded, **values: int | str | None) -> None:
    """Let something have happened to the key of Ann's laptop."""
    with seeded.service.database.write() as session:
        session.execute(update(ServiceKey).where(ServiceKey.id == seeded.key).values(**values))


def text(seeded: Seeded) -> str:
    ann = seeded.browser(seeded.ann)
    ann.get(f"/keys/{seeded.key}")
    return " ".join(ann.text().split())


def test_a_key_that_was_never_used_says_so(seeded: Seeded) -> None:
    assert "not yet: the device has not come back since it was made" in text(seeded)


def test_a_key_in_use_tells_since_when_and_of_the_last_contact(lived_in: Seeded) -> None:
    set_key(lived_in, proven_at=lived_in.service.clock.now() - 3 * HOUR)
    assert "3 hours ago</time></dd> <dt>Last contact" in text(lived_in)


def test_a_key_tells_when_it_will_be_replaced(lived_in: Seeded) -> None:
    set_key(lived_in, rotate_at=lived_in.service.clock.now() + 21 * DAY)
    assert ", by itself</dd>" in text(lived_in)
    assert "in 3 weeks" in text(lived_in)


def test_a_replacement_asked_for_waits_for_the_device(lived_in: Seeded) -> None:
    ann = lived_in.browser(lived_in.ann)
    ann.get(f"/keys/{lived_in.key}")
    answer = ann.post(f"/keys/{lived_in.key}/rotate")
    assert answer.status_code == 303
    assert "The device makes it at its next contact; until then this one works." in text(lived_in)
    assert "Replace this key" not in text(lived_in)
    ann.get(f"/devices/{lived_in.laptop}")
    assert "the device replaces it at its next contact" in ann.text()
    ann.get("/history")
    asked = "A new key for Mail of ann@example.org on Ann's laptop was asked for."
    assert ann.text().count(asked) == 1


def test_an_ended_key_cannot_be_replaced(lived_in: Seeded) -> None:
    ann = lived_in.browser(lived_in.ann)
    ann.get(f"/keys/{lived_in.ended_key}")
    assert "Replace this key" not in ann.text()
    ann.get("/")
    ann.post(f"/keys/{lived_in.ended_key}/rotate")
    ann.get(f"/keys/{lived_in.ended_key}")
    assert "This key has ended, so it cannot be replaced." in ann.text()


def test_why_a_key_ended_is_told(lived_in: Seeded) -> None:
    for state, reason, told in (
        ("retired", "replaced", "This key was replaced by a newer one"),
        ("revoked", "by-device", "The device gave this key up"),
        ("revoked", "unconfirmed", "because nobody said in time that the device is yours"),
        ("revoked", "by-owner", "This key was revoked"),
    ):
        ended_at = lived_in.service.clock.now()
        set_key(lived_in, state=state, ended_reason=reason, ended_at=ended_at, key_sealed=None)
        assert told in text(lived_in)
