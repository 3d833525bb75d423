"""This device's session at a portal: kept sealed, made anew when the portal knows it no more."""

import argparse
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from plugin.device import Device
from plugin.errors import ExitCode, UserError
from plugin.i18n import _
from plugin.keystore.records import Contents
from plugin.person.output import add_json_option
from plugin.person.terminal import notice, plain
from plugin.portal import credentials, refusals
from plugin.portal.calls import Portal, RefusedByPortalError, SignedOutError, choose
from plugin.portal.messages import Sent, SignedIn, SignIn

T = TypeVar("T")
WHICH_PORTAL = _("the portal; needed only when this device trusts several")


@dataclass(frozen=True)
class Session:
    """Calls that need somebody signed in; `args` say who, where they must sign in first."""

    portal: Portal
    args: argparse.Namespace

    def call(self, method: str, path: str, sent: Sent | None = None, *, answer: type[T]) -> T:
        """Return the portal's answer, after signing in once where that is needed."""
        return self._signed_in(
            lambda token: self.portal.call(method, path, sent, answer=answer, token=token)
        )

    def every(self, path: str, *, one: type[T]) -> list[T]:
        """Return a whole list of the portal's, after signing in once where that is needed."""
        return self._signed_in(lambda token: self.portal.every(path, one=one, token=token))

    def _signed_in(self, call: Callable[[str], T]) -> T:
        token = token_of(self.portal.device, self.portal.issuer)
        if token is not None:
            try:
                return call(token)
            except SignedOutError:
                keep_token(self.portal.device, self.portal.issuer, None)
        token = self._sign_in()
        try:
            return call(token)
        except SignedOutError as error:
            raise refused() from error

    def leave(self, path: str) -> None:
        """Delete what this session hangs on; after a lost answer the portal knows us no more."""
        portal = self.portal
        with suppress(SignedOutError):
            token = token_of(portal.device, portal.issuer)
            portal.call("DELETE", path, answer=msgspec.Raw, token=token)
        keep_token(portal.device, portal.issuer, None)

    def _sign_in(self) -> str:
        portal = self.portal
        notice(_("you are not signed in at %s on this device") % portal.issuer)
        given = credentials.addresses(self.args, several=False)[:1]
        accounts = credentials.accounts(self.args, given)
        notice(_("signing in as %s") % plain(given[0]))
        sent = SignIn(accounts, portal.this_device())
        try:
            token = portal.call("POST", "/sessions", sent, answer=SignedIn).token
        except SignedOutError as error:
            raise refused() from error
        except RefusedByPortalError as error:
            raise _refused_account(given[0], error) from error
        keep_token(portal.device, portal.issuer, token)
        return token


def add_arguments(command: argparse.ArgumentParser, *, again: bool = False) -> None:
    """Define which portal is meant, who signs in where that is needed, and the form of answers.

    `again` is for a command below one that defines them too: what was said there stays.
    """
    command.add_argument(
        "--portal",
        metavar=_("URL"),
        default=argparse.SUPPRESS if again else None,
        help=WHICH_PORTAL,
    )
    credentials.add_arguments(command, again=again)
    add_json_option(command, again=again)


def open_session(args: argparse.Namespace, device: Device) -> Session:
    """Return the session at the portal that the command means; nothing is sent yet."""
    return Session(choose(args.portal, device), args)


def token_of(device: Device, issuer: str) -> str | None:
    """Return what signs this device in, if it is signed in."""
    return device.store.read().tokens.get(issuer)


def keep_token(device: Device, issuer: str, token: str | None) -> None:
    """Keep the token of an issuer, or forget it."""

    def keep(contents: Contents) -> Contents:
        tokens = {other: kept for other, kept in contents.tokens.items() if other != issuer}
        if token is not None:
            tokens[issuer] = token
        return msgspec.structs.replace(contents, tokens=tokens)

    device.store.change(keep)


def _refused_account(address: str, error: RefusedByPortalError) -> UserError:
    """Say what is wrong with the one account that was to sign in, where the portal says it."""
    for outcome in error.refusal.accounts:
        if outcome.problem is not None:
            told = refusals.of_account(outcome.problem)
            return UserError(
                f"{plain(address)}: {told.what}",
                told.hint,
                ExitCode.REFUSED_BY_SERVICE,
                outcome.problem.code,
            )
    return error


def refused() -> UserError:
    return UserError(
        _("the portal does not let this device sign in"),
        _("look at the page of this device on the portal: it may have been revoked"),
        ExitCode.REFUSED_BY_SERVICE,
    )
