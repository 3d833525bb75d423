"""A device that sends packets under one of its keys, without a store or a network."""

from __future__ import annotations

from dataclasses import dataclass

from protocol.channel import (
    End,
    EndAnswer,
    Report,
    ReportAnswer,
    Rotation,
    open_answer,
    seal_packet,
)
from protocol.handshake import Context, Established, GrantName, Initiator, Pending
from protocol.notice import Notice, open_notice
from protocol.session import DeviceDescription, SessionKey, rotation_prs
from tests.app.service_fixtures import ADDRESS, Handset, Service


@dataclass
class Line:
    """One key in a device's hands, and the last number it used."""

    service: Service
    handset: Handset
    key: SessionKey
    sub: str
    number: int = 0

    def report(
        self, *, book: str | None = None, rotate: bool = False, number: int | None = None
    ) -> bytes:
        """Write a report under the next number, or under a given one."""
        if number is None:
            self.number += 1
            number = self.number
        content = Report(self.handset.name, "Debian 12", "handfast 0.1", book, rotate)
        return seal_packet(self.key, "to-service", number, content)

    def send(self, *, book: str | None = None, rotate: bool = False) -> ReportAnswer:
        """Report and read the answer, which is no notice."""
        answer = self.service.packets.packet(self.report(book=book, rotate=rotate))
        assert not answer.is_notice
        return open_answer(self.key, answer.body, number=self.number, expected=ReportAnswer)

    def end(self) -> EndAnswer:
        """Ask to end this key."""
        self.number += 1
        body = seal_packet(self.key, "to-service", self.number, End())
        answer = self.service.packets.packet(body)
        return open_answer(self.key, answer.body, number=self.number, expected=EndAnswer)

    def notice(self) -> Notice:
        """Report and verify the notice that comes back."""
        answer = self.service.packets.packet(self.report())
        assert answer.is_notice
        notice = open_notice(
            answer.body,
            self.service.key_set(),
            self.service.config.exchange_url,
            now=self.service.now_seconds,
        )
        assert notice.key == self.key.key_id
        return notice

    def initiator(self, rotation: Rotation) -> Initiator:
        """Begin the run of a rotation."""
        issuer = self.service.config.issuer
        return Initiator(
            Context(issuer, rotation.activation, "rotation", self.handset.identity.kid),
            rotation_prs(issuer, self.key),
            exchange_keys=self.service.key_set().exchange_keys(self.service.config.exchange_url),
            entropy=self.handset.entropy,
        )

    def pending(self, rotation: Rotation, initiator: Initiator, reply: bytes) -> Pending:
        """Take the reply; the result's ``confirm`` is the exact body to send."""
        key = self.key
        return initiator.receive_reply(
            reply,
            identity=self.handset.identity,
            device=DeviceDescription(self.handset.name, "Debian 12", "handfast 0.1"),
            grants=[GrantName(rotation.grant, key.account, key.service, key.service_uid)],
            sub=self.sub,
        )

    def replace(self, rotation: Rotation) -> Line:
        """Run a whole rotation; the successor has its own numbers."""
        initiator = self.initiator(rotation)
        exchange = self.service.exchange
        pending = self.pending(rotation, initiator, exchange.init(initiator.init()))
        established = pending.receive_complete(exchange.confirm(pending.confirm, address=ADDRESS))
        return self.successor(established)

    def successor(self, established: Established) -> Line:
        """The line of the key that a rotation made."""
        return Line(self.service, self.handset, established.keys[0], self.sub)


def activated(
    service: Service, handset: Handset | None = None, *, bound: bool = True, of: str = "mail"
) -> Line:
    """Activate a service for Ann on a device; bound to it, as the bridge has it, or not."""
    handset = handset or service.handset()
    jkt = handset.identity.kid if bound else None
    issued = service.issue(service.ann, of, bound_jkt=jkt)
    established = service.activate(handset, issued.document)
    return Line(service, handset, established.keys[0], service.ann.person_id)
