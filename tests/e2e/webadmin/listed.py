"""Every page and state of WebAdmin that is looked at: by what it shows, for whom, and where."""

from __future__ import annotations

from dataclasses import dataclass

# Sam owns the installation and may see everything.
OWNER = "sam"


@dataclass(frozen=True)
class Listed:
    """One page as one member of staff sees it."""

    path: str
    # An attribute of Lived; "" is nobody.
    who: str = OWNER


PAGES = {
    "overview": Listed("/admin"),
    "overview of a week": Listed("/admin?days=7"),
    "overview of a year": Listed("/admin?days=365"),
    "overview of customer care": Listed("/admin", "olu"),
    "overview of care for groups": Listed("/admin", "limited"),
    "overview of an auditor": Listed("/admin", "uma"),
    "people": Listed("/admin/people"),
    "people found": Listed("/admin/people?q=ann"),
    "nobody found": Listed("/admin/people?q=zzz"),
    "a person": Listed("/admin/people/{person}"),
    "mail accounts": Listed("/admin/accounts"),
    "devices": Listed("/admin/devices"),
    "activations": Listed("/admin/activations"),
    "keys": Listed("/admin/keys"),
    "sessions": Listed("/admin/sessions"),
    "a device": Listed("/admin/devices/{laptop}"),
    "a key": Listed("/admin/keys/{key}"),
    "an activation": Listed("/admin/activations/{waiting}"),
    "sign in": Listed("/admin/sign-in", ""),
    "a missing page": Listed("/admin/nothing"),
}
