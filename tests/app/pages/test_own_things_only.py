"""Somebody else's thing is like a missing one, on every page and for every act."""

from __future__ import annotations

import pytest

from tests.app.pages.seeded import Seeded

THINGS = (
    "/devices/{laptop}",
    "/devices/{laptop}/revoke",
    "/devices/{tablet}/restore",
    "/keys/{key}",
    "/keys/{key}/revoke",
    "/activations/{waiting}",
    "/activations/{waiting}/status",
    "/activations/{used}/revoke",
    "/mail-accounts/{unproven}",
    "/mail-accounts/{unproven}/remove",
    "/sessions/{session}/end",
)
ACTS = (
    *(path for path in THINGS if path.endswith(("remove", "restore", "revoke", "end"))),
    "/devices/{phone}/confirm",
    "/keys/{key}/rotate",
)


def of_ann(seeded: Seeded, path: str) -> str:
    _, session = seeded.start_session(seeded.ann)
    return path.format_map(vars(seeded) | {"session": session})


@pytest.mark.parametrize("path", THINGS)
def test_another_person_does_not_find_it(seeded: Seeded, path: str) -> None:
    path = of_ann(seeded, path)
    assert seeded.browser(seeded.ann).get(path).status_code == 200
    assert seeded.browser(seeded.service.bob).get(path).status_code == 404


@pytest.mark.parametrize("path", ACTS)
def test_another_person_cannot_act_on_it(seeded: Seeded, path: str) -> None:
    path = of_ann(seeded, path)
    bob = seeded.browser(seeded.service.bob)
    bob.get("/")
    assert bob.post(path).status_code == 404
    # It is still there, also where nothing is asked before the act.
    assert seeded.browser(seeded.ann).get(path).status_code in (200, 405)


@pytest.mark.parametrize("path", ACTS)
def test_an_act_needs_the_token_of_the_page(seeded: Seeded, path: str) -> None:
    ann = seeded.browser(seeded.ann)
    assert ann.post(of_ann(seeded, path), {"csrf_token": "x"}).status_code == 403


@pytest.mark.parametrize("path", ["/", "/devices", "/activations", "/sessions", "/history"])
def test_nobody_is_led_to_sign_in(seeded: Seeded, path: str) -> None:
    client = seeded.app.test_client()
    answer = client.get(path, base_url=seeded.service.config.issuer)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/sign-in")


def test_a_ticket_that_names_nothing_says_nothing(seeded: Seeded) -> None:
    bob = seeded.browser(seeded.service.bob)
    ticket = "W" * 21 + "A"
    assert bob.get(f"/activations/by-ticket/{ticket}/status").get_json()["stage"] == "none"
    ann = seeded.browser(seeded.ann)
    assert ann.get(f"/activations/by-ticket/{ticket}/status").get_json()["stage"] == "waiting"
