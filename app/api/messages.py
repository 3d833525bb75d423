"""What the API takes and gives, one type each; the OpenAPI document is made of these.

Times are whole seconds since 1970 in UTC. What is taken is read strictly: an unknown member is
refused.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from app.models import ServiceName
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


class Problem(Struct, frozen=True, omit_defaults=True):
    """An error (RFC 9457), with a code for programs and the request's id."""

    type: str
    title: str
    status: int
    code: str
    id: Annotated[str, Meta(description="The request's id, as in the service's log.")]
    detail: str | msgspec.UnsetType = msgspec.UNSET
    accounts: list[ClaimOutcome] | msgspec.UnsetType = msgspec.UNSET


Plain = dict[str, Any]
