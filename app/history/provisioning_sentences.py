"""The sentences for what staff do for a person, and for what becomes of addresses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from flask_babel import LazyString, lazy_gettext

from app.audit import Act

OF_PROVISIONING: Final[Mapping[Act, Sequence[LazyString]]] = {
    Act.PERSON_INVITED: (
        lazy_gettext("You were invited with {account}."),
        lazy_gettext("You were invited."),
    ),
    Act.PERSON_INVITED_AGAIN: (
        lazy_gettext("The invitation for {account} was sent again."),
        lazy_gettext("Your invitation was sent again."),
    ),
    Act.INVITATION_WITHDRAWN: (
        lazy_gettext("The invitation for {account} was withdrawn."),
        lazy_gettext("Your invitation was withdrawn."),
    ),
    Act.INVITATION_ACCEPTED: (
        lazy_gettext("The invitation for {account} was accepted."),
        lazy_gettext("Your invitation was accepted."),
    ),
    Act.INVITATION_EXPIRED: (
        lazy_gettext("The invitation for {account} was not used in time."),
        lazy_gettext("Your invitation was not used in time."),
    ),
    Act.SERVICES_CHOSEN: (
        lazy_gettext("The services of {account} are now: {chosen}."),
        lazy_gettext("The services of a mail account were chosen."),
    ),
    Act.DEVICE_WIPE_ASKED: (
        lazy_gettext("{device} was asked to remove its keys."),
        lazy_gettext("A device was asked to remove its keys."),
    ),
    Act.DEVICE_WIPED: (
        lazy_gettext("{device} removed its keys."),
        lazy_gettext("A device removed its keys."),
    ),
    Act.PERSON_DISABLED: (lazy_gettext("You were shut out, and your keys were revoked."),),
    Act.PERSON_ENABLED: (lazy_gettext("You may sign in again."),),
    Act.PERSON_RENAMED: (
        lazy_gettext("Your name here is now {name}."),
        lazy_gettext("Your name here was changed."),
    ),
    Act.PERSON_GROUPED: (
        lazy_gettext("Your groups are now: {groups}."),
        lazy_gettext("Your groups were changed."),
    ),
    Act.ADDRESS_CHANGE_ASKED: (
        lazy_gettext("{account} was entered as your new address."),
        lazy_gettext("A new address was entered for you."),
    ),
    Act.ADDRESS_RELEASED: (
        lazy_gettext("{account} is no longer yours here, and its keys were revoked."),
        lazy_gettext("An address is no longer yours here, and its keys were revoked."),
    ),
    Act.ADDRESS_KEPT: (
        lazy_gettext("{account} was confirmed to be still yours."),
        lazy_gettext("An address was confirmed to be still yours."),
    ),
    Act.ADDRESS_CONTESTED: (
        lazy_gettext("Somebody else showed that they can sign in to {account}."),
        lazy_gettext("Somebody else showed that they can sign in to one of your addresses."),
    ),
}
