"""The device reports in: keys are proven, books fetched, endings learned and rotations run."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from plugin.crashpoints import crashpoint
from plugin.device import Device
from plugin.errors import ExitCode, UserError
from plugin.exchange import packets, removal, rotation, unwanted
from plugin.exchange.packets import Answered, KeyEndedError, current_key_set
from plugin.i18n import _
from plugin.keystore.records import KeyRecord
from plugin.limits import RESEND_PAUSES
from protocol.channel import End, EndAnswer, Report, ReportAnswer, Rotation
from protocol.errors import Reason, VerificationError
from protocol.notice import State
from protocol.service_book import book_hash, open_book


@dataclass(frozen=True)
class Contact:
    """How it went with one key; a problem loses nothing and is tried again the next time.

    `replaced` is the id of the key that `key` has taken the place of.
    """

    key: KeyRecord
    answered: bool = False
    replaced: str | None = None
    ended: State | None = None
    problem: UserError | None = None

    @property
    def outcome(self) -> str:
        """One word for programs."""
        if self.ended:
            return self.ended
        if self.replaced:
            return "replaced"
        return "answered" if self.answered else "unfinished"


def report_in(
    device: Device,
    *,
    only: Collection[str] | None = None,
    rotate: Collection[str] = (),
    pauses: Sequence[float] = RESEND_PAUSES,
) -> tuple[Contact, ...]:
    """Report in under every active key; raises UserError only where the store is the trouble.

    `only` names keys by id; `rotate` names those for which a new key is wished.
    """
    contacts: list[Contact] = []
    unwanted.end_all(device)
    for line in _lines(device.store.read().keys):
        if only is not None and not any(key.key_id in only for key in line):
            continue
        if any(one.ended == "remove" and one.key.is_owned_like(line[0]) for one in contacts):
            # They went with the key that the service was asked about.
            contacts += [Contact(key, ended="remove") for key in line]
            continue
        contacts += _report_line(line, device, rotate, pauses)
        if any(_is_network(one.problem) for one in contacts):
            # Nobody waits a minute for each of many keys: the others get one try each.
            pauses = ()
    removal.answer_all(device)
    return tuple(contacts)


def after_activation(device: Device, keys: Sequence[KeyRecord]) -> None:
    """Prove new keys at once, if the service answers; nothing here makes an activation fail."""
    try:
        report_in(device, only={key.key_id for key in keys}, pauses=())
    except (UserError, OSError):
        # The daily refresh tries again, and `handfast status` says what is still to do.
        return


def end(key: KeyRecord, device: Device) -> None:
    """End a key on the service and then here; raises UserError, and then it works as before."""
    try:
        packets.ask(key, End(), EndAnswer, device=device)
    except KeyEndedError as error:
        # Instead of an answer: an earlier one was lost, or the portal was faster.
        removal.heed(key, error, device)
    else:
        removal.drop(key, device)


def _lines(keys: Sequence[KeyRecord]) -> Iterator[tuple[KeyRecord, ...]]:
    """Yield the keys of each account and service, the newest first."""
    for serves in dict.fromkeys(key.serves for key in keys):
        yield tuple(key for key in reversed(keys) if key.serves == serves)


def _report_line(
    line: Sequence[KeyRecord], device: Device, rotate: Collection[str], pauses: Sequence[float]
) -> Iterator[Contact]:
    for key in line:
        contact = _report(key, device, key.key_id in rotate, pauses)
        yield contact
        # An answer under one key ends the older ones; without a network they have none either.
        if contact.answered or contact.ended == "remove" or _is_network(contact.problem):
            return


def _is_network(problem: UserError | None) -> bool:
    return problem is not None and problem.exit_code is ExitCode.UNFINISHED


def _report(key: KeyRecord, device: Device, wish: bool, pauses: Sequence[float]) -> Contact:
    """Finish what was begun for one key, report in, and take the new key that is offered."""
    begun, problem = _finish_begun(key, device)
    if begun is not None:
        return _prove(begun, key, device, pauses)
    contact, offer = _report_once(key, device, wish, pauses)
    if offer is None:
        return contact
    if device.has_used(offer.rotation.activation):
        # It is under way already: what kept it from its end is the news.
        return replace(contact, problem=problem or contact.problem)
    try:
        successor = rotation.run(
            contact.key, offer.rotation, at=offer.exchange, device=device, pauses=pauses
        )
    except UserError as error:
        return replace(contact, problem=_unless_store(error))
    return _prove(successor, contact.key, device, pauses)


def _finish_begun(key: KeyRecord, device: Device) -> tuple[KeyRecord | None, UserError | None]:
    try:
        return rotation.finish_begun(key, device=device), None
    except UserError as error:
        return None, _unless_store(error)


def _prove(
    successor: KeyRecord, old: KeyRecord, device: Device, pauses: Sequence[float]
) -> Contact:
    """Report in under a new key: with the answer it has replaced the old one on both sides."""
    contact, _offer = _report_once(successor, device, False, pauses)
    return replace(contact, replaced=old.key_id if contact.answered else None)


@dataclass(frozen=True)
class _Offer:
    exchange: str
    rotation: Rotation


def _report_once(
    key: KeyRecord, device: Device, wish: bool, pauses: Sequence[float]
) -> tuple[Contact, _Offer | None]:
    try:
        told = _ask(key, device, wish, pauses)
        kept, problem = _keep(key, told, device)
    except KeyEndedError as error:
        removal.heed(key, error, device)
        return Contact(key, ended=error.ending), None
    except UserError as error:
        return Contact(key, problem=_unless_store(error)), None
    offered = told.answer.rotation
    return (
        Contact(kept, answered=True, problem=problem),
        None if offered is None else _Offer(told.exchange, offered),
    )


def _ask(
    key: KeyRecord, device: Device, wish: bool, pauses: Sequence[float]
) -> Answered[ReportAnswer]:
    description = device.description()
    report = Report(
        description.name,
        description.platform,
        description.handler,
        book_hash(key.book) if key.book else None,
        wish or rotation.is_old(key, device.clock()),
    )
    return packets.ask(key, report, ReportAnswer, device=device, pauses=pauses)


def _keep(
    key: KeyRecord, told: Answered[ReportAnswer], device: Device
) -> tuple[KeyRecord, UserError | None]:
    """Store what the answer says; a book that does not verify is the only thing left out."""
    book = told.answer.book
    problem = None if book is None else _book_problem(book, key, told.exchange, device)
    if problem is not None:
        book = None
    kept = device.keep_report(key.key_id, told.answer, exchange=told.exchange, book=book)
    crashpoint("device.report.stored")
    return kept, problem


def _book_problem(
    untrusted: str, key: KeyRecord, exchange: str, device: Device
) -> UserError | None:
    try:
        _verify_book(untrusted, key, exchange, device)
    except UserError as error:
        return _unless_store(error)
    except VerificationError:
        return UserError(
            _("the service book cannot be trusted"),
            _('the one from before stays; "handfast refresh" tries again'),
            ExitCode.UNTRUSTED,
        )
    return None


def _verify_book(untrusted: str, key: KeyRecord, exchange: str, device: Device) -> None:
    raw = untrusted.encode()
    try:
        book = open_book(raw, current_key_set(key.issuer, device), exchange)
    except VerificationError as error:
        if error.reason is not Reason.UNKNOWN_KEY:
            raise
        # The service, known by its key, may sign with one that was announced meanwhile.
        book = open_book(raw, device.trust.update(key.issuer), exchange)
    if not book.is_for(key.session_key()):
        raise VerificationError(Reason.PAYLOAD, "the book of another key")


def _unless_store(error: UserError) -> UserError:
    """Return the error, unless nothing can be stored any more: then nothing more is tried."""
    if error.exit_code is ExitCode.STORE:
        raise error
    return error
