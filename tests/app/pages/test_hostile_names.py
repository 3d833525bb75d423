"""What a device calls itself is text on every page, whatever it is."""

from __future__ import annotations

import pytest

from tests.app.pages.seeded import Seeded

NAMES = (
    "<img src=x onerror=alert(1)>",
    '"><script>alert(1)</script>',
    "'{{ 7 * 7 }}%(service)s{laptop}",
    "</title><svg onload=alert(1)>",
)


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_device_name_is_text(bare: Seeded, name: str) -> None:
    service = bare.service
    issued = service.issue(bare.ann, "mail")
    service.activate(service.handset(name), issued.document)
    ann = bare.browser(bare.ann)
    device = ann.get("/devices").get_data(as_text=True).split('<h2><a href="')[1].split('"')[0]
    pages = (
        "/devices",
        device,
        f"{device}/revoke",
        "/activations",
        f"/activations/{issued.activation_id}",
        f"/activations/{issued.activation_id}/revoke",
        "/history",
    )
    for page in pages:
        html = ann.get(page).get_data(as_text=True)
        assert name in ann.text()
        assert name not in html
