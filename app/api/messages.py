"""What the API takes and gives, one type each; the OpenAPI document is made of these.

Times are whole seconds since 1970 in UTC. What is taken is read strictly: an unknown member is
refused.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from app.activation.status import Stage
from app.models import ActivationState, DeviceState, KeyState, ServiceName, SessionKind
from protocol.encoding import KeyId, PublicId, ShortText

# One sender has a quarter of the places in the mail pool; so many claims fit into it.
MOST_CLAIMS = 8

Seconds = Annotated[int, Meta(ge=0, description="Seconds since 1970 in UTC.")]
Address = Annotated[str, Meta(min_length=1, max_length=320, examples=["ann@example.org"])]
Thumbprint = Annotated[
    KeyId, Meta(description="Thumbprint of the device's identity key (RFC 7638).")
]
Words = Annotated[list[str], Meta(description="The key's fingerprint as four words.")]


class Taken(Struct, frozen=True, forbid_unknown_fields=True):
    """Read from a request; its text shows no value, since some are secrets."""

    def __repr__(self) -> str:
        """Return the type's name alone."""
        return f"{type(self).__name__}(…)"


class NamedServer(Taken, frozen=True):
    """A mail server (IMAP) that the person names; it proves nothing about an address."""

    host: Annotated[str, Meta(min_length=1, max_length=253)]
    port: Annotated[int, Meta(ge=1, le=65535)] = 993
    security: Literal["tls", "starttls"] = "tls"


class ClaimedAccount(Taken, frozen=True):
    """One mail account with its password, which is tried once and forgotten."""

    address: Address
    password: Annotated[str, Meta(min_length=1, max_length=4096)]
    username: Annotated[str, Meta(min_length=1, max_length=320)] | None = None
    server: NamedServer | None = None
    services: (
        Annotated[
            list[ServiceName],
            Meta(min_length=1, max_length=3, description="Absent: every service it has."),
        ]
        | None
    ) = None


class DeviceClaim(Taken, frozen=True):
    """The device on which the client runs."""

    jkt: Thumbprint
    name: ShortText


class ActivationRequest(Taken, frozen=True):
    """Several accounts, the device that will hold the keys, and a name for this request."""

    accounts: Annotated[list[ClaimedAccount], Meta(min_length=1, max_length=MOST_CLAIMS)]
    device: DeviceClaim
    ticket: Annotated[
        PublicId,
        Meta(description="16 random bytes, base64url; the same one again is a reissue."),
    ]


class SessionRequest(Taken, frozen=True):
    """One account, to sign in without activating anything."""

    accounts: Annotated[list[ClaimedAccount], Meta(min_length=1, max_length=1)]
    device: DeviceClaim


class DocumentRequest(Taken, frozen=True):
    """The device that completes a waiting activation."""

    device: DeviceClaim


class AccountProblem(Struct, frozen=True):
    """Why an account was refused, and what to do about it."""

    code: str
    title: str
    detail: str


class NamedService(Struct, frozen=True):
    """One service of an account."""

    service: ServiceName
    service_uid: str


class ClaimOutcome(Struct, frozen=True, omit_defaults=True):
    """How one account of a request ended; none spoils another."""

    address: str
    outcome: Literal["accepted", "refused"]
    proven: bool
    services: list[NamedService]
    problem: AccountProblem | msgspec.UnsetType = msgspec.UNSET


class SignedIn(Struct, frozen=True):
    """A client's session. The token is shown this once."""

    token: str
    expires_at: Seconds
    accounts: list[ClaimOutcome]


class Activated(Struct, frozen=True):
    """A client's session, and the signed document for the device."""

    token: str
    expires_at: Seconds
    document: Annotated[str, Meta(description="The activation document, a JWS.")] | None
    activation: str | None
    accounts: list[ClaimOutcome]


class SessionView(Struct, frozen=True):
    """Where the person is signed in: a browser, or a device's client."""

    id: str
    kind: SessionKind
    name: Annotated[str, Meta(description="The device's name, or what the browser says it is.")]
    address: Annotated[str, Meta(description="The network address of the sign-in.")]
    started_at: Seconds
    seen_at: Seconds
    expires_at: Seconds
    current: Annotated[bool, Meta(description="Whether this request came with it.")]


class GrantView(Struct, frozen=True):
    """One service of an activation, by the mail address of its account."""

    account: str
    service: ServiceName


class ActivationView(Struct, frozen=True):
    """How an activation stands."""

    id: str
    state: ActivationState
    stage: Stage
    services: list[GrantView]
    created_at: Seconds
    expires_at: Seconds
    device: Annotated[str, Meta(description="The name of the device that used it.")] | None
    words: Annotated[
        list[list[str]], Meta(description="For each key: the service, and four words.")
    ]


class DocumentAnswer(Struct, frozen=True):
    """The signed document for the device, and the activation that it belongs to."""

    document: Annotated[str, Meta(description="The activation document, a JWS.")]
    activation: str


class AccountServiceView(Struct, frozen=True):
    """One service of a mail account."""

    service: ServiceName
    service_uid: str
    devices: Annotated[int, Meta(ge=0, description="On how many devices it is active.")]
    waiting: Annotated[bool, Meta(description="Whether an activation waits for a device.")]


class AccountView(Struct, frozen=True):
    """One mail account of the person."""

    id: str
    address: str
    proven: Annotated[
        bool, Meta(description="Whether a mail server that rightly serves it vouched for it.")
    ]
    server: Annotated[
        str | None,
        Meta(description="The mail server that accepted the password; null: none was asked yet."),
    ]
    services: list[AccountServiceView]


class DeviceName(Struct, frozen=True):
    """A device, as other things name it."""

    id: str
    name: str


class KeyView(Struct, frozen=True):
    """One key; the key itself is never told."""

    id: str
    device: DeviceName
    account: str
    service: ServiceName
    words: Words
    state: KeyState
    activation: str
    created_at: Seconds
    proven_at: Annotated[int, Meta(description="When the device first used it.")] | None
    rotate_at: Annotated[int, Meta(description="From when on it is to be replaced.")] | None
    ended_at: int | None


class DeviceView(Struct, frozen=True):
    """One device of the person."""

    id: str
    jkt: Thumbprint
    name: str
    platform: str
    handler: str
    state: DeviceState
    keys: Annotated[int, Meta(ge=0, description="How many active keys it holds.")]
    created_at: Seconds
    seen_at: Seconds
    revoked_at: int | None
    confirmed_at: Annotated[int, Meta(description="When its owner knew it.")] | None
    confirm_by: Annotated[int, Meta(description="Until when the owner is asked.")] | None


class BookView(Struct, frozen=True):
    """The service book for one service, signed by this service."""

    key: Annotated[str, Meta(description="An active key for it.")] | None
    account: str
    service: ServiceName
    book: Annotated[str, Meta(description="The service book, a JWS.")]


class Problem(Struct, frozen=True, omit_defaults=True):
    """An error (RFC 9457), with a code for programs and the request's id."""

    type: str
    title: str
    status: int
    code: str
    id: Annotated[str, Meta(description="The request's id, as in the service's log.")]
    detail: str | msgspec.UnsetType = msgspec.UNSET
    accounts: list[ClaimOutcome] | msgspec.UnsetType = msgspec.UNSET
