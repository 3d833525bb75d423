"""Inviting a person by their mail address."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from app.extensions import handfast
from app.i18n import languages
from app.people.listing import list_groups
from app.permissions import require
from app.provisioning import services
from app.provisioning.services import (
    AlreadyInvitedError,
    DisabledPersonError,
    Invite,
    ReasonError,
    UnusableError,
)
from app.rights import Permission
from app.staff.reach import OutOfReachError
from app.webadmin import notices
from app.webadmin.act_views import acting_here, problem_of
from app.webadmin.area import webadmin
from app.webadmin.gate import current_staff
from app.webadmin.people_forms import InviteForm


@webadmin.get("/people/invite")
@require(Permission.PEOPLE_PROVISION)
def ask_invite_person() -> str:
    """Ask whom, to what, and why."""
    return _page(_offer(InviteForm()))


@webadmin.post("/people/invite")
@require(Permission.PEOPLE_PROVISION)
def invite_person() -> Any:
    """Set everything up, and send the mail."""
    form = _offer(InviteForm(request.form))
    if form.validate():
        answer = _invite(form)
        if answer is not None:
            return answer
    return _page(form), 400


def _invite(form: InviteForm) -> Response | None:
    """Invite, and lead on to the person; None where a field of the form has to change first."""
    order = Invite(
        address=form.address.data,
        name=form.name.data,
        services=form.services.data,
        groups=form.groups.data,
        language=form.language.data or None,
    )
    actor, reason = current_staff().as_actor(), form.reason.data
    try:
        with handfast().database.write() as session:
            made = services.invite(session, actor, order, reason=reason, here=acting_here())
            text = gettext("%(address)s was invited.")
            if made.invitation_id is None:
                text = gettext(
                    "%(address)s is somebody here already; an activation waits for them."
                )
            notices.leave(session, text, address=order.address)
    except AlreadyInvitedError as error:
        with handfast().database.write() as session:
            text = gettext("%(address)s was invited already. Here you can send it again.")
            notices.leave(session, text, is_error=True, address=order.address)
        return redirect(url_for(".person", person_id=error.person_id), 303)
    except DisabledPersonError:
        form.address.errors = [gettext("This person is disabled. Enable them first.")]
        return None
    except OutOfReachError:
        form.address.errors = [gettext("This address is somebody's whom you do not look after.")]
        return None
    except (ReasonError, UnusableError) as error:
        if not problem_of(form, error):
            raise
        return None
    return redirect(url_for(".person", person_id=made.person_id), 303)


def _offer(form: InviteForm) -> InviteForm:
    """Let the form offer the groups within reach and the languages that there are."""
    with handfast().database.read() as session:
        form.groups.choices = list_groups(session, current_staff().as_actor())
    form.language.choices = [("", gettext("the installation's")), *languages()]
    return form


def _page(form: InviteForm) -> str:
    return render_template("admin/people/invite.html", form=form)
