"""A person's page, and those of a device, a key and an activation."""

from __future__ import annotations

from flask import render_template, request, url_for

from app.clock import DAY
from app.extensions import handfast
from app.people import one
from app.people.overview import SHOWN, find_person
from app.people.timeline import names_of, read_timeline
from app.permissions import require
from app.rights import Permission
from app.webadmin.area import webadmin
from app.webadmin.gate import current_staff
from app.webadmin.people_words import CONFLICTS, MAIL_NAMES, STATES
from app.webadmin.timeline import told, who
from app.words_for_people import SERVICE_NAMES, VOUCHERS


@webadmin.get("/people/<person_id>")
@require(Permission.PEOPLE_SEE)
def person(person_id: str) -> str:
    """Show everything about one person."""
    here, actor, now = handfast(), current_staff().as_actor(), handfast().clock.now()
    before = request.args.get("before", type=int)
    # Anything but a whole number that the database can hold simply means the newest.
    before = before if before is not None and 0 < before < 2**63 else None
    with here.database.read() as session:
        quiet = here.config.quiet_days * DAY
        found = find_person(session, actor, person_id, now=now, quiet=quiet)
        timeline = read_timeline(session, person_id, before=before)
        inviters = names_of(session, {each.invited_by for each in found.invitations})
    older = timeline.older_before
    return render_template(
        "admin/people/person.html",
        person=found,
        lines=told(timeline, person_id),
        inviters={name: who(name, inviters, person_id) for name in inviters},
        older=None if older is None else url_for(".person", person_id=person_id, before=older),
        before=before,
        now=now,
        shown=SHOWN,
        states=STATES,
        names=SERVICE_NAMES,
        vouchers=VOUCHERS,
        mail_names=MAIL_NAMES,
        conflict_words=CONFLICTS,
    )


@webadmin.get("/devices/<device_id>")
@require(Permission.PEOPLE_SEE)
def device(device_id: str) -> str:
    """Show one device."""
    here, now = handfast(), handfast().clock.now()
    with here.database.read() as session:
        page = one.show_device(session, current_staff().as_actor(), device_id, now=now)
    lines = told(page.timeline, page.owner.id)
    return render_template(
        "admin/people/device.html", page=page, lines=lines, names=SERVICE_NAMES, now=now
    )


@webadmin.get("/keys/<key_id>")
@require(Permission.PEOPLE_SEE)
def key(key_id: str) -> str:
    """Show what is known of one key, which is never the key itself."""
    here, now = handfast(), handfast().clock.now()
    with here.database.read() as session:
        page = one.show_key(session, current_staff().as_actor(), key_id, now=now)
    lines = told(page.timeline, page.owner.id)
    return render_template(
        "admin/people/key.html", page=page, lines=lines, names=SERVICE_NAMES, now=now
    )


@webadmin.get("/activations/<activation_id>")
@require(Permission.PEOPLE_SEE)
def activation(activation_id: str) -> str:
    """Show one activation."""
    here, now = handfast(), handfast().clock.now()
    with here.database.read() as session:
        page = one.show_activation(session, current_staff().as_actor(), activation_id, now=now)
        made_by = names_of(session, {page.made_by or ""})
    return render_template(
        "admin/people/activation.html",
        page=page,
        made_by=None if page.made_by is None else who(page.made_by, made_by, page.owner.id),
        lines=told(page.timeline, page.owner.id),
        names=SERVICE_NAMES,
        now=now,
    )
