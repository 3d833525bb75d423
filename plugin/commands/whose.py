"""Whose list of the portal's is shown: this device may serve several people, one after another."""

import argparse

from plugin.i18n import _
from plugin.person.terminal import plain, say, tell
from plugin.portal.credentials import same_address
from plugin.portal.messages import PortalAccount
from plugin.portal.sign_in import Session


def say_whose(heading: str, session: Session) -> list[str]:
    """Say whose list follows, as `heading` puts it; return the addresses of that person."""
    addresses = [one.address for one in session.every("/accounts", one=PortalAccount)]
    whose = ", ".join(map(plain, addresses)) or _("whoever is signed in")
    say(heading % {"whose": whose, "portal": session.portal.issuer})
    return addresses


def tell_of_others(
    command: str, addresses: list[str], session: Session, args: argparse.Namespace
) -> None:
    """Say whose list this is not, of those who have keys here or were named, and how to see it."""
    portal = session.portal
    keys = portal.device.store.read().keys
    named = [key.account for key in keys if key.issuer == portal.issuer] + args.account
    others = [
        one for one in dict.fromkeys(named) if not any(same_address(one, own) for own in addresses)
    ]
    if others:
        tell(
            _("This does not tell of %s, for whom somebody else signs in.")
            % ", ".join(map(plain, others))
        )
        tell(_('To see theirs: first "handfast sessions end current", then'))
        tell(f"  handfast {command} --portal {portal.issuer} --account {plain(others[0])}")
