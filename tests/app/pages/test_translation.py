"""Everything that a page says can be translated, and pages can be written from right to left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.pages.pseudo_locale import LANGUAGE, translate, unmarked
from tests.app.pages.seeded import UNPROVEN, Seeded, bare_portal, live_in

PAGES = (
    "/",
    "/devices",
    "/devices/{laptop}",
    "/devices/{tablet}",
    "/devices/{phone}",
    "/devices/{laptop}/revoke",
    "/devices/{tablet}/restore",
    "/keys/{key}",
    "/keys/{ended_key}",
    "/keys/{key}/revoke",
    "/activations",
    "/activations/{waiting}",
    "/activations/{issued}",
    "/activations/{used}",
    "/activations/{doubtful}",
    "/activations/{waiting}/revoke",
    "/activations/{used}/revoke",
    "/sessions",
    "/sessions/end-others",
    "/history",
    "/mail-accounts/account-ann",
    "/mail-accounts/{unproven}",
    "/mail-accounts/{unproven}/remove",
    "/mail-accounts/{unproven}/prove",
    "/accounts/add",
    "/client",
    "/devices/nothing",
)
# What is data and stays as it is.
DATA = {
    "Handfast",
    "ann@example.org",
    UNPROVEN,
    "Ann's laptop",
    "Old tablet",
    "Ann's new phone",
    "Linux",
    "handfast 0.1",
    "192.0.2.7",
    "mail.example.org:993",
    "mail.a-long-name-for-a-small-company.example.com:993",
}


@pytest.fixture(scope="module")
def translated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seeded]:
    folder: Path = tmp_path_factory.mktemp("portal")
    (folder / "client").mkdir()
    (folder / "client/handfast-1.2.3-py3-none-any.whl").touch()
    with bare_portal(folder) as seeded:
        live_in(seeded)
        translate(seeded.app, tmp_path_factory.mktemp("translations"))
        yield seeded


@pytest.mark.parametrize("path", PAGES)
def test_every_text_of_a_page_can_be_translated(translated: Seeded, path: str) -> None:
    ann = translated.browser(translated.ann)
    path = path.format_map(vars(translated))
    answer = ann.get(path, headers={"Accept-Language": LANGUAGE})
    html = answer.get_data(as_text=True)
    assert f'lang="{LANGUAGE}" dir="rtl"' in html
    assert set(unmarked(html)) - DATA == set()


def test_a_language_that_is_not_there_falls_back_to_english(translated: Seeded) -> None:
    answer = translated.browser(translated.ann).get("/", headers={"Accept-Language": "tlh"})
    assert 'lang="en" dir="ltr"' in answer.get_data(as_text=True)
