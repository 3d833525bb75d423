"""A person's data on their behalf: exported, and deleted."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from werkzeug.wrappers import Response
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from app.extensions import handfast
from app.people.overview import find_person
from app.permissions import require
from app.personal import deleting, services
from app.personal.deleting import NotTypedError, TellingReasonError
from app.personal.views import as_file
from app.provisioning.acts import LONGEST_REASON, ReasonError
from app.rights import Permission
from app.webadmin import notices
from app.webadmin.area import webadmin
from app.webadmin.freshness import require_fresh
from app.webadmin.gate import current_staff
from app.webadmin.people_forms import ReasonForm


class DeleteForm(ReasonForm):
    """Whom, once more, and why."""

    typed = StringField(
        _("The person's name or one of their mail addresses, to confirm"),
        [InputRequired(_("Type the name or an address.")), Length(max=320)],
        render_kw={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"},
    )
    reason = StringField(
        _("Reason"),
        [InputRequired(_("Say why."))],
        description=_("It stays in the audit for ever: write no name and no address."),
        render_kw={"autocomplete": "off", "maxlength": LONGEST_REASON},
    )


@webadmin.get("/people/<person_id>/export")
@require(Permission.PEOPLE_EXPORT)
@require_fresh
def export_person(person_id: str) -> str:
    """Ask why."""
    return _asking("export", person_id, ReasonForm())


@webadmin.post("/people/<person_id>/export")
@require(Permission.PEOPLE_EXPORT)
@require_fresh
def send_person(person_id: str) -> Any:
    """Send everything that is kept about the person as one file."""
    here, form = handfast(), ReasonForm(request.form)
    if not form.validate():
        return _asking("export", person_id, form), 400
    try:
        with here.database.write() as session:
            content = services.export_person(
                session,
                current_staff().as_actor(),
                person_id,
                reason=form.reason.data,
                service=here.config.service_name,
                now=here.clock.now(),
                entropy=here.entropy,
            )
    except ReasonError:
        form.reason.errors = [gettext("Say it in 3 to 200 characters.")]
        return _asking("export", person_id, form), 400
    return as_file(content, f"person-{person_id}.json")


@webadmin.get("/people/<person_id>/delete")
@require(Permission.PEOPLE_DELETE)
@require_fresh
def delete_person(person_id: str) -> str:
    """Ask whether it is meant, and why."""
    return _asking("delete", person_id, DeleteForm())


@webadmin.post("/people/<person_id>/delete")
@require(Permission.PEOPLE_DELETE)
@require_fresh
def end_person(person_id: str) -> Response | tuple[str, int]:
    """Delete the person and everything that is kept about them."""
    here, form = handfast(), DeleteForm(request.form)
    if not form.validate():
        return _asking("delete", person_id, form), 400
    try:
        with here.database.write() as session:
            deleting.delete_person(
                session,
                current_staff().as_actor(),
                person_id,
                typed=form.typed.data,
                reason=form.reason.data,
                now=here.clock.now(),
                entropy=here.entropy,
            )
            # Without the name, which is kept nowhere any more.
            notices.leave(session, gettext("The person was deleted."))
    except NotTypedError:
        form.typed.errors = [gettext("That is neither the name nor an address of this person.")]
        return _asking("delete", person_id, form), 400
    except TellingReasonError:
        form.reason.errors = [gettext("The reason names the person: it stays when they are gone.")]
        return _asking("delete", person_id, form), 400
    except ReasonError:
        form.reason.errors = [gettext("Say it in 3 to 200 characters.")]
        return _asking("delete", person_id, form), 400
    return redirect(url_for(".people"), 303)


def _asking(what: str, person_id: str, form: ReasonForm) -> str:
    here = handfast()
    with here.database.read() as session:
        found = find_person(session, current_staff().as_actor(), person_id, now=here.clock.now())
    return render_template(f"admin/personal/{what}.html", person=found, form=form)
