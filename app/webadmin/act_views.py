"""The pages that ask before something is done on somebody's behalf, and do it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flask import redirect, render_template, request, url_for
from flask_babel import gettext
from markupsafe import Markup
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from app.extensions import handfast
from app.markup import address, bdi
from app.people.acting import About, about, accounts_of
from app.people.listing import list_groups
from app.permissions import require
from app.provisioning import services
from app.provisioning.services import (
    AddressInUseError,
    AlreadyInvitedError,
    DisabledPersonError,
    GoneError,
    ReasonError,
    TooSoonError,
    UnusableError,
)
from app.staff.reach import Actor
from app.webadmin import notices
from app.webadmin.act_table import ACTS, AskedAct, Doing
from app.webadmin.area import webadmin
from app.webadmin.freshness import require_fresh
from app.webadmin.gate import current_staff
from app.words_for_people import SERVICE_NAMES


def acting_here() -> services.Here:
    """Return what acts need from this request."""
    here = handfast()
    return services.Here(here.clock.now(), here.entropy, here.config)


def problem_of(form: Any, error: Exception) -> bool:
    """Write at its field what is wrong with an order; False if it is not about a field."""
    match error:
        case ReasonError():
            form.reason.errors = [gettext("Say it in 3 to 200 characters.")]
        case AddressInUseError():
            form.address.errors = [gettext("This address belongs to somebody already.")]
        case AlreadyInvitedError():
            form.address.errors = [gettext("There is an open invitation for this address.")]
        case UnusableError() if error.field == "groups":
            form.groups.errors = [gettext("Choose a group, so that you still see this person.")]
        case UnusableError() if error.field in form:
            form[error.field].errors = [gettext("This cannot be used here.")]
        case _:
            return False
    return True


def _page_of(act: AskedAct) -> Callable[[str], Any]:
    def page(thing_id: str) -> Any:
        here, actor = handfast(), current_staff().as_actor()
        with here.database.read() as session:
            subject = about(session, actor, act.kind, thing_id, now=here.clock.now())
            form = _form(session, actor, act, subject)
        if request.method == "POST" and form.validate():
            answer = _do(act, actor, subject, form)
            if answer is not None:
                return answer
        return _ask(act, subject, form), 400 if form.errors else 200

    page.__name__ = act.name
    page.__doc__ = f"Ask before this is done, and do it: {act.name}."
    return require_fresh(page) if act.is_fresh else page


def _do(act: AskedAct, actor: Actor, subject: About, form: Any) -> Response | None:
    """Act, and lead on to the thing; None where a field of the form has to change first."""
    here = acting_here()
    try:
        with handfast().database.write() as session:
            act.run(Doing(session, actor, subject, form, here))
            notices.leave(session, str(act.done), name=subject.name)
    except (GoneError, TooSoonError, DisabledPersonError) as error:
        with handfast().database.write() as session:
            notices.leave(session, _why_not(error), is_error=True)
    except (ReasonError, UnusableError, AddressInUseError, AlreadyInvitedError) as error:
        if not problem_of(form, error):
            raise
        return None
    return redirect(_back(subject), 303)


def _why_not(error: Exception) -> str:
    match error:
        case TooSoonError():
            return str(gettext("It was sent several times within an hour. Wait a little."))
        case DisabledPersonError():
            return str(gettext("This person is disabled, so nothing can be set up for them."))
        case _:
            return str(gettext("Nothing was changed: it is so already, or it has ended."))


def _form(session: Session, actor: Actor, act: AskedAct, subject: About) -> Any:
    form = act.form(request.form) if request.method == "POST" else act.form(data=subject.present)
    if "groups" in form:
        form.groups.choices = list_groups(session, actor)
    if "account" in form:
        form.account.choices = accounts_of(session, subject.owner.id)
        if request.method == "GET" and form.account.choices:
            form.account.data = form.account.choices[0][0]
            form.services.data = list(SERVICE_NAMES)
    return form


def _ask(act: AskedAct, subject: About, form: Any) -> str:
    is_address = subject.kind in {"account", "invitation"}
    return render_template(
        "admin/people/act.html",
        act=act,
        about=subject,
        form=form,
        # For the window's title, and for the page.
        plain_title=str(act.title) % {"name": subject.name},
        title=Markup.escape(act.title) % {"name": (address if is_address else bdi)(subject.name)},
        who_is_told=_told(act, subject),
        back=_back(subject),
        names=SERVICE_NAMES,
    )


def _told(act: AskedAct, subject: About) -> Markup:
    if not act.is_told or (act.is_told_of_keys and not subject.keys):
        return Markup.escape(gettext("No mail goes out. It stands in their history."))
    if subject.told is None:
        return Markup.escape(
            gettext("They have no address to write to. It stands in their history.")
        )
    text = gettext(
        "%(address)s is told by mail, with your name and the reason. It stands in their history.",
        address="%(address)s",
    )
    return Markup.escape(text) % {"address": address(subject.told)}


def _back(subject: About) -> str:
    if subject.kind == "device":
        return url_for("webadmin.device", device_id=subject.id)
    if subject.kind == "key":
        return url_for("webadmin.key", key_id=subject.id)
    if subject.kind == "activation":
        return url_for("webadmin.activation", activation_id=subject.id)
    return url_for("webadmin.person", person_id=subject.owner.id)


def _register(acts: Sequence[AskedAct]) -> None:
    for act in acts:
        view = require(act.permission)(_page_of(act))
        webadmin.add_url_rule(act.path, act.name, view, methods=["GET", "POST"])


_register(ACTS)
