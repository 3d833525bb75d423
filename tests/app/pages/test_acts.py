"""What a person can end, and what the pages say afterwards."""

from __future__ import annotations

from tests.app.pages.seeded import SAFARI, UNPROVEN, Seeded


def test_a_revoked_key_is_gone_and_told(lived_in: Seeded) -> None:
    ann = lived_in.browser(lived_in.ann)
    ann.get(f"/keys/{lived_in.key}/revoke")
    assert "Revoke the key for Mail on Ann's laptop?" in ann.text()
    ann.post(f"/keys/{lived_in.key}/revoke")
    ann.get(f"/keys/{lived_in.key}")
    assert "This key was revoked" in ann.text()
    ann.get("/history")
    assert "The key for Mail of ann@example.org on Ann's laptop was revoked." in ann.text()


def test_a_revoked_device_loses_its_keys_and_can_come_back(lived_in: Seeded) -> None:
    ann = lived_in.browser(lived_in.ann)
    ann.get(f"/devices/{lived_in.laptop}/revoke")
    ann.post(f"/devices/{lived_in.laptop}/revoke")
    ann.get(f"/devices/{lived_in.laptop}")
    assert "This device was revoked" in ann.text()
    assert "This device has no active key." in ann.text()
    ann.get(f"/devices/{lived_in.laptop}/restore")
    ann.post(f"/devices/{lived_in.laptop}/restore")
    ann.get(f"/devices/{lived_in.laptop}")
    assert "This device was revoked" not in ann.text()
    assert "This device has no active key." in ann.text()


def test_an_open_activation_is_ended(lived_in: Seeded) -> None:
    ann = lived_in.browser(lived_in.ann)
    ann.get(f"/activations/{lived_in.issued}/revoke")
    ann.post(f"/activations/{lived_in.issued}/revoke")
    ann.get(f"/activations/{lived_in.issued}")
    assert "This activation has ended" in ann.text()


def test_a_removed_account_takes_its_activations_along(lived_in: Seeded) -> None:
    ann = lived_in.browser(lived_in.ann)
    path = f"/mail-accounts/{lived_in.unproven}"
    ann.get(f"{path}/remove")
    assert f"Remove {UNPROVEN}?" in ann.text()
    ann.post(f"{path}/remove")
    ann.get("/")
    assert f"{UNPROVEN} was removed." in ann.text()
    assert ann.get(path).status_code == 404


def test_the_last_account_stays(lived_in: Seeded) -> None:
    ann = lived_in.browser(lived_in.ann)
    path = f"/mail-accounts/{lived_in.ann.account_id}"
    ann.get(f"{path}/remove")
    ann.post(f"{path}/remove")
    assert ann.get(path).status_code == 200
    ann.get(f"{path}/remove")
    assert "It is the only address that you can sign in with" in ann.text()


def test_an_ended_session_is_over_at_once(lived_in: Seeded) -> None:
    ann, other = lived_in.browser(lived_in.ann), lived_in.browser(lived_in.ann)
    assert other.get("/").status_code == 200
    ann.get("/sessions")
    assert "this browser" in ann.text()
    ann.get("/sessions/end-others")
    ann.post("/sessions/end-others")
    assert other.get("/").status_code == 303
    ann.get("/sessions")
    assert "sessions were ended." in ann.text()


def test_one_session_is_ended(lived_in: Seeded) -> None:
    ann = lived_in.browser(lived_in.ann)
    _, session = lived_in.start_session(lived_in.ann, SAFARI)
    ann.get(f"/sessions/{session}/end")
    assert "End the session in Safari on iOS?" in ann.text()
    ann.post(f"/sessions/{session}/end")
    assert ann.get(f"/sessions/{session}/end").status_code == 404


def test_pages_without_anything_say_what_to_do_first(bare: Seeded) -> None:
    ann = bare.browser(bare.ann)
    ann.get("/devices")
    assert "No device yet" in ann.text()
    ann.get("/activations")
    assert "No activation yet" in ann.text()


def test_services_tell_where_they_are_active(lived_in: Seeded) -> None:
    ann = lived_in.browser(lived_in.ann)
    ann.get("/")
    assert "active on 1 device" in ann.text()
    assert "not proven" in ann.text()
