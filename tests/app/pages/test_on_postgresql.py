"""The pages and the acts once on PostgreSQL, whose SQL is stricter than SQLite's."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.app.pages.seeded import bare_portal, live_in
from tests.app.pages.test_translation import PAGES
from tests.peers.postgresql import Cluster


@pytest.mark.postgresql
def test_every_page_and_every_act(postgresql_cluster: Cluster, tmp_path: Path) -> None:
    with (
        postgresql_cluster.database() as url,
        bare_portal(tmp_path, database_url=url) as seeded,
    ):
        live_in(seeded)
        ann = seeded.browser(seeded.ann)
        for page in PAGES[:-1]:
            assert ann.get(page.format_map(vars(seeded))).status_code == 200, page
        for act in (
            "/keys/{key}/revoke",
            "/devices/{laptop}/revoke",
            "/devices/{tablet}/restore",
            "/activations/{waiting}/revoke",
            "/mail-accounts/{unproven}/remove",
            "/sessions/end-others",
        ):
            path = act.format_map(vars(seeded))
            ann.get(path)
            assert ann.post(path).status_code == 303, act
