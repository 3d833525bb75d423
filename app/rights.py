"""Who may do what: permissions, and the roles that are sets of them.

A permission is a kind of act. Whom an act may concern is another matter: ``app.staff.reach`` says
whom a member of staff may act on, and a person's own pages show their own things only.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Permission(StrEnum):
    """The kinds of act."""

    # See and change one's own accounts, devices, keys, sessions and audit, as a person.
    OWN = "own"
    # The same of a member of staff: password, second factors, sessions.
    STAFF_OWN = "staff.own"
    DASHBOARD_SEE = "dashboard.see"
    # People, and their accounts, devices, activations, keys and sessions.
    PEOPLE_SEE = "people.see"
    # Invite, choose services, make codes, send again, withdraw.
    PEOPLE_PROVISION = "people.provision"
    DEVICES_REVOKE = "devices.revoke"
    SESSIONS_END = "sessions.end"
    PEOPLE_IMPORT = "people.import"
    PEOPLE_EXPORT = "people.export"
    PEOPLE_DISABLE = "people.disable"
    PEOPLE_DELETE = "people.delete"
    GROUPS_MANAGE = "groups.manage"
    AUDIT_SEE = "audit.see"
    AUDIT_EXPORT = "audit.export"
    STAFF_SEE = "staff.see"
    STAFF_MANAGE = "staff.manage"
    TOKENS_MANAGE = "tokens.manage"
    WEBHOOKS_MANAGE = "webhooks.manage"
    METRICS_READ = "metrics.read"


class Role(StrEnum):
    """What somebody is here. Everybody who signed in to the portal is a user, and no more."""

    OWNER = "owner"
    ADMINISTRATOR = "administrator"
    CUSTOMER_CARE = "customer-care"
    AUDITOR = "auditor"
    USER = "user"


_CARE: Final = frozenset(
    {
        Permission.STAFF_OWN,
        Permission.DASHBOARD_SEE,
        Permission.PEOPLE_SEE,
        Permission.PEOPLE_PROVISION,
        Permission.DEVICES_REVOKE,
        Permission.SESSIONS_END,
    }
)
_AUDITOR: Final = frozenset(
    {
        Permission.STAFF_OWN,
        Permission.DASHBOARD_SEE,
        Permission.PEOPLE_SEE,
        Permission.AUDIT_SEE,
        Permission.AUDIT_EXPORT,
        Permission.STAFF_SEE,
    }
)
_ADMINISTRATOR: Final = (
    _CARE
    | _AUDITOR
    | {
        Permission.PEOPLE_IMPORT,
        Permission.PEOPLE_EXPORT,
        Permission.PEOPLE_DISABLE,
        Permission.PEOPLE_DELETE,
        Permission.GROUPS_MANAGE,
        Permission.STAFF_MANAGE,
        Permission.TOKENS_MANAGE,
        Permission.METRICS_READ,
    }
)

ROLES: Final = MappingProxyType(
    {
        Role.OWNER: frozenset(set(Permission) - {Permission.OWN}),
        Role.ADMINISTRATOR: _ADMINISTRATOR,
        Role.CUSTOMER_CARE: _CARE,
        Role.AUDITOR: _AUDITOR,
        Role.USER: frozenset({Permission.OWN}),
    }
)


def permissions_of(role: str) -> frozenset[Permission]:
    """Return what a role may do."""
    return ROLES[Role(role)]


def may_grant(granter: str, role: str) -> bool:
    """Tell whether somebody of one role may give, take or manage another: no more than they have.

    Being a user is not given by anybody.
    """
    return role != Role.USER and permissions_of(role) <= permissions_of(granter)
