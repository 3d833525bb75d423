"""The views' half of signing in with several accounts: from a request to its outcomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from flask_babel import lazy_gettext as _

from app import web_session
from app.accounts import causes, claims, proof, sessions
from app.accounts.claims import Claim, ClaimChecks, Verdict
from app.api import services
from app.api.messages import AccountProblem, ClaimedAccount, ClaimOutcome, DeviceClaim, NamedService
from app.api.problems import ProblemError
from app.clock import DAY
from app.extensions import handfast
from app.mailservers.address import AddressError, mailbox_name, normalise_domain, parse
from app.mailservers.server import manual
from app.throttle import TooManyError

BAD_ADDRESS: Final = "bad-address"
BAD_SERVER: Final = "bad-server"
BAD_USERNAME: Final = "bad-username"
# What the causes of a failed mail check do not say.
PROBLEMS: Final = {
    claims.NOT_VOUCHED: causes.Problem(
        _("No mail server could show that it serves this address."),
        _("Check the address, or ask the operator of this service to add your mail domain."),
    ),
    claims.NOT_NAMED_YET: causes.Problem(
        _("A server or user name that you name yourself proves nothing, so it was not tried."),
        _("Sign in with another account in the same request."),
    ),
    claims.TOO_MANY: causes.Problem(
        _("There were many attempts in a short time, so this one was not made."),
        _("Nothing is locked; just wait a little."),
    ),
    services.ADDRESS_TAKEN: causes.Problem(
        _("This address belongs to another sign-in here."),
        _("Sign out on this device first, then sign in with it alone."),
    ),
    services.START_ANEW: causes.Problem(
        _("Nobody has signed in with this address for a long time, so it may be another's by now."),
        _("Sign in with it on the page of the portal, and say there whose it is."),
    ),
    services.TOO_MANY_ACCOUNTS: causes.Problem(
        _("You have as many accounts as one person may have here."),
        _("Remove one first, on the page of your account."),
    ),
    services.REPEATED: causes.Problem(
        _("This address stands in the request twice."), _("Its first place counts.")
    ),
    BAD_ADDRESS: causes.Problem(
        _("This is not a mail address."), _("Enter a mail address like name@example.org.")
    ),
    BAD_USERNAME: causes.Problem(
        _("The user name is too long, or has an invisible character in it."),
        _("Type it in by hand."),
    ),
    BAD_SERVER: causes.Problem(
        _("This is not the name of a mail server."), _("Enter a name like imap.example.org.")
    ),
}


@dataclass(frozen=True)
class Claimed:
    """A client that signed in, and how each account of its request ended."""

    session: services.ClientSession
    # Ids of the services that the request wants.
    wanted: list[str]
    outcomes: list[ClaimOutcome]


@dataclass(frozen=True)
class _Read:
    """One account of a request: a claim to check, or why it is none."""

    address: str
    claim: Claim | None = None
    refused: str | None = None


def sign_in(
    accounts: Sequence[ClaimedAccount], device: DeviceClaim, *, known: str | None = None
) -> Claimed:
    """Check the accounts and sign in, or raise ProblemError with what became of each.

    ``known`` is the person who is signed in already: they get the accounts, whichever they are.
    """
    here, client = handfast(), web_session.client()
    read = _read_each(accounts)
    asked = [one.claim for one in read if one.claim is not None]
    checks = ClaimChecks(here.mail, here.throttles, here.clock)
    verdicts = checks.run(asked, client.address, is_known=known is not None)
    try:
        session = services.sign_in(
            here.database,
            verdicts,
            client,
            sessions.ClientDevice(device.jkt, device.name),
            proof.Here(
                here.clock.now(), here.config.shard, here.entropy, here.config.quiet_days * DAY
            ),
            known=known,
        )
    except services.DeviceRevokedError:
        raise ProblemError("device-revoked") from None
    except proof.PersonDisabledError:
        raise ProblemError("person-disabled") from None
    except proof.StartAnewError:
        raise ProblemError("start-anew") from None
    wanted = {
        one.address: account.services
        for one, account in zip(read, accounts, strict=True)
        # A refused place may name the same address; it has no share in what the first one wants.
        if one.claim is not None
    }
    added = {} if session is None else services.choose(session.added, wanted)
    by_address = {verdict.check.address: verdict for verdict in verdicts}
    outcomes = [_outcome(one, by_address, added) for one in read]
    if session is None:
        raise _nobody(verdicts, outcomes)
    ids = [each.id for account in added.values() for each in account.services]
    return Claimed(session, ids, outcomes)


def _nobody(verdicts: Sequence[Verdict], outcomes: Sequence[ClaimOutcome]) -> Exception:
    late = [verdict.retry_at for verdict in verdicts if verdict.retry_at is not None]
    if late and len(late) == len(verdicts):
        return TooManyError(min(late))
    return ProblemError("nobody-accepted", accounts=outcomes)


def _read_each(accounts: Sequence[ClaimedAccount]) -> list[_Read]:
    read: list[_Read] = []
    for account in accounts:
        one = _read(account)
        if any(one.address == earlier.address for earlier in read):
            one = _Read(account.address, refused=services.REPEATED)
        read.append(one)
    return read


def _read(account: ClaimedAccount) -> _Read:
    try:
        address = parse(account.address)
    except AddressError:
        return _Read(account.address, refused=BAD_ADDRESS)
    server = None
    if account.server is not None:
        named = account.server
        try:
            host = normalise_domain(named.host)
        except AddressError:
            return _Read(address.text, refused=BAD_SERVER)
        server = manual(address.domain, host, named.port, named.security)
    username = account.username
    if username is not None:
        try:
            username = mailbox_name(username)
        except AddressError:
            return _Read(address.text, refused=BAD_USERNAME)
    return _Read(address.text, Claim(address, account.password, server, username))


def _outcome(
    one: _Read, verdicts: Mapping[str, Verdict], added: Mapping[str, services.Added]
) -> ClaimOutcome:
    """Tell how one account ended."""
    refused, verdict, account = one.refused, None, None
    if one.claim is not None:
        verdict, account = verdicts[one.address], added.get(one.address)
        refused = None if account is None else account.refused
    if account is not None and refused is None:
        named = [NamedService(each.service, each.service_uid) for each in account.services]
        return ClaimOutcome(one.address, "accepted", account.proven, named)
    problem = _problem(refused, verdict)
    return ClaimOutcome(one.address, "refused", False, [], problem)


def _problem(refused: str | None, verdict: Verdict | None) -> AccountProblem:
    if refused is None and verdict is not None:
        # A mail server may accept an account that nobody signed in to add.
        refused = claims.NOT_NAMED_YET if verdict.is_accepted else verdict.check.outcome
        words = causes.sentence(verdict.check)
    else:
        words = None
    code = refused or claims.NOT_VOUCHED
    words = words or PROBLEMS[code]
    return AccountProblem(code, str(words.text), str(words.hint))
