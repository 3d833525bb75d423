"""The interface for programs (REST) of a trusted portal: one call, made again when it gets lost."""

import re
from dataclasses import dataclass
from typing import Final, TypeVar
from urllib.parse import urlsplit

import msgspec

from plugin.decoding import DecodingError, decode
from plugin.device import Device
from plugin.errors import ExitCode, UserError
from plugin.i18n import _
from plugin.limits import CALL_PAUSES, LONGEST_PAUSE, MOST_PAGES
from plugin.network.http_answer import Answer, TransportError
from plugin.person import prompt
from plugin.person.terminal import ago, notice, plain
from plugin.portal import refusals
from plugin.portal.messages import Refusal, Sent, ThisDevice
from plugin.trust.issuers import Trust

BASE: Final = "/api/v1"
JSON: Final = "application/json"
_NEXT: Final = re.compile(r'<([^<>]*)>\s*;\s*rel="?next"?')
LATER: Final = frozenset({429, 503})
T = TypeVar("T")


class RefusedByPortalError(UserError):
    """The portal said no; its code says why."""

    def __init__(self, refusal: Refusal) -> None:
        told = refusals.of_call(refusal)
        super().__init__(told.what, told.hint, ExitCode.REFUSED_BY_SERVICE, refusal.code)
        self.refusal = refusal


class SignedOutError(Exception):
    """The portal does not know the token (any more), or there was none."""


@dataclass(frozen=True)
class Portal:
    """One trusted portal."""

    device: Device
    trust: Trust

    @property
    def issuer(self) -> str:
        return self.trust.issuer

    def this_device(self) -> ThisDevice:
        """Say which device asks, as the portal will know it."""
        name = self.device.description().name
        return ThisDevice(self.device.identity(self.issuer).kid, name)

    def call(
        self,
        method: str,
        path: str,
        sent: Sent | None = None,
        *,
        answer: type[T],
        token: str | None = None,
    ) -> T:
        """Return the portal's answer; raises UserError and SignedOutError.

        A call whose answer is lost is made again with the same bytes: every call here may be.
        """
        got = self._answered(method, path, sent, token)
        return self._decoded(got.untrusted_body or b"null", answer)

    def every(self, path: str, *, one: type[T], token: str | None = None) -> list[T]:
        """Return a whole list of the portal's, page by page; raises what `call` raises."""
        found: list[T] = []
        page: str | None = f"{path}?limit=100"
        for _number in range(MOST_PAGES):
            if page is None:
                break
            got = self._answered("GET", page, None, token)
            found += self._decoded(got.untrusted_body, list[one])  # type: ignore[valid-type]  # mypy takes `one` for a value
            page = self._next_page(path, got)
        return found

    def _next_page(self, path: str, got: Answer) -> str | None:
        """Return where the list goes on: at the same place only, whatever the portal says."""
        named = _NEXT.search(got.untrusted_link)
        if named is None:
            return None
        try:
            parts = urlsplit(named[1])
        except ValueError as error:
            raise _unfinished(self.issuer, _("its answer cannot be read")) from error
        here = not parts.netloc or f"{parts.scheme}://{parts.netloc}" == self.issuer
        if not here or parts.path != BASE + path:
            raise _unfinished(self.issuer, _("its answer cannot be read"))
        return f"{path}?{parts.query}"

    def _answered(self, method: str, path: str, sent: Sent | None, token: str | None) -> Answer:
        body = None if sent is None else msgspec.json.encode(sent)
        headers = {"Accept": JSON}
        if body is not None:
            headers["Content-Type"] = JSON
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        got = self._until_answered(method, self.issuer + BASE + path, body, headers)
        if got.status == 401:
            raise SignedOutError
        if got.status >= 400:
            raise RefusedByPortalError(_refusal(got))
        return got

    def _decoded(self, untrusted: bytes, answer: type[T]) -> T:
        try:
            return decode(untrusted, answer)
        except DecodingError as error:
            raise _unfinished(self.issuer, _("its answer cannot be read")) from error

    def _until_answered(
        self, method: str, url: str, body: bytes | None, headers: dict[str, str]
    ) -> Answer:
        for pause in (*CALL_PAUSES, None):
            try:
                got = self.device.transport.call(
                    method,
                    url,
                    body,
                    headers=headers,
                    ca_file=self.trust.ca_file,
                    waiting=_still_waiting,
                )
            except TransportError as error:
                trouble, wait = _unfinished(self.issuer, str(error)), pause
            else:
                if not _is_lost(got):
                    return got
                trouble, wait = _busy(self.issuer, got), _pause(got, pause)
            if wait is None:
                break
            notice(_("%s: trying again") % plain(trouble.message))
            self.device.sleep(wait)
        raise trouble


def choose(wanted: str | None, device: Device) -> Portal:
    """Return the portal that is meant: the named one, the only one, or the one that is chosen."""
    trusts = device.trust.all()
    if wanted is not None:
        return Portal(device, device.trust.get(wanted))
    if not trusts:
        raise UserError(
            _("this device trusts no service yet"),
            _('first run "handfast trust add https://…" with the address of your service'),
            ExitCode.USAGE,
        )
    if len(trusts) == 1:
        return Portal(device, trusts[0])
    chosen = prompt.choose(_("Which service?"), [trust.issuer for trust in trusts])
    if chosen is None:
        raise UserError(
            _("this device trusts several services"),
            _("name one of them: %s") % ", ".join(trust.issuer for trust in trusts),
            ExitCode.USAGE,
        )
    return Portal(device, trusts[chosen])


def _still_waiting(seconds: int) -> None:
    notice(_("still waiting for the portal (%d s)") % seconds)


def _is_lost(got: Answer) -> bool:
    """Tell whether this is no answer of the portal's own, or one that says: later."""
    return got.status in LATER or got.status >= 500 or 300 <= got.status < 400


def _pause(got: Answer, pause: float | None) -> float | None:
    if pause is None or got.retry_after is None:
        return pause
    # Nobody sits and waits for an hour: then the person is told how long it takes.
    return float(got.retry_after) if got.retry_after <= LONGEST_PAUSE else None


def _busy(issuer: str, got: Answer) -> UserError:
    if got.status not in LATER:
        return _unfinished(issuer, _("it gave no usable answer (%d)") % got.status)
    again = _("try again in a minute")
    if got.retry_after is not None:
        again = _("try again in %s") % ago(max(1, got.retry_after))
    known = refusals.OF_CALLS.get(_refusal(got).code)
    why = known.what if known else _("%s is busy") % issuer
    return UserError(why, again, ExitCode.UNFINISHED)


def _refusal(got: Answer) -> Refusal:
    try:
        return decode(got.untrusted_body, Refusal)
    except DecodingError:
        return Refusal(code=f"http-{got.status}")


def _unfinished(issuer: str, why: str) -> UserError:
    return UserError(
        _("cannot reach %(issuer)s: %(why)s") % {"issuer": issuer, "why": why},
        _("look at the network, then run the same command again; nothing is lost"),
        ExitCode.UNFINISHED,
    )
