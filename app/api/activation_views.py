"""A person's activations: how they stand, and completing one that waits for a device."""

from __future__ import annotations

from flask_babel import lazy_gettext as _

from app.activation import services
from app.activation.status import Stage, stage_of
from app.api import overview
from app.api.issuing import issue, signing_keys
from app.api.messages import ActivationView, DocumentAnswer, DocumentRequest
from app.api.operations import api
from app.api.pages import Asked, cut
from app.api.problems import ProblemError
from app.extensions import handfast
from app.permissions import current_person


@api.add(
    "GET",
    "/activations",
    _("List your activations, the newest first."),
    gives=list[ActivationView],
    paged=True,
)
def list_activations(page: Asked) -> list[ActivationView]:
    """List one page of activations, without those that a newer one replaced."""
    here = handfast()
    with here.database.read() as database:
        try:
            found = overview.list_activations(
                database,
                current_person().id,
                after=page.after,
                limit=page.limit + 1,
                now=here.clock.now(),
            )
        except overview.UnknownCursorError:
            raise ProblemError("unknown-cursor") from None
    return list(cut(found, page, lambda each: each.id))


@api.add("GET", "/activations/<activation_id>", _("Show one activation."), gives=ActivationView)
def show_activation(activation_id: str) -> ActivationView:
    """Show how an activation stands, or what it was reissued as."""
    here = handfast()
    with here.database.read() as database:
        found = overview.find_activation(
            database, current_person().id, activation_id, now=here.clock.now()
        )
    if found is None:
        raise ProblemError("not-found")
    return found


@api.add(
    "POST",
    "/activations/<activation_id>/document",
    _("Get the document of an activation that waits for a device."),
    takes=DocumentRequest,
    gives=DocumentAnswer,
    problems=("not-waiting",),
)
def complete_activation(asked: DocumentRequest, activation_id: str) -> DocumentAnswer:
    """Issue the document of exactly that activation, for the device that asks."""
    here, person_id, keys = handfast(), current_person().id, signing_keys()
    with here.database.read() as database:
        row = overview.newest(database, person_id, activation_id)
        if row is None:
            raise ProblemError("not-found")
        found, service_ids = row[0], overview.service_ids(database, row[0].id)
    waits = stage_of(found, here.clock.now()) is Stage.WAITING
    # The device that got the document may ask again: its answer may have been lost.
    again = found.state == "open" and found.bound_jkt == asked.device.jkt
    if not (waits or again) or not service_ids:
        raise ProblemError("not-waiting")
    issued = issue(person_id, service_ids, found.ticket, asked.device.jkt, keys)
    return DocumentAnswer(issued.document.decode(), issued.activation_id)


@api.add(
    "DELETE",
    "/activations/<activation_id>",
    _("End an open activation, or undo one: its keys are revoked."),
)
def end_activation(activation_id: str) -> None:
    """End or undo one activation, or what it was reissued as."""
    here, person_id = handfast(), current_person().id
    with here.database.read() as database:
        row = overview.newest(database, person_id, activation_id)
    if row is None:
        raise ProblemError("not-found")
    ended = services.revoke_activation(
        here.database,
        person_id=person_id,
        activation_id=row[0].id,
        now=here.clock.now(),
    )
    if not ended:
        raise ProblemError("not-found")
