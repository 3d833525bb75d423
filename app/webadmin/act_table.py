"""Every act of staff on what somebody has: one table, each with what it does in words.

A page asks before each of them (``app.webadmin.act_views``): it names the thing, says what will
happen and who will be told, and wants a reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _
from sqlalchemy.orm import Session

from app.people.acting import About
from app.provisioning import services
from app.rights import Permission
from app.staff.reach import Actor
from app.webadmin.people_forms import (
    ActForm,
    ActivationForm,
    AddressForm,
    GroupsForm,
    ReasonForm,
    RenameForm,
    ServicesForm,
)


@dataclass(frozen=True)
class Doing:
    """One act under way."""

    session: Session
    actor: Actor
    about: About
    form: Any
    here: services.Here

    @property
    def person_id(self) -> str:
        """Whom it is done to."""
        return self.about.owner.id

    @property
    def why(self) -> dict[str, Any]:
        """What acts that make nothing new need."""
        reason = self.form.reason.data
        return {"reason": reason, "now": self.here.now, "entropy": self.here.entropy}

    @property
    def order(self) -> dict[str, Any]:
        """What acts need that make something new."""
        return {"reason": self.form.reason.data, "here": self.here}

    @property
    def that(self) -> tuple[Session, Actor, str, str]:
        """The thing, as acts on a thing of somebody's name it."""
        return self.session, self.actor, self.person_id, self.about.id

    @property
    def them(self) -> tuple[Session, Actor, str]:
        """The person, as acts on a person name them."""
        return self.session, self.actor, self.person_id


@dataclass(frozen=True)
class AskedAct:
    """One act: its page, its words, and the service that does it."""

    # The endpoint of its page, which asks when it is opened and acts when it is sent.
    name: str
    path: str
    kind: str
    permission: Permission
    # Each has %(name)s in the place of what the thing is called.
    title: LazyString
    will: tuple[LazyString, ...]
    button: LazyString
    done: LazyString
    run: Callable[[Doing], object]
    form: type[ActForm] = ReasonForm
    is_danger: bool = True
    # Whether it asks first whether it is still the same member of staff who sits there.
    is_fresh: bool = False
    # Whether a mail goes out about it.
    is_told: bool = True
    # Whether it does so only where keys end with the thing.
    is_told_of_keys: bool = False


DEVICES: Final = (
    AskedAct(
        "revoke_device",
        "/devices/<thing_id>/revoke",
        "device",
        Permission.DEVICES_REVOKE,
        _("Revoke %(name)s?"),
        (
            _("Its keys end at once, and its client is signed out."),
            _("Only its owner can allow it again."),
        ),
        _("Revoke the device"),
        _("%(name)s was revoked."),
        lambda it: services.revoke_device(*it.that, **it.why),
        is_fresh=True,
    ),
    AskedAct(
        "wipe_device",
        "/devices/<thing_id>/wipe",
        "device",
        Permission.DEVICES_REVOKE,
        _("Remove the keys of %(name)s?"),
        (
            _("It is revoked: its keys end here at once."),
            _(
                "At its next contact it removes them from itself and says so. Until then its page "
                "says that removal was asked for."
            ),
        ),
        _("Remove its keys"),
        _("%(name)s was revoked and removes its keys at its next contact."),
        lambda it: services.wipe_device(*it.that, **it.why),
        is_fresh=True,
    ),
    AskedAct(
        "revoke_key",
        "/keys/<thing_id>/revoke",
        "key",
        Permission.DEVICES_REVOKE,
        _("Revoke this key on %(name)s?"),
        (
            _(
                "The device can no longer use this service. This cannot be undone; it needs a new "
                "activation."
            ),
        ),
        _("Revoke the key"),
        _("The key on %(name)s was revoked."),
        lambda it: services.revoke_key(*it.that, **it.why),
        is_fresh=True,
    ),
    AskedAct(
        "rotate_key",
        "/keys/<thing_id>/replace",
        "key",
        Permission.DEVICES_REVOKE,
        _("Replace this key on %(name)s?"),
        (
            _(
                "The device makes a new key at its next contact. This one works until the new "
                "one does."
            ),
        ),
        _("Replace the key"),
        _("The key on %(name)s is replaced at its next contact."),
        lambda it: services.rotate_key(*it.that, **it.why),
        is_danger=False,
        is_fresh=True,
    ),
    AskedAct(
        "end_activation",
        "/activations/<thing_id>/end",
        "activation",
        Permission.DEVICES_REVOKE,
        _("End this activation for %(name)s?"),
        (_("No device can use it any more. If one has, the keys from it end, too."),),
        _("End the activation"),
        _("The activation for %(name)s has ended."),
        lambda it: services.end_activation(*it.that, **it.why),
        is_fresh=True,
        is_told_of_keys=True,
    ),
)
SESSIONS: Final = (
    AskedAct(
        "end_session",
        "/sessions/<thing_id>/end",
        "session",
        Permission.SESSIONS_END,
        _("End this session of %(name)s?"),
        (_("Whoever uses it is signed out at once and may sign in again."),),
        _("End the session"),
        _("A session of %(name)s was ended."),
        lambda it: services.end_session(*it.that, **it.why),
    ),
)
PROVISIONING: Final = (
    AskedAct(
        "new_activation",
        "/people/<thing_id>/activation",
        "person",
        Permission.PEOPLE_PROVISION,
        _("New activation for %(name)s"),
        (
            _(
                "It waits for their device. They finish it there, signed in with their own mail "
                "account; you never see or enter their password."
            ),
        ),
        _("Leave it waiting"),
        _("An activation waits for a device of %(name)s."),
        lambda it: services.request_for(
            *it.them, it.form.account.data, it.form.services.data, **it.order
        ),
        form=ActivationForm,
        is_danger=False,
    ),
    AskedAct(
        "choose_services",
        "/accounts/<thing_id>/services",
        "account",
        Permission.PEOPLE_PROVISION,
        _("Services of %(name)s"),
        (
            _(
                "The account has exactly the services that you choose. Keys of a service that "
                "you take away end at once."
            ),
        ),
        _("Choose these services"),
        _("The services of %(name)s were chosen."),
        lambda it: services.choose_services(*it.that, it.form.services.data, **it.order),
        form=ServicesForm,
        is_danger=False,
    ),
    AskedAct(
        "resend",
        "/invitations/<thing_id>/send-again",
        "invitation",
        Permission.PEOPLE_PROVISION,
        _("Send the invitation to %(name)s again?"),
        (_("Its time begins anew, and so does that of the activation that waits with it."),),
        _("Send it again"),
        _("The invitation to %(name)s goes out again."),
        lambda it: services.resend(it.session, it.actor, it.about.id, **it.order),
        is_danger=False,
    ),
    AskedAct(
        "withdraw",
        "/invitations/<thing_id>/withdraw",
        "invitation",
        Permission.PEOPLE_PROVISION,
        _("Withdraw the invitation to %(name)s?"),
        (
            _(
                "What waits for a device with it ends. The person stays in the list without a "
                "service."
            ),
        ),
        _("Withdraw the invitation"),
        _("The invitation to %(name)s was withdrawn."),
        lambda it: services.withdraw(it.session, it.actor, it.about.id, **it.order),
    ),
)
PEOPLE: Final = (
    AskedAct(
        "rename_person",
        "/people/<thing_id>/name",
        "person",
        Permission.PEOPLE_PROVISION,
        _("What is %(name)s called?"),
        (_("Pages of staff and mail to them use the name."),),
        _("Change the name"),
        _("The name was changed."),
        lambda it: services.rename(*it.them, it.form.name.data, **it.why),
        form=RenameForm,
        is_danger=False,
        is_told=False,
    ),
    AskedAct(
        "regroup_person",
        "/people/<thing_id>/groups",
        "person",
        Permission.GROUPS_MANAGE,
        _("Groups of %(name)s"),
        (_("Some staff see the people of their groups only."),),
        _("Change the groups"),
        _("The groups of %(name)s were changed."),
        lambda it: services.set_groups(*it.them, it.form.groups.data, **it.why),
        form=GroupsForm,
        is_danger=False,
        is_told=False,
    ),
    AskedAct(
        "disable_person",
        "/people/<thing_id>/disable",
        "person",
        Permission.PEOPLE_DISABLE,
        _("Disable %(name)s?"),
        (
            _("They are signed out everywhere and cannot sign in."),
            _(
                "All their keys are revoked, and what waits for a device ends. Enabling them again "
                "does not bring the keys back."
            ),
        ),
        _("Disable this person"),
        _("%(name)s is disabled."),
        lambda it: services.disable(*it.them, **it.why),
        is_fresh=True,
    ),
    AskedAct(
        "enable_person",
        "/people/<thing_id>/enable",
        "person",
        Permission.PEOPLE_DISABLE,
        _("Enable %(name)s again?"),
        (_("They may sign in and activate devices again. Their revoked keys stay revoked."),),
        _("Enable this person"),
        _("%(name)s may sign in again."),
        lambda it: services.enable(*it.them, **it.why),
        is_danger=False,
        is_fresh=True,
    ),
)
ADDRESSES: Final = (
    AskedAct(
        "change_address",
        "/accounts/<thing_id>/change",
        "account",
        Permission.PEOPLE_PROVISION,
        _("A new address instead of %(name)s"),
        (
            _(
                "The new address gets an invitation. It counts once its owner, signed in as "
                "themselves, adds it; then the old one goes with its keys, unless they keep it."
            ),
        ),
        _("Invite the new address"),
        _("The new address in place of %(name)s was invited."),
        lambda it: services.change_address(
            *it.that, it.form.address.data, keep_old=it.form.keep_old.data, **it.order
        ),
        form=AddressForm,
        is_danger=False,
        is_fresh=True,
    ),
    AskedAct(
        "release_address",
        "/accounts/<thing_id>/release",
        "account",
        Permission.PEOPLE_DISABLE,
        _("Take %(name)s off this person?"),
        (_("Its keys end at once. Whoever proves the address next is somebody new here."),),
        _("Take the address off"),
        _("%(name)s was taken off."),
        lambda it: services.release_address(*it.that, **it.why),
        is_fresh=True,
    ),
    AskedAct(
        "keep_address",
        "/accounts/<thing_id>/keep",
        "account",
        Permission.PEOPLE_DISABLE,
        _("Is %(name)s still this person's?"),
        (_("Say so only if you know it: whoever reads its mail could come in as this person."),),
        _("Yes, it is theirs"),
        _("%(name)s is still theirs."),
        lambda it: services.keep_address(*it.that, **it.why),
        is_danger=False,
        is_fresh=True,
    ),
)
ACTS: Final = (*DEVICES, *SESSIONS, *PROVISIONING, *PEOPLE, *ADDRESSES)
