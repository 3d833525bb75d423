"""After an activation the document and its passwords are in no file of the machine."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
import trustme
from playwright.sync_api import Playwright

from demo import processes
from protocol.encoding import b64u
from tests.e2e.bridge.registered import handfast
from tests.e2e.browser import browser, files_holding
from tests.e2e.main_job.conftest import PATIENCE, trusting_machine
from tests.e2e.main_job.installation import ANN, EVERYTHING, Installation
from tests.e2e.main_job.steps import allow_in, use_session, wait_until_active, words_on_device

pytestmark = EVERYTHING


@pytest.mark.usefixtures("bob_session")
def test_the_activation_passwords_are_in_no_file(
    playwright: Playwright,
    authority: trustme.CA,
    portal: Installation,
    ann_session: str,
) -> None:
    # Passwords made ahead of time are used first: this is how we know them.
    processes.flask(portal, "stock", "make", ANN)
    markers = [marker for password in portal.stocked_passwords() for marker in looks(password)]
    with ExitStack() as stack:
        machine = trusting_machine(stack, authority, [portal])
        done = handfast(machine, "register", "--user-data-dir", str(machine.profile))
        assert done.returncode == 0, done.stderr
        with browser(playwright, machine) as context:
            context.set_default_timeout(PATIENCE)
            use_session(context, portal, ann_session)
            page = context.new_page()
            page.goto(portal.issuer)
            allow_in(context, page)
            words = wait_until_active(page)
            assert files_holding(markers, machine.home) == []
        # The browser writes much of its profile when it ends.
        assert len(list(machine.profile.rglob("*"))) > 50
        assert files_holding(markers, machine.home) == []
        assert portal.stocked_passwords() == []
        assert words == words_on_device(machine, portal)
        # The search would find one: this document is full of another password.
        processes.flask(portal, "stock", "make", ANN, "--service", "mail")
        (password,) = portal.stocked_passwords()
        seeded = machine.profile / "seeded"
        seeded.write_bytes(portal.issue(ANN, "mail").read_bytes())
        assert files_holding(looks(password), machine.home) == [seeded]


def looks(password: bytes) -> list[bytes]:
    """How a password looks: itself, as text, and as text within base64 at each of three places."""
    text = b64u(password).encode()
    # What lies before and after shares its first and last characters with the neighbours.
    inside = [b64u(b"x" * shift + text)[4:-4].encode() for shift in range(3)]
    return [password, text, password.hex().encode(), *inside]
