"""What an attacker's page, script or file achieves with everything real: nothing."""

from __future__ import annotations

import http.client
import ssl
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import trustme
from playwright.sync_api import BrowserContext, Page

from protocol.media_type import ACTIVATION
from tests.e2e.bridge.registered import handfast
from tests.e2e.bridge.small_portal import small_portal
from tests.e2e.browser import Machine, host_processes
from tests.e2e.main_job.installation import ANN, BOB, EVERYTHING, Installation
from tests.e2e.main_job.steps import COOKIE, words_on_device

pytestmark = EVERYTHING

REFUSED = (
    "handfast: error: the service does not take this document: "
    "it was used, replaced, ended or is too old\n"
    'handfast: hint: press "Activate this device" or run "handfast activate" again\n'
)
READ_FORM = "() => [...new FormData(document.querySelector('form.activate'))]"
# The strongest attacker: one that has read a valid form, token and all.
SEND_FORM = """([address, fields]) => {
  const form = Object.assign(document.createElement("form"), {method: "post", action: address});
  for (const [name, value] of fields) {
    form.append(Object.assign(document.createElement("input"), {name, value}));
  }
  document.body.append(form);
  form.submit();
}"""
FETCH_DOCUMENT = """async ([fields, type]) => {
  const body = new URLSearchParams(fields);
  body.set("deliver", "document");
  const answer = await fetch("/activations", {method: "POST", body, headers: {Accept: type}});
  return [answer.status, await answer.text()];
}"""


@pytest.mark.parametrize("host", ["localhost", "evil.localhost"], ids=["same site", "other site"])
def test_a_form_on_another_origin_makes_no_activation(
    context: BrowserContext,
    account_page: Page,
    authority: trustme.CA,
    machine: Machine,
    portal: Installation,
    host: str,
) -> None:
    fields = [*account_page.evaluate(READ_FORM), ["deliver", "document"]]
    before = portal.rows()
    with small_portal(authority, host) as elsewhere:
        page = context.new_page()
        page.goto(elsewhere.origin + "/")
        with page.expect_navigation() as navigation:
            page.evaluate(SEND_FORM, [f"{portal.issuer}/activations", fields])
    answer = navigation.value
    assert answer is not None
    assert answer.status in (401, 403) or answer.url.startswith(f"{portal.issuer}/sign-in")
    assert portal.rows() == before
    assert host_processes(machine.place.launcher) == []


def test_a_script_cannot_fetch_the_document(account_page: Page, portal: Installation) -> None:
    before = portal.rows()
    fields = account_page.evaluate(READ_FORM)
    status, said = account_page.evaluate(FETCH_DOCUMENT, [fields, ACTIVATION])
    assert status == 403
    assert "eyJ" not in said
    assert portal.rows() == before


def test_whoever_accepts_anything_gets_no_document(
    account_page: Page, portal: Installation, ann_session: str
) -> None:
    fields = account_page.evaluate(READ_FORM)
    status, headers = post(portal, ann_session, fields, accept="*/*")
    assert status == 303
    assert headers["Content-Type"].startswith("text/html")
    assert "/activations/" in headers["Location"]


@pytest.mark.usefixtures("bob_session")
def test_a_genuine_document_of_bob_from_another_origin_starts_nothing(
    context: BrowserContext,
    account_page: Page,
    authority: trustme.CA,
    machine: Machine,
    portal: Installation,
) -> None:
    document = portal.issue(BOB).read_bytes()
    before, keys = portal.rows(), words_on_device(machine, portal)
    with small_portal(authority, "evil.localhost") as elsewhere:
        elsewhere.make_document = lambda: document
        account_page.goto(elsewhere.origin + "/")
        with account_page.expect_download():
            account_page.get_by_role("button", name="Activate this device").click()
        account_page.wait_for_timeout(500)
        assert host_processes(machine.place.launcher) == []
        assert [page.url for page in context.pages if "consent" in page.url] == []
    assert (portal.rows(), words_on_device(machine, portal)) == (before, keys)


@pytest.mark.usefixtures("account_page")
def test_used_and_replaced_documents_are_refused_and_change_nothing(
    machine: Machine, bobs_machine: Machine, portal: Installation
) -> None:
    used, replaced, newest = (
        portal.issue(ANN, "mail"),
        portal.issue(ANN, "contacts"),
        portal.issue(ANN, "contacts"),
    )
    assert open_file(machine, used) == (0, "")
    before = state(machine, bobs_machine, portal)
    assert open_file(machine, used) == (
        4,
        "handfast: error: this device has used the document before\n"
        'handfast: hint: press "Activate this device" or run "handfast activate" again\n',
    )
    # At the same time: before it believes a refusal a device asks again, for six seconds.
    with ThreadPoolExecutor() as pool:
        outcomes = pool.map(open_file, (bobs_machine, machine), (used, replaced))
        assert list(outcomes) == [(6, REFUSED), (6, REFUSED)]
    assert state(machine, bobs_machine, portal) == before
    assert open_file(machine, newest) == (0, "")
    assert words_on_device(machine, portal)["contacts"] == portal.active_words(ANN)["contacts"]


@pytest.mark.usefixtures("account_page")
def test_an_expired_document_is_refused_without_a_word_to_the_service(
    machine: Machine, bobs_machine: Machine, portal: Installation
) -> None:
    file = portal.expired_document(ANN, minutes=5)
    before = state(machine, bobs_machine, portal)
    assert open_file(machine, file) == (
        4,
        "handfast: error: the document expired 5 minutes ago\n"
        'handfast: hint: press "Activate this device" or run "handfast activate" again\n',
    )
    assert state(machine, bobs_machine, portal) == before


def open_file(machine: Machine, file: Path) -> tuple[int, str]:
    """Open a document where nobody can be asked; return the exit code and the error's two lines."""
    done = handfast(machine, "open", "--keep", str(file))
    lines = [line for line in done.stderr.splitlines(True) if line.startswith("handfast:")]
    return done.returncode, "".join(lines)


def state(machine: Machine, other: Machine, portal: Installation) -> object:
    """Everything that a refused document must leave as it was."""
    devices = [words_on_device(each, portal) for each in (machine, other)]
    return portal.rows(), portal.active_words(ANN), devices


def post(
    portal: Installation, session: str, fields: list[list[str]], *, accept: str
) -> tuple[int, http.client.HTTPMessage]:
    """Send the form as a browser without our extension would."""
    context = ssl.create_default_context(cafile=portal.certificates.authority)
    connection = http.client.HTTPSConnection("localhost", portal.portal_port, context=context)
    headers = {
        "Accept": accept,
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": f"{COOKIE}={session}",
        "Origin": portal.issuer,
        "Sec-Fetch-Site": "same-origin",
        "Sec-Fetch-Mode": "navigate",
        "Sec-Fetch-Dest": "document",
    }
    try:
        body = urllib.parse.urlencode([(name, value) for name, value in fields])
        connection.request("POST", "/activations", body, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.headers
    finally:
        connection.close()
