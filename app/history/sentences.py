"""One sentence for every act, in the second person, and who did it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import Formatter
from typing import Final

from flask_babel import LazyString, gettext, lazy_gettext, ngettext
from markupsafe import Markup, escape

from app.audit import Act
from app.clock import HOUR
from app.history.entries import Entry, Event
from app.history.provisioning_sentences import OF_PROVISIONING
from app.markup import address, bdi
from app.models import StaffRole
from app.words_for_people import SERVICE_NAMES, STAFF_ROLES

# The first sentence whose facts are all there is used; the last one needs none.
SENTENCES: Final[Mapping[Act, Sequence[LazyString]]] = {
    Act.SIGNED_IN: (
        lazy_gettext("You signed in as {account} with Handfast on {device} from {address}."),
        lazy_gettext("You signed in as {account} from {address}."),
        lazy_gettext("You signed in as {account}."),
        lazy_gettext("You signed in."),
    ),
    Act.SIGN_IN_FAILED: (
        lazy_gettext("Somebody tried to sign in as {account} from {address} and failed."),
        lazy_gettext("Somebody tried to sign in as {account} and failed."),
        lazy_gettext("Somebody tried to sign in and failed."),
    ),
    Act.SIGNED_OUT: (lazy_gettext("You signed out."),),
    Act.SESSION_ENDED: (lazy_gettext("One of your sessions was ended."),),
    Act.ACCOUNT_ADDED: (
        lazy_gettext("The mail account {account} was added."),
        lazy_gettext("A mail account was added."),
    ),
    Act.ACCOUNT_REMOVED: (
        lazy_gettext("The mail account {account} was removed."),
        lazy_gettext("A mail account was removed."),
    ),
    Act.ACTIVATION_REQUESTED: (
        lazy_gettext("An activation for {account} was asked for."),
        lazy_gettext("An activation was asked for."),
    ),
    Act.DOCUMENT_ISSUED: (
        lazy_gettext("An activation document for {account} was issued."),
        lazy_gettext("An activation document was issued."),
    ),
    Act.ACTIVATION_ENDED: (lazy_gettext("An activation ended without a device."),),
    Act.DEVICE_ACTIVATED: (
        lazy_gettext("{device} was activated from {address}."),
        lazy_gettext("{device} was activated."),
        lazy_gettext("A device was activated."),
    ),
    Act.CODE_MADE: (
        lazy_gettext("A code to type on a device was made for {account}."),
        lazy_gettext("A code to type on a device was made."),
    ),
    Act.CODE_BURNT: (
        lazy_gettext(
            "The last try of a code to type on a device began from {address}: if it failed,"
            " the code is used up."
        ),
        lazy_gettext("The last try of a code to type on a device began."),
    ),
    Act.KEY_PROVEN: (
        lazy_gettext("{device} used its key for {service} of {account} for the first time."),
        lazy_gettext("A key was used for the first time."),
    ),
    Act.KEY_ROTATION_ASKED: (
        lazy_gettext("A new key for {service} of {account} on {device} was asked for."),
        lazy_gettext("A new key was asked for."),
    ),
    Act.KEY_ROTATION_BEGUN: (
        lazy_gettext("The key for {service} of {account} on {device} is being replaced."),
        lazy_gettext("A key is being replaced."),
    ),
    Act.KEY_ROTATED: (
        lazy_gettext("A new key for {service} of {account} on {device} was made."),
        lazy_gettext("A new key was made."),
    ),
    Act.KEY_RETIRED: (
        lazy_gettext("The key for {service} of {account} on {device} made way for a newer one."),
        lazy_gettext("A key made way for a newer one."),
    ),
    Act.KEY_REVOKED: (
        lazy_gettext("The key for {service} of {account} on {device} was revoked."),
        lazy_gettext("A key was revoked."),
    ),
    Act.DEVICE_CONFIRMED: (
        lazy_gettext("{device} was confirmed as yours."),
        lazy_gettext("A device was confirmed as yours."),
    ),
    Act.DEVICE_REVOKED: (
        lazy_gettext("{device} was revoked."),
        lazy_gettext("A device was revoked."),
    ),
    Act.DEVICE_RESTORED: (
        lazy_gettext("{device} may be activated again."),
        lazy_gettext("A device may be activated again."),
    ),
    Act.STOCK_MADE: (
        lazy_gettext("Activation passwords were made ahead of time for {account}."),
        lazy_gettext("Activation passwords were made ahead of time."),
    ),
    Act.ADDRESS_CHALLENGED: (
        lazy_gettext("A mail with a code that proves {account} was asked for."),
        lazy_gettext("A mail with a code that proves an address was asked for."),
    ),
    Act.ADDRESS_PROVEN: (
        lazy_gettext("{account} was proven to be yours."),
        lazy_gettext("An address was proven to be yours."),
    ),
    Act.MAIL_BOUNCED: (
        lazy_gettext("A mail to {account} came back."),
        lazy_gettext("A mail to you came back."),
    ),
    Act.PIN_CHANGED: (lazy_gettext("A pin for a mail domain was changed."),),
    Act.KEYS_CHANGED: (lazy_gettext("The keys of the service were changed."),),
    **OF_PROVISIONING,
    Act.AUDIT_VERIFIED: (lazy_gettext("The audit was verified."),),
    Act.AUDIT_EXPORTED: (lazy_gettext("The audit was exported."),),
    Act.DATA_EXPORTED: (
        lazy_gettext("Everything that is kept about you was exported: {reason}"),
        lazy_gettext("Everything that is kept about you was exported."),
    ),
    Act.PERSON_DELETED: (lazy_gettext("Everything that was kept about you was deleted."),),
    Act.WEBHOOK_CHANGED: (lazy_gettext("What outside systems are told was changed."),),
    Act.WEBHOOK_TESTED: (lazy_gettext("An outside system was sent a test."),),
    Act.WEBHOOK_GAVE_UP: (lazy_gettext("An outside system could not be told."),),
    # None of these is about a person of the portal; staff read their short names.
    **{
        act: (lazy_gettext("Something was changed in the administration of this service."),)
        for act in Act
        if act.value.startswith(("staff-", "token-", "list-"))
        or act in {Act.GROUP_MADE, Act.GROUP_RENAMED, Act.GROUP_REMOVED, Act.PEOPLE_EXPORTED}
    },
}
# Its owner did nothing, so "revoked" by itself would leave them wondering who did.
NOBODY_ANSWERED: Final = (
    lazy_gettext(
        "The key for {service} of {account} ended, because nobody said in time that {device} "
        "is yours."
    ),
    lazy_gettext("A key ended, because nobody said in time that its device is yours."),
)

# A code that somebody typed shows that they came, and not that the address is theirs.
COME_BY_CODE: Final = (
    lazy_gettext("The invitation for {account} was accepted with a typed code."),
    lazy_gettext("Your invitation was accepted with a typed code."),
)
TOO_LATE: Final = (lazy_gettext("An activation ended because nobody used it in time."),)
TOO_OFTEN: Final = (lazy_gettext("An activation ended because it was tried too often."),)
# What a certain fact makes of an act.
SPECIAL: Final[Mapping[tuple[str, str, str], Sequence[LazyString]]] = {
    (Act.KEY_REVOKED, "ended", "unconfirmed"): NOBODY_ANSWERED,
    (Act.INVITATION_ACCEPTED, "with", "code"): COME_BY_CODE,
    (Act.ACTIVATION_ENDED, "ended", "expired"): TOO_LATE,
    (Act.ACTIVATION_ENDED, "ended", "burnt"): TOO_OFTEN,
}

ACTIVATIONS: Final = frozenset(
    {
        Act.ACTIVATION_REQUESTED,
        Act.DOCUMENT_ISSUED,
        Act.ACTIVATION_ENDED,
        Act.DEVICE_ACTIVATED,
    }
)
DEVICES: Final = frozenset({Act.DEVICE_CONFIRMED, Act.DEVICE_REVOKED, Act.DEVICE_RESTORED})
KEYS: Final = frozenset(
    {
        Act.KEY_PROVEN,
        Act.KEY_ROTATION_ASKED,
        Act.KEY_ROTATION_BEGUN,
        Act.KEY_ROTATED,
        Act.KEY_RETIRED,
        Act.KEY_REVOKED,
    }
)


@dataclass(frozen=True)
class Link:
    """Where more about it stands."""

    endpoint: str
    values: Mapping[str, str]


@dataclass(frozen=True)
class Line:
    """One entry as a person reads it, with its single steps where it has several."""

    at: int
    text: Markup
    by: str
    link: Link | None
    steps: tuple[Line, ...] = ()
    # When it began, where that is long before it ended.
    since: int | None = None
    # Why, as whoever did it on their behalf wrote it.
    reason: str | None = None


def told(entry: Entry, person_id: str) -> Line:
    """Put one entry into words for the person whom it concerns."""
    lines = tuple(_line(event, person_id) for event in entry.events)
    newest, oldest = lines[0], lines[-1]
    if not entry.is_folded:
        return newest
    return Line(
        at=newest.at,
        text=_rotations(entry),
        by=str(gettext("your device")),
        link=None,
        steps=lines,
        since=oldest.at if newest.at - oldest.at >= HOUR else None,
    )


def sentence(act: str, facts: Mapping[str, str]) -> Markup:
    """Return the sentence for an act with as many of its facts as there are."""
    known: dict[str, str] = {name: bdi(fact) for name, fact in facts.items()}
    if "account" in facts:
        known["account"] = address(facts["account"])
    if facts.get("service") in {*SERVICE_NAMES}:
        known["service"] = str(SERVICE_NAMES[facts["service"]])  # type: ignore[index]  # a StrEnum key equals its text
    if "chosen" in facts:
        known["chosen"] = ", ".join(
            str(name) for each, name in SERVICE_NAMES.items() if each in facts["chosen"].split()
        )
    special = (SPECIAL.get((act, name, str(fact))) for name, fact in facts.items())
    told_as = next(filter(None, special), SENTENCES[Act(act)])
    choices = [str(choice) for choice in told_as]
    best = next((choice for choice in choices if _names(choice) <= known.keys()), choices[-1])
    return escape(best).format_map(known)


def _line(event: Event, person_id: str) -> Line:
    return Line(
        at=event.at,
        text=sentence(event.act, event.facts),
        by=_by(event, person_id),
        link=_link(event),
        reason=event.reason,
    )


def _rotations(entry: Entry) -> Markup:
    """Say how many keys were replaced, or are being replaced while none has made way yet."""
    device = bdi(entry.events[0].facts["device"])
    if entry.replaced:
        text = ngettext(
            "%(num)s key of %(device)s was replaced.",
            "%(num)s keys of %(device)s were replaced.",
            entry.replaced,
            device="%(device)s",
        )
    else:
        text = ngettext(
            "%(num)s key of %(device)s is being replaced.",
            "%(num)s keys of %(device)s are being replaced.",
            entry.under_way,
            device="%(device)s",
        )
    # The name goes in last, since only it is marked.
    return escape(text) % {"device": device}


def _names(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


def _by(event: Event, person_id: str) -> str:
    kind, _, actor_id = event.actor.partition(":")
    if event.staff is not None:
        name, role = event.staff
        text = gettext("%(name)s (%(role)s)", name="%(name)s", role=STAFF_ROLES[StaffRole(role)])
        # The name goes in last, since only it is marked.
        return escape(text) % {"name": bdi(name)}
    if kind == "person":
        return str(gettext("you") if actor_id == person_id else gettext("another person"))
    if kind == "device":
        return str(gettext("your device"))
    if kind == "operator":
        return str(gettext("the operator of this service"))
    return str(gettext("this service"))


def _link(event: Event) -> Link | None:
    if event.target is None:
        return None
    if event.act in DEVICES:
        return Link("devices.device", {"device_id": event.target})
    if event.act in KEYS and "device" in event.facts:
        return Link("devices.key", {"key_id": event.target})
    if event.act in ACTIVATIONS:
        return Link("activation.page", {"activation_id": event.target})
    return None
