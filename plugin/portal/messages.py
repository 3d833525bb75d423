"""What device and portal say to each other at the portal's interface for programs."""

from typing import Annotated, Final

import msgspec

# A code goes as it is to programs, and unknown ones to people: nothing else fits into it.
Code = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,64}\Z")]
UNEXPECTED: Final = "unexpected"


class Sent(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something we send; it may hold a password, so it is never shown."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class NamedServer(Sent, frozen=True, omit_defaults=True):
    """The mail server that the person named."""

    host: str
    port: int
    security: str


class Account(Sent, frozen=True, omit_defaults=True):
    """One mail account with its credential; no services means all that it has."""

    address: str
    password: str
    username: str | None = None
    server: NamedServer | None = None
    services: tuple[str, ...] | None = None


class ThisDevice(Sent, frozen=True):
    """Which device asks: the thumbprint of its identity key, and its name."""

    jkt: str
    name: str


class Activate(Sent, frozen=True):
    """Everything to be activated; the same ticket again is the same wish."""

    accounts: tuple[Account, ...]
    device: ThisDevice
    ticket: str


class SignIn(Sent, frozen=True):
    """One account that says who this is."""

    accounts: tuple[Account, ...]
    device: ThisDevice


class TakeOver(Sent, frozen=True):
    """The device that takes an activation which waits for one."""

    device: ThisDevice


class Problem(msgspec.Struct, frozen=True):
    """Why something was refused, in the portal's words."""

    code: Code
    title: str = ""
    detail: str | None = None


class GivenService(msgspec.Struct, frozen=True):
    """A service of an account for which the document holds a grant."""

    service: str
    service_uid: str = ""


class AccountOutcome(msgspec.Struct, frozen=True):
    """How the check of one account ended."""

    address: str
    outcome: str
    problem: Problem | None = None
    proven: bool = True
    services: tuple[GivenService, ...] = ()

    @property
    def accepted(self) -> bool:
        return self.outcome == "accepted"


class Refusal(msgspec.Struct, frozen=True):
    """An error answer; of several accounts it says how each one ended."""

    code: Code = UNEXPECTED
    title: str = ""
    detail: str | None = None
    accounts: tuple[AccountOutcome, ...] = ()


class Issued(msgspec.Struct, frozen=True):
    """The document for this device, and what signs the device in from now on."""

    token: str
    document: str | None
    accounts: tuple[AccountOutcome, ...]

    def __repr__(self) -> str:
        return "<Issued>"


class SignedIn(msgspec.Struct, frozen=True):
    """What signs this device in from now on."""

    token: str
    accounts: tuple[AccountOutcome, ...] = ()

    def __repr__(self) -> str:
        return "<SignedIn>"


class Taken(msgspec.Struct, frozen=True):
    """The document of an activation that waited."""

    document: str

    def __repr__(self) -> str:
        return "<Taken>"


class ActivationService(msgspec.Struct, frozen=True):
    """One service that an activation is for."""

    account: str
    service: str


class WaitingActivation(msgspec.Struct, frozen=True):
    """One activation of the person, as the portal lists it; times in seconds UTC."""

    id: str
    state: str
    created_at: int
    expires_at: int | None = None
    stage: str = ""
    services: tuple[ActivationService, ...] = ()

    @property
    def waits(self) -> bool:
        return self.state == "open" and self.stage in ("", "waiting")


class PortalAccount(msgspec.Struct, frozen=True):
    """One mail account of the person who is signed in."""

    address: str


class PortalDevice(msgspec.Struct, frozen=True):
    """One device of the person, as the portal lists it; times in seconds UTC."""

    id: str
    jkt: str
    name: str
    state: str
    keys: int
    created_at: int
    seen_at: int
    platform: str = ""
    revoked_at: int | None = None
    confirmed_at: int | None = None
    confirm_by: int | None = None


class PortalSession(msgspec.Struct, frozen=True):
    """One place where the person is signed in; times in seconds UTC."""

    id: str
    kind: str
    name: str
    address: str
    started_at: int
    seen_at: int
    expires_at: int
    current: bool
