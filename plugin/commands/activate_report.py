"""What `handfast activate` says at its end: every account with its keys, or why it has none."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from plugin.errors import ExitCode
from plugin.i18n import _
from plugin.keystore.records import KeyRecord
from plugin.person.output import print_json
from plugin.person.terminal import bold, plain, say, tell
from plugin.portal import refusals
from plugin.portal.calls import Portal
from plugin.portal.credentials import same_address
from plugin.portal.messages import UNEXPECTED, AccountOutcome, Problem

DONE: Final = "\N{CHECK MARK}"
REFUSED: Final = "\N{BALLOT X}"


@dataclass(frozen=True)
class Report:
    """What was asked for, what the portal said about it, and the keys that came of it."""

    portal: Portal
    asked: Sequence[str]
    outcomes: Sequence[AccountOutcome]
    keys: Sequence[KeyRecord]

    def keys_of(self, address: str) -> list[KeyRecord]:
        """Return the new keys of one account."""
        return [key for key in self.keys if same_address(key.account, address)]

    def problem_of(self, address: str) -> Problem | None:
        """Return why the portal refused an account, None when it did not."""
        for outcome in self.outcomes:
            if same_address(outcome.address, address) and not outcome.accepted:
                return outcome.problem or Problem(UNEXPECTED)
        return None

    def is_proven(self, address: str) -> bool:
        """Tell whether a mail server that rightly serves the address vouched for it."""
        return all(
            outcome.proven
            for outcome in self.outcomes
            if same_address(outcome.address, address) and outcome.accepted
        )

    @property
    def exit_code(self) -> ExitCode:
        with_keys = [address for address in self.asked if self.keys_of(address)]
        if len(with_keys) == len(self.asked):
            return ExitCode.OK
        return ExitCode.PARTLY if with_keys else ExitCode.REFUSED_BY_SERVICE


def show(report: Report, *, as_json: bool, on_stderr: bool = False) -> int:
    """Say how it went with every account; return the exit status that goes with it."""
    if as_json:
        print_json(_as_json(report))
        return report.exit_code
    for line in _lines(report):
        if on_stderr:
            tell(line)
        else:
            say(line)
    return report.exit_code


def _lines(report: Report) -> list[str]:
    lines = []
    if report.keys:
        name = plain(report.portal.device.description().name)
        lines.append(bold(_("%s is active:") % name))
    for address in report.asked:
        lines += _account_lines(report, address)
    if report.keys:
        lines.append(_("The portal shows the same words, on the page of this device."))
    return lines


def _account_lines(report: Report, address: str) -> list[str]:
    problem, keys = report.problem_of(address), report.keys_of(address)
    if problem is not None:
        again = _("    then: handfast activate --account %s") % plain(address)
        told = refusals.of_account(problem)
        lines = [f"{REFUSED} {plain(address)}: {told.what}"]
        return [*lines, *([f"    {told.hint}"] if told.hint else []), again]
    if not keys:
        return [_("%(mark)s %(address)s: no key") % {"mark": REFUSED, "address": plain(address)}]
    lines = [f"{DONE} {plain(address)}"]
    if not report.is_proven(address):
        lines.append(_("    not proven to be yours: you named its mail server yourself"))
    return [
        *lines,
        *(f"    {plain(key.service)}: {' '.join(key.words)}" for key in keys),
    ]


def _as_json(report: Report) -> dict[str, object]:
    return {
        "portal": report.portal.issuer,
        "device": report.portal.device.description().name,
        "accounts": [_account_as_json(report, address) for address in report.asked],
    }


def _account_as_json(report: Report, address: str) -> dict[str, object]:
    problem, keys = report.problem_of(address), report.keys_of(address)
    return {
        "address": address,
        "outcome": "active" if keys else "refused",
        "proven": bool(keys) and report.is_proven(address),
        "problem": None if problem is None else _problem_as_json(problem),
        "keys": [
            {
                "key_id": key.key_id,
                "service": key.service,
                "service_uid": key.service_uid,
                "words": list(key.words),
            }
            for key in keys
        ],
    }


def _problem_as_json(problem: Problem) -> dict[str, object]:
    told = refusals.of_account(problem)
    return {"code": problem.code, "title": told.what, "detail": told.hint}
