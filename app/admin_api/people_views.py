"""People, and what staff set up for them."""

from __future__ import annotations

from typing import Final

from flask_babel import lazy_gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.activation.portal_keys import portal_keys
from app.activation.services import make_stock
from app.admin_api import holder
from app.admin_api.acting import PROBLEMS, act, make, surroundings, told
from app.admin_api.messages import (
    ActivationMade,
    GroupRef,
    InvitationLine,
    InvitedView,
    InviteRequest,
    PersonDetails,
    PersonLineView,
    PersonThings,
    ReasonGiven,
    ServicesRequest,
    StockMade,
    StockRequest,
)
from app.api import overview
from app.api.operations import admin_api
from app.api.pages import MOST, Asked, next_page
from app.api.problems import ProblemError
from app.clock import seconds
from app.extensions import handfast
from app.models import AccountService, MailAccount, ServiceName
from app.people.conditions import PeopleState
from app.people.listing import PersonLine, Wanted, list_people
from app.people.overview import InvitationView, find_person
from app.people.paging import parse_place
from app.provisioning import services
from app.provisioning.services import Here, Invite
from app.rights import Permission
from app.staff import reach
from app.staff.reach import Actor

FILTERS: Final = ("search", "state", "group")


@admin_api.add(
    "GET",
    "/people",
    _("Look for people; state and group narrow the list."),
    needs=Permission.PEOPLE_SEE,
    gives=list[PersonLineView],
    paged=True,
    filters=FILTERS,
)
def admin_list_people(page: Asked) -> list[PersonLineView]:
    """List the people within reach, page by page."""
    here, after = handfast(), parse_place(page.after)
    if page.after is not None and after is None:
        raise ProblemError("unknown-cursor")
    wanted = Wanted(
        text=page.filters.get("search", ""),
        state=_state(page.filters.get("state")),
        group_id=_id(page.filters.get("group", "")),
        after=after,
    )
    with here.database.read() as session:
        found, lines = list_people(
            session, holder.actor(), wanted, now=here.clock.now(), limit=page.limit
        )
    if found.older is not None:
        next_page(page, str(found.older))
    return [_line(each) for each in lines]


@admin_api.add(
    "POST",
    "/people",
    _("Invite a person: what they get waits for their device."),
    needs=Permission.PEOPLE_PROVISION,
    takes=InviteRequest,
    gives=InvitedView,
    is_repeatable=True,
    problems=("not-found", "colleague", "address-taken", "ended"),
)
def admin_invite(wanted: InviteRequest) -> InvitedView:
    """Set an address up for its owner."""

    def work(session: Session, actor: Actor, here: Here) -> InvitedView:
        chosen = tuple(one.value for one in wanted.services or ServiceName)
        order = Invite(wanted.address, wanted.name, chosen, tuple(wanted.groups), wanted.language)
        made = services.invite(session, actor, order, reason=wanted.reason, here=here)
        return InvitedView(made.person_id, made.invitation_id, made.activation_id)

    return make(InvitedView, work)


@admin_api.add(
    "GET",
    "/people/<person_id>",
    _("Get one person."),
    needs=Permission.PEOPLE_SEE,
    gives=PersonDetails,
)
def admin_get_person(person_id: str) -> PersonDetails:
    """Return one person within reach."""
    here = handfast()
    now = here.clock.now()
    with told(), here.database.read() as session:
        found = find_person(session, holder.actor(), person_id, now=now)
        accounts = overview.list_accounts(session, person_id, now=now)
    return PersonDetails(
        id=found.id,
        name=found.line.name,
        language=found.language,
        states=list(found.states),
        groups=[GroupRef(group_id, name) for group_id, name in found.groups],
        accounts=accounts,
        invitations=[_invitation(each) for each in found.invitations],
        disabled_at=None if found.disabled_at is None else seconds(found.disabled_at),
        added_at=seconds(found.line.created_at),
    )


@admin_api.add(
    "GET",
    "/people/<person_id>/things",
    _("Get what a person has: devices, keys and the latest activations."),
    needs=Permission.PEOPLE_SEE,
    gives=PersonThings,
)
def admin_get_things(person_id: str) -> PersonThings:
    """Return what a person within reach has."""
    here = handfast()
    now = here.clock.now()
    with told(), here.database.read() as session:
        reach.find(session, holder.actor(), person_id)
        return PersonThings(
            devices=overview.list_devices(session, person_id, now=now),
            keys=overview.list_keys(session, person_id, now=now),
            activations=overview.list_activations(
                session, person_id, after=None, limit=MOST, now=now
            ),
        )


@admin_api.add(
    "POST",
    "/people/<person_id>/activations",
    _("Have an activation of some services of an account wait for the person's device."),
    needs=Permission.PEOPLE_PROVISION,
    takes=ServicesRequest,
    gives=ActivationMade,
    is_repeatable=True,
    problems=PROBLEMS,
)
def admin_request_activation(wanted: ServicesRequest, person_id: str) -> ActivationMade:
    """Leave an activation waiting."""

    def work(session: Session, actor: Actor, here: Here) -> ActivationMade:
        chosen = [one.value for one in wanted.services]
        made = services.request_for(
            session, actor, person_id, wanted.account, chosen, reason=wanted.reason, here=here
        )
        return ActivationMade(made)

    return make(ActivationMade, work)


@admin_api.add(
    "PUT",
    "/people/<person_id>/services",
    _("Give an account exactly these services; the keys of those that it loses end."),
    needs=Permission.PEOPLE_PROVISION,
    takes=ServicesRequest,
    problems=PROBLEMS,
)
def admin_choose_services(wanted: ServicesRequest, person_id: str) -> None:
    """Choose the services of an account."""
    chosen = [one.value for one in wanted.services]
    with told(), handfast().database.write() as session:
        services.choose_services(
            session,
            holder.actor(),
            person_id,
            wanted.account,
            chosen,
            reason=wanted.reason,
            here=surroundings(),
        )


@admin_api.add(
    "POST",
    "/people/<person_id>/stock",
    _("Make activation passwords ahead for services of an account."),
    needs=Permission.PEOPLE_PROVISION,
    takes=StockRequest,
    gives=StockMade,
    problems=PROBLEMS,
)
def admin_make_stock(wanted: StockRequest, person_id: str) -> StockMade:
    """Make stock."""
    here, actor = handfast(), holder.actor()
    with told(), here.database.read() as session:
        reach.check(session, actor, person_id)
        reason = services.usable_reason(wanted.reason)
        ids = session.scalars(
            select(AccountService.id)
            .join(MailAccount, MailAccount.id == AccountService.account_id)
            .where(
                MailAccount.id == wanted.account,
                MailAccount.person_id == person_id,
                AccountService.service.in_([one.value for one in wanted.services]),
            )
        ).all()
    if len(ids) != len(set(wanted.services)):
        raise ProblemError("ended", "the account lacks one of these services")
    made = make_stock(
        here.database,
        account_service_ids=ids,
        count=wanted.count,
        now=here.clock.now(),
        entropy=here.entropy,
        sealer=portal_keys().grants,
        actor=actor.actor,
        reason=reason,
    )
    return StockMade(made)


@admin_api.add(
    "POST",
    "/people/<person_id>/disablement",
    _("Shut a person out: their keys and sessions end."),
    needs=Permission.PEOPLE_DISABLE,
    takes=ReasonGiven,
    problems=PROBLEMS,
)
def admin_disable(given: ReasonGiven, person_id: str) -> None:
    """Disable a person."""
    act(services.disable, person_id, reason=given.reason)


@admin_api.add(
    "POST",
    "/people/<person_id>/enablement",
    _("Let a person in again; their revoked keys stay revoked."),
    needs=Permission.PEOPLE_DISABLE,
    takes=ReasonGiven,
    problems=PROBLEMS,
)
def admin_enable(given: ReasonGiven, person_id: str) -> None:
    """Enable a person."""
    act(services.enable, person_id, reason=given.reason)


def _state(untrusted: str | None) -> PeopleState | None:
    if untrusted is None:
        return None
    try:
        return PeopleState(untrusted)
    except ValueError:
        states = ", ".join(PeopleState)
        raise ProblemError("unusable", f"state is one of {states}") from None


def _id(untrusted: str) -> str:
    if (untrusted and not untrusted.isascii()) or not untrusted.isprintable():
        raise ProblemError("unusable", "group is an id")
    return untrusted


def _line(line: PersonLine) -> PersonLineView:
    return PersonLineView(
        line.id, line.name, line.address, list(line.states), line.devices, seconds(line.created_at)
    )


def _invitation(view: InvitationView) -> InvitationLine:
    return InvitationLine(
        view.id,
        view.address,
        [ServiceName(one) for one in view.services],
        view.state,
        view.invited_by,
        seconds(view.created_at),
        seconds(view.expires_at),
        None if view.ended_at is None else seconds(view.ended_at),
    )
