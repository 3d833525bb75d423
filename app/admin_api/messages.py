"""What the administration's API takes and gives, one type each; times as in the people's API."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, field

from app.api.messages import (
    AccountView,
    ActivationView,
    Address,
    DeviceView,
    KeyView,
    Seconds,
    Taken,
)
from app.bulk.problems import Problem
from app.bulk.services import MOST_STOCK
from app.models import ImportState, ServiceName
from app.people.conditions import PeopleState

MOST_PEOPLE = 1000

Id = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{21}[AQgw]\Z")]
Name = Annotated[str, Meta(max_length=100)]
Reason = Annotated[
    str,
    Meta(
        min_length=3,
        max_length=200,
        description="Why. It is kept in the audit, and the person reads it.",
        examples=["asked for by telephone"],
    ),
]
Services = Annotated[list[ServiceName], Meta(min_length=1, max_length=3)]
Stock = Annotated[
    int,
    Meta(ge=0, le=MOST_STOCK, description="Passwords to make ahead for each service."),
]


class ReasonGiven(Taken, frozen=True):
    """Why something is done."""

    reason: Reason


class InviteRequest(Taken, frozen=True):
    """Whom to invite."""

    address: Address
    reason: Reason
    name: Name = ""
    services: Services | None = None
    groups: Annotated[list[Id], Meta(max_length=50, description="Ids of groups.")] = field(
        default_factory=list
    )
    language: Annotated[str, Meta(min_length=2, max_length=16)] | None = None


class InvitedView(Struct, frozen=True):
    """What there is now."""

    person: str
    invitation: Annotated[str, Meta(description="Of an address that nobody had proven.")] | None
    activation: Annotated[str, Meta(description="It waits for a device.")]


class GroupRef(Struct, frozen=True):
    """A group, as other things name it."""

    id: str
    name: str


class PersonLineView(Struct, frozen=True):
    """One person in a list."""

    id: str
    name: str
    address: Annotated[str, Meta(description="Their first address; empty where there is none.")]
    states: list[PeopleState]
    devices: Annotated[int, Meta(ge=0)]
    added_at: Seconds


class InvitationLine(Struct, frozen=True):
    """One invitation."""

    id: str
    address: str
    services: list[ServiceName]
    state: str
    invited_by: str
    created_at: Seconds
    expires_at: Seconds
    ended_at: int | None


class PersonDetails(Struct, frozen=True):
    """One person."""

    id: str
    name: str
    language: str | None
    states: list[PeopleState]
    groups: list[GroupRef]
    accounts: list[AccountView]
    invitations: Annotated[list[InvitationLine], Meta(description="The latest ones.")]
    disabled_at: int | None
    added_at: Seconds


class PersonThings(Struct, frozen=True):
    """What a person has: devices, their keys, the latest activations."""

    devices: list[DeviceView]
    keys: list[KeyView]
    activations: list[ActivationView]


class ServicesRequest(Taken, frozen=True):
    """Services of one mail account of a person."""

    account: Id
    services: Services
    reason: Reason


class ActivationMade(Struct, frozen=True):
    """An activation that waits for a device."""

    activation: str


class StockRequest(Taken, frozen=True):
    """Passwords to make ahead for services of one mail account."""

    account: Id
    services: Services
    count: Annotated[int, Meta(ge=1, le=100)]
    reason: Reason


class StockMade(Struct, frozen=True):
    """How many passwords were made."""

    made: int


class GroupRequest(Taken, frozen=True):
    """A new group."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]


class GroupDetails(Struct, frozen=True):
    """One group."""

    id: str
    name: str
    people: Annotated[int, Meta(ge=0)]


class ImportRequest(Taken, frozen=True):
    """A list of people as CSV; its first line names the columns."""

    csv: Annotated[
        str,
        Meta(
            min_length=1,
            description="address,name,services,groups,language; groups by name, between |.",
            examples=["address,name\ncarla@example.org,Carla Ríos\n"],
        ),
    ]
    reason: Reason
    stock: Stock = 0


class Guest(Taken, frozen=True):
    """One person of a list."""

    address: Address
    name: Name = ""
    services: Services | None = None
    groups: Annotated[list[Name], Meta(max_length=50, description="Names of groups.")] = field(
        default_factory=list
    )
    language: Annotated[str, Meta(min_length=2, max_length=16)] | None = None


class GuestsRequest(Taken, frozen=True):
    """Several people to invite, all or none of them."""

    people: Annotated[list[Guest], Meta(min_length=1, max_length=MOST_PEOPLE)]
    reason: Reason
    stock: Stock = 0


class ImportView(Struct, frozen=True):
    """A list, and how far it is."""

    id: str
    state: ImportState
    reason: str
    lines: Annotated[int, Meta(ge=0)]
    done: Annotated[int, Meta(ge=0, description="Of the present step.")]
    problems: Annotated[int, Meta(ge=0, description="How many lines have one.")]
    created_at: Seconds
    ended_at: int | None
    failure: str | None


class LineProblem(Struct, frozen=True):
    """One thing that is wrong with a line."""

    code: Problem
    about: Annotated[str, Meta(description="A name as the list has it, or a line's number.")]


class WrongLineView(Struct, frozen=True):
    """A line of a list with what is wrong with it."""

    line: Annotated[int, Meta(ge=1, description="The first line is the one with the columns.")]
    address: str
    problems: list[LineProblem]


class AuditLine(Struct, frozen=True):
    """One act."""

    id: int
    at: Seconds
    actor: str
    act: str
    person: str | None
    target: str | None
    facts: dict[str, str | int]
    position: Annotated[int, Meta(description="In the chain.")] | None
    sealed: bool
