"""A WebAdmin that has been worked in, over real TLS, and browsers of its staff."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme
from playwright.sync_api import BrowserContext

from app.accounts.sessions import Client
from app.extensions import of
from app.models import StaffStage
from app.staff import sessions
from app.webadmin.gate import COOKIE
from tests.app.pages.seeded import live_in
from tests.app.webadmin.lived_in import Lived, work_in
from tests.e2e.pages.serving import Served, serving


@dataclass
class Office:
    """Where WebAdmin is, and who works in it."""

    served: Served
    lived: Lived

    @property
    def origin(self) -> str:
        """The address of portal and WebAdmin."""
        return self.served.origin

    def sit_down(self, context: BrowserContext, staff_id: str) -> None:
        """Give the browser a session of a member of staff."""
        here = of(self.served.seeded.app)
        with here.database.write() as database:
            token, _ = sessions.start(
                database,
                Client("192.0.2.9", "Firefox/153.0"),
                staff_id=staff_id,
                stage=StaffStage.FULL,
                now=here.clock.now(),
                entropy=here.entropy,
            )
        context.add_cookies([{"name": COOKIE, "value": token, "url": self.origin, "secure": True}])

    def address(self, path: str) -> str:
        """Return a page's address, with the ids of what is here in it."""
        return self.origin + path.format_map(self.lived.places)


@contextmanager
def office(folder: Path, authority: trustme.CA) -> Iterator[Office]:
    """Serve a portal that Ann has used for nine days and staff have worked in."""
    with serving(folder, authority) as served:
        live_in(served.seeded)
        yield Office(served, work_in(served.seeded, folder))
