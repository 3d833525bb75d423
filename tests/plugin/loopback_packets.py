"""The loopback service under its keys: the protocol's real channel, rows in memory."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from protocol import media_type, notice
from protocol.channel import (
    End,
    EndAnswer,
    Report,
    ReportAnswer,
    Rotation,
    Window,
    open_request,
    read_packet,
    seal_packet,
)
from protocol.encoding import b64u
from protocol.errors import ErrorCode, RemoteProtocolError
from protocol.handshake import Context, GrantName, SessionKey, rotation_prs
from protocol.notice import Notice, sign_notice
from protocol.removal import check_removed, noted, read_removed
from protocol.service_book import Server, ServiceBook, Sync, book_hash, sign_book
from protocol.signing import VerifyKey

if TYPE_CHECKING:
    from tests.plugin.loopback_service import Service

State = Literal["active", "revoked", "retired", "remove"]


@dataclass
class Row:
    """What the service knows of one key."""

    key: SessionKey
    device: str
    state: State = "active"
    proven: bool = False
    due: bool = False
    window: Window = field(default_factory=Window)


@dataclass
class Packets:
    """Answers packets; `rows` by key id, in the order in which the keys were made.

    Where it does not offer, no wish for a new key is granted; a forged book goes out for any.
    """

    service: Service
    rows: dict[str, Row] = field(default_factory=dict)
    books: dict[str, ServiceBook] = field(default_factory=dict)
    waiting: bool = False
    offers: bool = True
    forged_book: str | None = None
    reports: list[tuple[str, Report]] = field(default_factory=list)
    identities: dict[str, VerifyKey] = field(default_factory=dict)
    # The keys about whose notices devices said that everything is removed.
    removed: list[str] = field(default_factory=list)
    clock: Callable[[], int] = lambda: int(time.time())

    def add(self, keys: Sequence[SessionKey], device: str) -> None:
        """Keys of a redeemed activation."""
        for key in keys:
            self.rows[key.key_id] = Row(key, device)

    def active(self) -> set[str]:
        """Return the ids of the keys that work."""
        return {key_id for key_id, row in self.rows.items() if row.state == "active"}

    def book(self, key: SessionKey, *, host: str = "imap.example.org") -> ServiceBook:
        """Write a book for the service of `key`, to be sent from now on; return it."""
        servers = (
            Server(role="imap", host=host, port=993, security="tls", username="ann"),
            Server(role="smtp", host=host, port=587, security="starttls", username="ann"),
        )
        book = ServiceBook(
            iss=self.service.issuer,
            iat=self.clock(),
            account=key.account,
            service=key.service,
            service_uid=key.service_uid,
            provider="Example",
            servers=servers,
            sync=Sync(interval=900),
        )
        self.books[key.service] = book
        return book

    def answer(self, body: bytes) -> tuple[int, str, bytes]:
        """Serve one packet; a number counts as used before anything is answered."""
        packet = read_packet(body)
        row = self.rows.get(packet.key)
        if row is None:
            raise RemoteProtocolError(ErrorCode.REFUSED)
        if row.state != "active":
            return 410, media_type.NOTICE, self.notice(packet.key, row.state)
        request = open_request(row.key, packet)
        row.window = row.window.accept(packet.number)
        answer = self._end(row) if isinstance(request, End) else self._report(row, request)
        sealed = seal_packet(row.key, "to-device", packet.number, answer)
        return 200, media_type.EXCHANGE, sealed

    def notice(self, key_id: str, state: notice.State) -> bytes:
        """Say that a key has ended."""
        said = Notice(iss=self.service.issuer, iat=self.clock(), key=key_id, state=state)
        return sign_notice(said, self.service.exchange_key)

    def remove_all(self) -> None:
        """Ask every device to remove all that it has."""
        for row in self.rows.values():
            row.state = "remove"

    def note_removed(self, body: bytes) -> bytes:
        """Take a device's statement that it has."""
        said = read_removed(body)
        row = self.rows.get(said.key)
        if row is None or row.state != "remove" or row.device != said.device:
            raise RemoteProtocolError(ErrorCode.REFUSED)
        check_removed(said, self.service.issuer, self.identities[said.device])
        self.removed.append(said.key)
        return noted(said, self.service.issuer, self.service.exchange_key)

    def _end(self, row: Row) -> EndAnswer:
        row.state = "revoked"
        return EndAnswer()

    def _report(self, row: Row, report: Report) -> ReportAnswer:
        self.reports.append((row.key.key_id, report))
        if not row.proven:
            row.proven = True
            self._retire_older(row)
        book = None if self.waiting else self._book_for(row, report)
        wanted = self.offers and (row.due or report.rotate)
        rotation = self._rotation(row) if wanted else None
        return ReportAnswer(book=book, waiting=self.waiting, rotation=rotation, at=self.clock())

    def _retire_older(self, proven: Row) -> None:
        for row in self.rows.values():
            if row is proven:
                return
            same = (row.key.account, row.key.service) == (proven.key.account, proven.key.service)
            if same and row.device == proven.device and row.state == "active":
                row.state = "retired"

    def _book_for(self, row: Row, report: Report) -> str | None:
        if self.forged_book is not None:
            return self.forged_book
        book = self.books.get(row.key.service)
        if book is None:
            return None
        signed = sign_book(book, self.service.exchange_key).decode()
        return None if book_hash(signed) == report.book else signed

    def _rotation(self, row: Row) -> Rotation:
        for activation_id, known in self.service.activations.items():
            if known.rotates == row.key.key_id:
                return Rotation(activation_id, known.grants[0].id)
        return self.offer(row)

    def offer(self, row: Row) -> Rotation:
        """Make a new rotation of a key in the place of any other."""
        service, key = self.service, row.key
        for activation_id in [
            name for name, known in service.activations.items() if known.rotates == key.key_id
        ]:
            del service.activations[activation_id]
        rotation = Rotation(b64u(os.urandom(16)), b64u(os.urandom(16)))
        service.add_activation(
            Context(service.issuer, rotation.activation, kind="rotation", bound_jkt=row.device),
            rotation_prs(service.issuer, key),
            [GrantName(rotation.grant, key.account, key.service, key.service_uid)],
            rotates=key.key_id,
        )
        return rotation
