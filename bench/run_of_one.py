"""One exchange of one grant, split into what the service and what the device computes."""

import os
from dataclasses import dataclass, field
from typing import Final

from protocol import service_uid
from protocol.handshake import (
    Completed,
    Context,
    DeviceDescription,
    Established,
    GrantName,
    Initiator,
    Pending,
    Replied,
    accept_confirm,
    check_admission,
    complete,
    init_hash,
    read_confirm,
    read_init,
    respond,
)
from protocol.signing import SigningKey

SUB: Final = "owner"
CONTEXT: Final = Context("https://localhost:8443", "A" * 22)
DEVICE: Final = DeviceDescription("Ann's laptop", "Linux", "handfast 0.1")


def new_key() -> SigningKey:
    """A fresh signing key."""
    return SigningKey.generate(entropy=os.urandom)


def one_grant() -> tuple[GrantName, ...]:
    """The grant of the run."""
    uid = service_uid.make(0, entropy=os.urandom)
    return (GrantName("B" * 21 + "A", "ann@example.org", "mail", uid),)


@dataclass
class RunOfOne:
    """Both sides of one activation; every call does its steps anew, from bytes to bytes."""

    prs: bytes = field(default_factory=lambda: os.urandom(64), repr=False)
    # The device draws the same bytes each time, so that the stored reply answers its init.
    drawn: bytes = field(default_factory=lambda: os.urandom(64), repr=False)
    exchange_key: SigningKey = field(default_factory=new_key)
    identity: SigningKey = field(default_factory=new_key)
    grants: tuple[GrantName, ...] = field(default_factory=one_grant)

    def __post_init__(self) -> None:
        initiator = self._initiator()
        self.init = initiator.init()
        self.replied = self._reply()
        self.confirm = self._take_reply(initiator).confirm
        self.completed = self._complete()

    @property
    def init_share(self) -> bytes:
        """The device's CPace share."""
        return read_init(self.init).share

    def service_side(self) -> Completed:
        """Init to reply, confirm to complete, and the fingerprint that the portal shows."""
        self._reply()
        completed = self._complete()
        for key in completed.keys:
            _ = key.fingerprint
        return completed

    def device_side(self) -> Established:
        """Init, reply to confirm, complete to keys, and the words that the handler shows."""
        initiator = self._initiator()
        initiator.init()
        pending = self._take_reply(initiator)
        assert pending.confirm
        established = pending.receive_complete(self.completed.body)
        for key in established.keys:
            _ = key.words
        return established

    def _initiator(self) -> Initiator:
        keys = {self.exchange_key.kid: self.exchange_key.verify_key}
        return Initiator(
            CONTEXT, self.prs, exchange_keys=keys, entropy=lambda length: self.drawn[:length]
        )

    def _reply(self) -> Replied:
        init = read_init(self.init)
        th1 = init_hash(CONTEXT, init)
        assert check_admission(self.prs, th1, init.admission)
        return respond(
            CONTEXT, self.prs, init, exchange_key=self.exchange_key, entropy=os.urandom, th1=th1
        )

    def _complete(self) -> Completed:
        secrets = self.replied.secrets
        claim = accept_confirm(secrets, read_confirm(self.confirm))
        return complete(secrets, claim, sub=SUB, grants=self.grants)

    def _take_reply(self, initiator: Initiator) -> Pending:
        return initiator.receive_reply(
            self.replied.reply,
            identity=self.identity,
            device=DEVICE,
            grants=self.grants,
            sub=SUB,
        )
