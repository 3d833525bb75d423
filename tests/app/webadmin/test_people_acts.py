"""Acts on what people have: each asks why, tells the person, stands in the audit, works once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from app.audit import Act
from app.auditing.reading import detail_of
from app.models import (
    AuditEntry,
    Invitation,
    OutgoingMail,
    Person,
    PersonGroup,
    Reach,
    ServiceKey,
    StaffGroup,
    StaffRole,
)
from app.people import terms
from app.staff.sessions import FRESH
from tests.app.pages.seeded import Seeded, bare_portal, live_in
from tests.app.portal_fixtures import ANN, Browser
from tests.app.webadmin.desk import at_desk, hire, staff_at_desk

WHY = "she asked for it on the telephone"
# The page, what its form has beside the reason, the act in the audit, and whether mail goes out.
ACTS: dict[str, tuple[str, dict[str, Any], Act, bool]] = {
    "revoke a device": ("devices/{laptop}/revoke", {}, Act.DEVICE_REVOKED, True),
    "remove its keys": ("devices/{laptop}/wipe", {}, Act.DEVICE_WIPE_ASKED, True),
    "revoke a key": ("keys/{key}/revoke", {}, Act.KEY_REVOKED, True),
    "replace a key": ("keys/{key}/replace", {}, Act.KEY_ROTATION_ASKED, True),
    "end an activation": ("activations/{waiting}/end", {}, Act.ACTIVATION_ENDED, False),
    "end a session": ("sessions/{session}/end", {}, Act.SESSION_ENDED, True),
    "leave something waiting": (
        "people/person-ann/activation",
        {"account": "account-ann", "services": ["mail", "calendar"]},
        Act.ACTIVATION_REQUESTED,
        True,
    ),
    "choose services": (
        "accounts/account-ann/services",
        {"services": ["mail"]},
        Act.SERVICES_CHOSEN,
        True,
    ),
    "rename": ("people/person-ann/name", {"name": "Ann Smith"}, Act.PERSON_RENAMED, False),
    "regroup": ("people/person-ann/groups", {"groups": ["sales"]}, Act.PERSON_GROUPED, False),
    "disable": ("people/person-ann/disable", {}, Act.PERSON_DISABLED, True),
    "a new address": (
        "accounts/account-ann/change",
        {"address": "ann.smith@example.org"},
        Act.ADDRESS_CHANGE_ASKED,
        True,
    ),
    "take an address off": ("accounts/account-ann/release", {}, Act.ADDRESS_RELEASED, False),
}


@pytest.fixture
def seeded(tmp_path: Path) -> Iterator[Seeded]:
    with bare_portal(tmp_path) as found:
        live_in(found)
        with found.service.database.write() as session:
            session.add(PersonGroup(id="sales", name="Sales", created_at=0))
            terms.refresh(session, "person-ann")
        yield found


@pytest.fixture
def ada(seeded: Seeded) -> Browser:
    return staff_at_desk(seeded.app, StaffRole.ADMINISTRATOR)


def path_of(seeded: Seeded, page: str) -> str:
    _, session_id = seeded.start_session(seeded.ann)
    return "/admin/" + page.format(**vars(seeded), session=session_id)


def audited(seeded: Seeded) -> list[AuditEntry]:
    with seeded.service.database.read() as session:
        return list(
            session.scalars(
                select(AuditEntry)
                .where(AuditEntry.actor.startswith("staff:"))
                .order_by(AuditEntry.id)
            )
        )


def mails(seeded: Seeded) -> list[OutgoingMail]:
    with seeded.service.database.read() as session:
        return list(session.scalars(select(OutgoingMail)))


def is_said(name: str) -> bool:
    """Tell whether the page promises a mail: but for an address that goes, where it goes out."""
    return name == "take an address off" or ACTS[name][3]


@pytest.mark.parametrize("name", ACTS)
def test_an_act_is_asked_for_told_and_audited(seeded: Seeded, ada: Browser, name: str) -> None:
    page, form, act, is_told = ACTS[name]
    path = path_of(seeded, page)
    assert ada.get(path).status_code == 200
    assert audited(seeded) == []
    assert "Reason" in ada.text()
    assert ("is told by mail" in ada.text()) is is_said(name)

    assert ada.post(path, {**form, "reason": ""}).status_code == 400
    assert "Say why." in ada.text()
    assert audited(seeded) == []

    assert ada.post(path, {**form, "reason": WHY}).status_code == 303, ada.text()
    entries = audited(seeded)
    (entry,) = [entry for entry in entries if entry.act == act][:1]
    assert entry.subject_id == "person-ann"
    assert detail_of(entry)["reason"] == WHY
    assert bool(mails(seeded)) is is_told

    # The person reads in their own history who did it and why.
    ann = seeded.browser(seeded.ann)
    if act != Act.PERSON_DISABLED:
        ann.get("/history")
        assert WHY in ann.text()
    # And staff read it in the time line.
    ada.get("/admin/people/person-ann")
    assert WHY in ada.text()


def test_the_end_of_an_activation_that_led_to_keys_is_told_once(
    seeded: Seeded, ada: Browser
) -> None:
    with seeded.service.database.read() as session:
        activation_id = session.get_one(ServiceKey, seeded.key).activation_id
    path = path_of(seeded, f"activations/{activation_id}/end")
    ada.get(path)
    assert "is told by mail" in ada.text()
    ada.post(path, {"reason": WHY})
    assert [mail.kind for mail in mails(seeded)] == ["key-revoked"]
    # Its keys have ended, so there is nothing to tell of any more.
    ada.get(path)
    assert "No mail goes out." in ada.text()
    ada.post(path, {"reason": WHY})
    assert len(mails(seeded)) == 1


@pytest.mark.parametrize("name", ["revoke a device", "revoke a key", "disable", "remove its keys"])
def test_who_comes_second_is_told_that_nothing_changed(
    seeded: Seeded, ada: Browser, name: str
) -> None:
    page, form, _, _ = ACTS[name]
    path = path_of(seeded, page)
    ada.get(path)
    answer = ada.post(path, {**form, "reason": WHY})
    before = len(audited(seeded)), len(mails(seeded))
    ada.get(answer.headers["Location"])
    assert ada.post(path, {**form, "reason": WHY}).status_code == 303
    assert (len(audited(seeded)), len(mails(seeded))) == before
    ada.get(answer.headers["Location"])
    assert "Nothing was changed" in ada.text()


def test_disabled_and_enabled_again(seeded: Seeded, ada: Browser) -> None:
    ada.get("/admin/people/person-ann/disable")
    ada.post("/admin/people/person-ann/disable", {"reason": WHY})
    ada.get("/admin/people/person-ann")
    assert "person-ann is disabled" not in ada.text()
    assert f"{ANN} is disabled." in ada.text()
    assert "/admin/people/person-ann/activation" not in ada.text()
    ada.get("/admin/people/person-ann/enable")
    assert ada.post("/admin/people/person-ann/enable", {"reason": WHY}).status_code == 303
    ada.get("/admin/people?q=ann&state=disabled")
    assert "Nothing found" in ada.text()


@pytest.mark.parametrize(
    "reason",
    ["", "no", "x" * 201, "\u202egnp", "a\x00b", "two\nlines", "   ", "\u2066isolated\u2069"],
)
def test_a_reason_that_says_nothing_or_cannot_be_shown_changes_nothing(
    seeded: Seeded, ada: Browser, reason: str
) -> None:
    path = f"/admin/devices/{seeded.laptop}/revoke"
    ada.get(path)
    assert ada.post(path, {"reason": reason}).status_code == 400
    assert audited(seeded) == []


def test_a_reason_is_text_wherever_it_is_read(seeded: Seeded, ada: Browser) -> None:
    reason = "<script>alert(1)</script> %(name)s {device}"
    path = f"/admin/devices/{seeded.laptop}/revoke"
    ada.get(path)
    ada.post(path, {"reason": reason})
    for page in (f"/admin/devices/{seeded.laptop}", "/admin/people/person-ann"):
        html = ada.get(page).get_data(as_text=True)
        assert reason in ada.text()
        assert "<script>alert" not in html


@pytest.mark.parametrize("name", ["revoke a device", "replace a key", "disable", "a new address"])
def test_what_changes_keys_or_addresses_asks_who_it_is(
    seeded: Seeded, ada: Browser, name: str
) -> None:
    page, form, _, _ = ACTS[name]
    path = path_of(seeded, page)
    ada.get(path)
    order = {**form, "reason": WHY, "csrf_token": ada.token()}
    seeded.service.clock.advance(FRESH)
    for answer in (ada.post(path, order), ada.get(path)):
        assert answer.status_code == 303
        assert answer.headers["Location"].startswith("/admin/confirm")
    assert audited(seeded) == []


def test_customer_care_may_not_disable_regroup_or_take_addresses_off(seeded: Seeded) -> None:
    olu = staff_at_desk(seeded.app, StaffRole.CUSTOMER_CARE)
    for page in ("people/person-ann/disable", "people/person-ann/groups"):
        assert olu.get(f"/admin/{page}").status_code == 403
        assert olu.post(f"/admin/{page}", {"reason": WHY}).status_code == 403
    assert olu.get("/admin/accounts/account-ann/release").status_code == 403
    olu.get("/admin/people/person-ann")
    assert "/disable" not in olu.text()
    assert "/delete" not in olu.text()


INVITATION = {
    "address": "Carol@Example.ORG",
    "name": "Carol",
    "services": ["mail", "contacts"],
    "groups": [],
    "language": "",
    "reason": WHY,
}


def test_somebody_is_invited_sent_to_again_and_withdrawn(seeded: Seeded, ada: Browser) -> None:
    ada.get("/admin/people/invite")
    answer = ada.post("/admin/people/invite", INVITATION)
    assert answer.status_code == 303, ada.text()
    person = answer.headers["Location"]
    ada.get(person)
    assert "carol@example.org was invited." in ada.text()
    assert "waiting for device" in ada.text()
    with seeded.service.database.read() as session:
        invitation = session.scalars(select(Invitation)).one()
        assert invitation.services == "mail contacts"
    for act, expected in (("send-again", "goes out again"), ("withdraw", "was withdrawn")):
        path = f"/admin/invitations/{invitation.id}/{act}"
        ada.get(path)
        assert "carol@example.org" in ada.text()
        assert ada.post(path, {"reason": WHY}).headers["Location"] == person
        ada.get(person)
        assert expected in ada.text()
    assert [mail.kind for mail in mails(seeded)].count("invited") == 1


def test_who_was_invited_before_is_found_and_not_invited_twice(
    seeded: Seeded, ada: Browser
) -> None:
    ada.get("/admin/people/invite")
    first = ada.post("/admin/people/invite", INVITATION)
    ada.get("/admin/people/invite")
    second = ada.post("/admin/people/invite", INVITATION)
    assert second.headers["Location"] == first.headers["Location"]
    ada.get(second.headers["Location"])
    assert "was invited already" in ada.text()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("address", "nobody"),
        ("address", ""),
        ("address", "a@b@c"),
        ("name", "\u202eevil"),
        ("name", "x" * 101),
        ("services", []),
        ("services", ["mail", "nonsense"]),
        ("groups", ["nowhere"]),
        ("language", "xx-yy"),
        ("reason", ""),
    ],
)
def test_an_invitation_with_one_wrong_field_invites_nobody(
    seeded: Seeded, ada: Browser, field: str, value: object
) -> None:
    ada.get("/admin/people/invite")
    answer = ada.post("/admin/people/invite", {**INVITATION, field: value})
    assert answer.status_code == 400
    assert f'href="#{field}"' in ada.text()
    assert audited(seeded) == []


def test_who_has_groups_puts_those_whom_they_invite_into_one(seeded: Seeded) -> None:
    una_id = hire(seeded.app, StaffRole.CUSTOMER_CARE, reach=Reach.GROUPS)
    with seeded.service.database.write() as session:
        session.execute(insert(StaffGroup).values(staff_id=una_id, group_id="sales"))
    una = at_desk(seeded.app, una_id)
    una.get("/admin/people/invite")
    assert una.post("/admin/people/invite", INVITATION).status_code == 400
    assert "Choose a group" in una.text()
    answer = una.post("/admin/people/invite", {**INVITATION, "groups": ["sales"]})
    assert una.get(answer.headers["Location"]).status_code == 200
    # Somebody whom they do not look after is not named to them.
    una.get("/admin/people/invite")
    answer = una.post("/admin/people/invite", {**INVITATION, "address": ANN, "groups": ["sales"]})
    assert answer.status_code == 400
    assert "person-ann" not in una.text()


def test_a_new_name_is_found_at_once(seeded: Seeded, ada: Browser) -> None:
    ada.get("/admin/people/person-ann/name")
    ada.post("/admin/people/person-ann/name", {"name": "Zoë O'Neil", "reason": WHY})
    ada.get("/admin/people?q=zoe")
    assert "Nothing found" in ada.text()
    ada.get("/admin/people?q=ZOË")
    assert "Zoë O'Neil" in ada.text()
    with seeded.service.database.read() as session:
        assert session.get_one(Person, "person-ann").name == "Zoë O'Neil"
