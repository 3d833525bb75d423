"""Olu invites, the person signs in at their own mail server, presses, and both see the key."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from app.clock import DAY
from app.mailservers.network import Network
from app.models import (
    Activation,
    Device,
    MailAccount,
    MailPin,
    OutgoingMail,
    Person,
    ServiceKey,
    StaffRole,
)
from app.outbox.kinds import MailKind
from app.outbox.letters import write
from protocol import media_type
from tests.app.api.caller import LAPTOP
from tests.app.pages.seeded import Seeded, bare_portal
from tests.app.portal_fixtures import ISSUER, Browser
from tests.app.webadmin.desk import staff_at_desk
from tests.peers.ca import CertificateAuthority
from tests.peers.pymap_server import pymap_server

EVE, PASSWORD = "eve@example.org", "staple battery"
REASON = "she starts on Monday"
PRESS = {
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "iframe",
    "Accept": f"text/html, {media_type.ACTIVATION};q=0.9, */*;q=0.1",
}


@pytest.fixture
def seeded(
    tmp_path: Path, mail_ca: CertificateAuthority, open_network: Network
) -> Iterator[Seeded]:
    """A portal whose operator pinned example.org to a mail server that knows Eve."""
    server_certificate = mail_ca.issue("127.0.0.1")
    with (
        pymap_server({EVE: PASSWORD}, server_certificate) as server,
        bare_portal(tmp_path, network=open_network) as built,
    ):
        with built.service.database.write() as session:
            session.add(
                MailPin(
                    domain="example.org",
                    host=server.host,
                    port=server.port,
                    security="tls",
                    username_form="address",
                    credential="password",
                    ca_pem=mail_ca.pem,
                    created_at=0,
                )
            )
        yield built


def invite(seeded: Seeded, *services: str) -> Browser:
    """Have Olu invite Eve on the pages of WebAdmin."""
    olu = staff_at_desk(seeded.app, StaffRole.CUSTOMER_CARE)
    olu.get("/admin/people/invite")
    fields = {"address": EVE, "name": "Eve", "services": list(services), "reason": REASON}
    answer = olu.post("/admin/people/invite", fields)
    assert answer.status_code == 303, olu.text()
    olu.get(answer.headers["Location"])
    return olu


def only(seeded: Seeded, address: str = EVE) -> MailAccount:
    with seeded.service.database.read() as session:
        return session.scalars(select(MailAccount).where(MailAccount.address == address)).one()


def test_from_an_invitation_to_a_key(seeded: Seeded) -> None:
    olu = invite(seeded, "mail", "contacts")
    page = olu.page.request.path if olu.page is not None else ""
    assert "Waiting for a device" in olu.text() or "waiting" in olu.text()

    eve = Browser(seeded.app.test_client())
    assert eve.sign_in(EVE, PASSWORD).status_code == 303
    eve.get("/")
    assert "Mail, Contacts of eve@example.org was set up for you" in eve.text()
    # Nothing else is offered than what was chosen.
    assert re.findall(r'name="service" value="(\w+)"', eve.text()) == ["mail", "contacts"]

    ticket = re.search(r'name="ticket" value="([^"]+)"', eve.text())
    assert ticket is not None
    form = {
        "account": only(seeded).id,
        "ticket": ticket[1],
        "service": ["mail", "contacts"],
    }
    answer = eve.post("/activations", form, headers=PRESS)
    assert answer.status_code == 200
    seeded.service.activate(seeded.service.handset("Eve's laptop"), answer.data)

    eve.get("/")
    assert "was set up for you" not in eve.text()
    eve.get("/history")
    assert "You were invited with eve@example.org." in eve.text()
    assert "Olu (customer care)" in eve.text()
    assert REASON in eve.text()
    olu.get(page)
    assert "Eve's laptop" in olu.text()
    with seeded.service.database.read() as session:
        (used,) = session.scalars(select(Activation).where(Activation.state == "redeemed"))
        assert (used.made_by or "").startswith("staff:")
        keys = session.scalars(select(ServiceKey)).all()
        assert {key.person_id for key in keys} == {only(seeded).person_id}
        assert len(keys) == 2


def test_the_activations_own_page_completes_it_too(seeded: Seeded) -> None:
    invite(seeded, "mail")
    eve = Browser(seeded.app.test_client())
    eve.sign_in(EVE, PASSWORD)
    eve.get("/")
    link = re.search(r'href="(/activations/[\w-]{22})"', eve.text())
    assert link is not None
    eve.get(link[1])
    assert "This was set up for you" in eve.text()
    ticket = re.search(r'name="ticket" value="([^"]+)"', eve.text())
    assert ticket is not None
    form = {"account": only(seeded).id, "ticket": ticket[1], "service": "mail"}
    without_handler = {**PRESS, "Accept": "text/html", "Sec-Fetch-Dest": "document"}
    answer = eve.post("/activations", form, headers=without_handler)
    # Where no handler is, it goes on waiting, and it is still the same one.
    assert answer.headers["Location"] == link[1]
    eve.get(link[1])
    answer = eve.post("/activations", form, headers=PRESS)
    seeded.service.activate(seeded.service.handset("Eve's laptop"), answer.data)
    # The page goes on to what the activation was reissued as.
    reissued = eve.get(link[1]).headers["Location"]
    eve.get(reissued)
    assert "Eve's laptop" in eve.text()


def test_a_document_that_nobody_used_leaves_it_waiting(seeded: Seeded) -> None:
    invite(seeded, "mail")
    eve = Browser(seeded.app.test_client())
    eve.sign_in(EVE, PASSWORD)
    eve.get("/")
    ticket = re.search(r'name="ticket" value="([^"]+)"', eve.text())
    assert ticket is not None
    form = {"account": only(seeded).id, "ticket": ticket[1], "service": "mail"}
    assert eve.post("/activations", form, headers=PRESS).status_code == 200
    eve.get("/")
    assert "was set up for you" not in eve.text()
    seeded.service.clock.advance(600 * 1_000_000)
    eve.get("/")
    assert "Mail of eve@example.org was set up for you" in eve.text()


def test_the_thick_client_takes_it_over_as_well(seeded: Seeded) -> None:
    invite(seeded, "mail")
    client = seeded.app.test_client()
    handset = seeded.service.handset("Eve's laptop")
    body = {
        "accounts": [{"address": EVE, "password": PASSWORD}],
        "device": {**LAPTOP, "jkt": handset.identity.kid},
        "ticket": "A" * 22,
    }
    answer = client.post("/api/v1/activations", json=body, base_url=ISSUER)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    given = answer.get_json()
    assert [each["service"] for each in given["accounts"][0]["services"]] == ["mail"]
    seeded.service.activate(handset, given["document"].encode())
    with seeded.service.database.read() as session:
        assert session.scalars(select(Device.person_id)).all() == [only(seeded).person_id]
        made_by = session.scalars(
            select(Activation.made_by).where(Activation.state == "redeemed")
        ).one()
        assert (made_by or "").startswith("staff:")


def test_who_is_shut_out_is_told_whom_to_ask_and_nothing_else(seeded: Seeded) -> None:
    invite(seeded, "mail")
    eve = Browser(seeded.app.test_client())
    eve.sign_in(EVE, PASSWORD)
    with seeded.service.database.write() as session:
        session.get_one(Person, only(seeded).person_id).disabled_at = 1
    again = Browser(seeded.app.test_client())
    # What does not prove the mailbox says nothing about anybody here.
    path = again.give_address(EVE)
    assert "may not sign in" not in again.give_password(path, "a wrong guess")
    again.give_password(path, PASSWORD)
    answer = again.post(f"{path}/finish")
    assert answer.status_code == 403
    assert "You may not sign in here" in again.text()
    body = {
        "accounts": [{"address": EVE, "password": PASSWORD}],
        "device": LAPTOP,
        "ticket": "A" * 22,
    }
    refused = seeded.app.test_client().post("/api/v1/activations", json=body, base_url=ISSUER)
    assert (refused.status_code, refused.get_json()["code"]) == (403, "person-disabled")


def test_a_newcomer_to_an_old_address_is_asked_whose_it_is(seeded: Seeded) -> None:
    eve = Browser(seeded.app.test_client())
    eve.sign_in(EVE, PASSWORD)
    former = only(seeded).person_id
    seeded.service.clock.advance(366 * DAY)
    newcomer = Browser(seeded.app.test_client())
    path = newcomer.give_address(EVE)
    newcomer.give_password(path, PASSWORD)
    assert newcomer.post(f"{path}/finish").status_code == 409
    assert "Were you here before?" in newcomer.text()
    assert newcomer.get("/").status_code == 303
    newcomer.get(path)
    newcomer.post(f"{path}/finish")
    assert newcomer.post(f"{path}/finish", {"anew": "yes"}).headers["Location"] == "/"
    assert only(seeded).person_id != former
    body = {
        "accounts": [{"address": EVE, "password": PASSWORD}],
        "device": LAPTOP,
        "ticket": "A" * 22,
    }
    seeded.service.clock.advance(366 * DAY)
    refused = seeded.app.test_client().post("/api/v1/activations", json=body, base_url=ISSUER)
    assert (refused.status_code, refused.get_json()["code"]) == (409, "start-anew")


def test_the_mail_says_what_the_history_says(seeded: Seeded) -> None:
    invite(seeded, "mail")
    with seeded.service.database.read() as session:
        (mail,) = session.scalars(select(OutgoingMail))
    assert (mail.kind, mail.address) == ("invited", EVE)
    facts = json.loads(mail.facts)
    letter = write(MailKind.INVITED, facts, language=None, service="Handfast", portal=ISSUER)
    for said in ("Hello Eve,", "Who did it: Olu (customer care)", f"Why: {REASON}", EVE):
        assert said in letter.body
