"""Write docs/roles.md from app/rights.py, or check that it is up to date."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent.parent
PAGE: Final = HERE / "docs/roles.md"
sys.path.insert(0, str(HERE))

from app.rights import ROLES, Permission, Role, may_grant  # noqa: E402 - the path comes first

MEANINGS: Final = {
    Permission.OWN: "one's own accounts, devices, keys, sessions and history in the portal",
    Permission.STAFF_OWN: "one's own password, second factors, recovery codes and sessions",
    Permission.DASHBOARD_SEE: "see the overview and its plots",
    Permission.PEOPLE_SEE: "see people, their accounts, devices, activations, keys and sessions",
    Permission.PEOPLE_PROVISION: "invite, choose services, make typed codes, send again, withdraw",
    Permission.DEVICES_REVOKE: "revoke, replace and remove keys and devices",
    Permission.SESSIONS_END: "end sessions of people",
    Permission.PEOPLE_IMPORT: "take a list of people in",
    Permission.PEOPLE_EXPORT: "take a list of people out, or all that is kept of one",
    Permission.PEOPLE_DISABLE: "shut a person out, and let them in again",
    Permission.PEOPLE_DELETE: "delete a person",
    Permission.GROUPS_MANAGE: "make, rename and remove groups, and say who is in them",
    Permission.AUDIT_SEE: "search the audit",
    Permission.AUDIT_EXPORT: "take the audit out",
    Permission.STAFF_SEE: "see who works here",
    Permission.STAFF_MANAGE: "invite, change, disable and reset staff; act on colleagues",
    Permission.TOKENS_MANAGE: "make and end tokens of the REST API",
    Permission.WEBHOOKS_MANAGE: "name outside systems that are told of acts",
    Permission.METRICS_READ: "read the metrics",
}
HEAD: Final = """\
# Who may do what

Made by `scripts/roles_page.py` from `app/rights.py`; a test compares them. Every route asks for one
of these permissions or stands on the short public list of `app/permissions.py`, or the portal is
not built; `tests/app/webadmin/test_matrix.py` asks for every route of WebAdmin as every role.
"""
TAIL: Final = """
Beyond the kind of act:

- **Reach.** A member of staff acts on everyone, or on the people of their groups only; who is out
  of reach is not found.
- **Colleagues.** A person who has proven the address of a member of staff, or whom staff have set
  up for it, is acted on only by who manages staff and may give that member's role: an owner's
  person only by owners. The same is so for entering such an address. An address that somebody
  merely names a mail server for makes nobody a colleague.
- **Nobody gives what they do not have.** Neither a role with more permissions, nor a reach beyond
  their own; nor do they change somebody who has either, nor what they are themselves.
- **An owner stays.** The last active one can be neither disabled, reset nor made something else,
  also if two do it to each other.
- **Sensitive acts** ask first who it is, unless that was shown within the last ten minutes.
- A change counts from the member's next request on.
"""


def page() -> str:
    """Return the whole page."""
    names = [role.value for role in Role]
    lines = [
        HEAD,
        f"| permission | {' | '.join(names)} | what |",
        "|---|" + "---|" * (len(names) + 1),
    ]
    for permission in Permission:
        marks = ["yes" if permission in ROLES[role] else "" for role in Role]
        lines.append(f"| `{permission}` | {' | '.join(marks)} | {MEANINGS[permission]} |")
    lines += ["", "| who manages staff as | gives, takes and manages |", "|---|---|"]
    for role in Role:
        if Permission.STAFF_MANAGE in ROLES[role]:
            given = [other.value for other in Role if may_grant(role, other)]
            lines.append(f"| {role} | {', '.join(given)} |")
    return "\n".join(lines) + "\n" + TAIL


def main() -> int:
    """Write the page, or with --check tell whether it is up to date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    if not parser.parse_args().check:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    if PAGE.read_text(encoding="utf-8") == page():
        return 0
    print("docs/roles.md is not what app/rights.py says; run: scripts/roles_page.py")
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
