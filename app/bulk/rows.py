"""The rows of very many invitations: what ``app.provisioning.inviting`` makes of each, ahead.

Nothing is looked up or written here. Lines come in the order of their addresses, and their ids are
in order, too: so the database writes to places side by side, which halves the time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.audit import Act, row_of
from app.bulk.fields import Fields
from app.clock import DAY
from app.config import Config
from app.mailservers.server import VouchedBy
from app.models import ActivationState, GrantState, InvitationState, MailState, ServiceName, new_id
from app.outbox.kinds import MailKind
from app.people.terms import words_of
from protocol import service_uid

Row = tuple[Any, ...]
_CANONICAL: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
# The tables in the order in which they refer to one another, and what is written of each.
COLUMNS: Final = {
    "person": ("id", "created_at", "name", "language"),
    "person_term": ("term", "person_id"),
    "group_member": ("group_id", "person_id"),
    "mail_account": ("id", "person_id", "address", "vouched_by", "created_at"),
    "account_service": ("id", "account_id", "service", "service_uid", "created_at"),
    "activation": (
        "id",
        "person_id",
        "ticket",
        "kind",
        "made_by",
        "state",
        "created_at",
        "expires_at",
        "attempts",
    ),
    "service_grant": (
        "id",
        "account_service_id",
        "activation_id",
        "position",
        "state",
        "created_at",
        "expires_at",
    ),
    "invitation": (
        "id",
        "person_id",
        "address",
        "services",
        "state",
        "reason",
        "invited_by",
        "import_id",
        "created_at",
        "expires_at",
    ),
    "outgoing_mail": (
        "id",
        "person_id",
        "address",
        "kind",
        "facts",
        "state",
        "attempts",
        "created_at",
        "next_at",
    ),
    "audit": ("at", "actor", "act", "subject_id", "target", "record", "detail", "salt"),
}


@dataclass(frozen=True)
class Terms:
    """What all lines of a list have in common."""

    import_id: str
    # As the audit names them, and as a mail does.
    actor: str
    told_by: Mapping[str, str | int]
    reason: str
    now: int
    config: Config
    entropy: Callable[[int], bytes]

    @property
    def until(self) -> int:
        """When an invitation ends."""
        return self.now + self.config.activation_days * DAY


@dataclass(frozen=True, slots=True)
class Ids:
    """The ids that one line's things get."""

    person: str
    account: str
    activation: str
    invitation: str
    mail: str
    services: tuple[str, ...]
    grants: tuple[str, ...]


def ids_in_order(count: int, entropy: Callable[[int], bytes]) -> Iterator[Ids]:
    """Yield the ids of so many lines: random ones, sorted."""
    kinds = ("person", "account", "activation", "invitation", "mail")
    single = {kind: _sorted_ids(count, entropy) for kind in kinds}
    most = len(ServiceName)
    services, grants = _sorted_ids(most * count, entropy), _sorted_ids(most * count, entropy)
    for place in range(count):
        each = slice(most * place, most * (place + 1))
        named = {kind: ids[place] for kind, ids in single.items()}
        yield Ids(**named, services=tuple(services[each]), grants=tuple(grants[each]))


def rows_of(
    fields: Fields, group_ids: Sequence[str], ids: Ids, terms: Terms
) -> dict[str, list[Row]]:
    """Return the rows of one line by table, with the values in the order of COLUMNS."""
    assert fields.address is not None
    now, chosen = terms.now, " ".join(fields.services)
    # A line may have fewer services than there are ids for.
    services = list(zip(fields.services, ids.services, ids.grants, strict=False))
    return {
        "person": [(ids.person, now, fields.name, fields.language)],
        "person_term": [(word, ids.person) for word in words_of(fields.name, [fields.address])],
        "group_member": [(group_id, ids.person) for group_id in group_ids],
        "mail_account": [(ids.account, ids.person, fields.address, VouchedBy.STAFF.value, now)],
        "account_service": [
            (service_id, ids.account, service, _uid(terms), now)
            for service, service_id, _ in services
        ],
        "activation": [_activation(ids, terms)],
        "service_grant": [
            (grant, service_id, ids.activation, place, GrantState.ISSUED.value, now, terms.until)
            for place, (_, service_id, grant) in enumerate(services)
        ],
        "invitation": [_invitation(fields.address, chosen, ids, terms)],
        "outgoing_mail": [_mail(fields, chosen, ids, terms)],
        "audit": _audit(fields.address, fields.services, ids, terms),
    }


def _sorted_ids(count: int, entropy: Callable[[int], bytes]) -> list[str]:
    return sorted(new_id(entropy) for _ in range(count))


def _uid(terms: Terms) -> str:
    return service_uid.make(terms.config.shard, entropy=terms.entropy)


def _activation(ids: Ids, terms: Terms) -> Row:
    return (
        ids.activation,
        ids.person,
        new_id(terms.entropy),
        "document",
        terms.actor,
        ActivationState.OPEN.value,
        terms.now,
        terms.until,
        0,
    )


def _invitation(address: str, chosen: str, ids: Ids, terms: Terms) -> Row:
    return (
        ids.invitation,
        ids.person,
        address,
        chosen,
        InvitationState.OPEN.value,
        terms.reason,
        terms.actor,
        terms.import_id,
        terms.now,
        terms.until,
    )


def _mail(fields: Fields, chosen: str, ids: Ids, terms: Terms) -> Row:
    facts = {
        "account": fields.address,
        **terms.told_by,
        "name": fields.name,
        "reason": terms.reason,
        "services": chosen,
        "until": terms.until,
    }
    return (
        ids.mail,
        ids.person,
        fields.address,
        MailKind.INVITED.value,
        _CANONICAL.encode(facts),
        MailState.WAITING.value,
        0,
        terms.now,
        terms.now,
    )


def _audit(address: str, services: Sequence[str], ids: Ids, terms: Terms) -> list[Row]:
    invited = {"reason": terms.reason, "account": address, "chosen": " ".join(services)}
    asked = {"services": len(services), "reason": terms.reason}
    return [
        _noted(Act.PERSON_INVITED, ids.invitation, invited, ids, terms),
        _noted(Act.ACTIVATION_REQUESTED, ids.activation, asked, ids, terms),
    ]


def _noted(act: Act, target: str, detail: dict[str, Any], ids: Ids, terms: Terms) -> Row:
    row = row_of(
        at=terms.now,
        actor=terms.actor,
        act=act,
        subject=ids.person,
        target=target,
        detail=detail,
        entropy=terms.entropy,
    )
    return tuple(row[name] for name in COLUMNS["audit"])
