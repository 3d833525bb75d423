"""What the portal's codes mean, in this device's own words; the portal's only where it has none."""

from dataclasses import dataclass
from typing import Final

from plugin.i18n import _
from plugin.person.terminal import quoted
from plugin.portal.messages import Problem, Refusal

_ASK_OPERATOR: Final = _("ask the people who run the portal")
_OLD_CLIENT: Final = _("get the client anew from the portal's page /client, or ask its operator")


@dataclass(frozen=True)
class Told:
    """What happened (lower case, no period), and what to do next, which may be empty."""

    what: str
    hint: str


# Why the portal does not do what it was asked.
OF_CALLS: Final = {
    "malformed": Told(_("the portal did not understand this client"), _OLD_CLIENT),
    "method": Told(_("the portal does not do this (any more)"), _OLD_CLIENT),
    "not-json": Told(_("the portal did not take the form of the request"), _OLD_CLIENT),
    "too-large": Told(
        _("this was more than the portal takes at once"), _("name fewer accounts at once")
    ),
    "unknown-cursor": Told(
        _("the list changed while it was read"), _("run the same command again")
    ),
    "wrong-host": Told(
        _("the portal does not answer to this address"), _('see "handfast trust list"')
    ),
    "nobody-accepted": Told(
        _("the portal accepted none of the accounts"),
        _("check the mail address and its password"),
    ),
    "device-revoked": Told(
        _("this device was revoked"),
        _("its owner can let it activate again, on the page of the device at the portal"),
    ),
    "person-disabled": Told(_("you may not sign in at this portal any more"), _ASK_OPERATOR),
    "start-anew": Told(
        _("nobody has used this address here for a long time, or it was entered for somebody"),
        _("sign in with it in a browser, on the page of the portal, and say there whose it is"),
    ),
    "not-allowed": Told(_("the portal did not allow this"), _ASK_OPERATOR),
    "not-found": Told(
        _("the portal has no such thing, or it is not yours"),
        _("it may have ended meanwhile: list again"),
    ),
    "not-waiting": Told(
        _("this activation does not wait for a device any more"),
        _("begin a new one: handfast activate"),
    ),
    "ended": Told(_("it has ended already"), _("activate the device again to get new keys")),
    "too-many": Told(
        _("too many attempts in a short time: this one was not made"),
        _("nothing is locked; wait a little"),
    ),
    "unavailable": Told(
        _("the portal cannot do this now"), _("asking again is safe, in a few seconds")
    ),
}
# Why it did not accept one account.
OF_ACCOUNTS: Final = {
    "wrong-credential": Told(
        _("the mail server did not accept this password"),
        _("check it: it is the password of the mail account, not of this service"),
    ),
    "undecided": Told(
        _("the mail server did not decide in time; the password may be right or wrong"),
        _("wait a minute: mail servers slow down after several attempts"),
    ),
    "name-not-found": Told(
        _("the mail server's name does not exist"), _("check the address, or name --server")
    ),
    "not-reachable": Told(
        _("the mail server cannot be reached"), _("it may be down for a moment: try again later")
    ),
    "certificate": Told(
        _("the mail server could not show that it is the right one; no password was sent"),
        _("tell the people who run your mail"),
    ),
    "not-a-mail-server": Told(
        _("what answered is no mail server that can be used; no password was sent"),
        _("tell the people who run your mail"),
    ),
    "needs-app-password": Told(
        _("the mail provider wants an app password here"),
        _("make one on the provider's page and give it instead of the usual password"),
    ),
    "needs-provider-sign-in": Told(
        _("the mail provider lets programs in through its own sign-in page only"),
        _("use another mail account, or ask the people who run the portal"),
    ),
    "busy": Told(
        _("many people are signing in: nothing was tried"), _("try again in a few seconds")
    ),
    "refused-address": Told(
        _("the portal does not connect to the address of this mail server"),
        _("name a mail server on the public internet, or ask the people who run the portal"),
    ),
    "not-vouched": Told(
        _("no mail server could show that it serves this address"),
        _("check the address, or ask the people who run the portal to add your mail domain"),
    ),
    "nobody-signed-in": Told(
        _("a server or user name of your own choice proves nothing, so it was not tried"),
        _("name another --account in the same command, one that needs neither"),
    ),
    "too-many": OF_CALLS["too-many"],
    "start-anew": Told(
        _("nobody has used this address here for a long time: it may be another's by now"),
        _("sign in with it in a browser, on the page of the portal, and say there whose it is"),
    ),
    "address-taken": Told(
        _("this address belongs to another sign-in at the portal"),
        _('first "handfast sessions end current", then give this address alone'),
    ),
    "too-many-accounts": Told(
        _("you have as many accounts as one person may have at the portal"),
        _("remove one first, on the page of your account at the portal"),
    ),
    "repeated": Told(_("this address was named twice"), _("name every account once")),
    "bad-address": Told(
        _("the portal does not take this for a mail address"),
        _("a mail address has the form name@example.org"),
    ),
    "bad-username": Told(
        _("the user name is too long, or has an invisible character in it"),
        _("type it in by hand"),
    ),
    "bad-server": Told(
        _("the portal does not take this for a mail server"),
        _("write it as ADDRESS=HOST:PORT, for example imap.example.org:993"),
    ),
}


def of_call(refusal: Refusal) -> Told:
    """Return what the portal's refusal of a call means."""
    known = OF_CALLS.get(refusal.code)
    return known or _unknown(refusal.code, refusal.title, refusal.detail)


def of_account(problem: Problem) -> Told:
    """Return why the portal did not accept an account."""
    known = OF_ACCOUNTS.get(problem.code)
    if known and problem.code == "certificate" and problem.detail:
        # Which fault it has helps those who run that server, and only the portal has seen it.
        return Told(known.what, f"{known.hint}; {_says(problem.detail)}")
    return known or _unknown(problem.code, problem.title, problem.detail)


def _unknown(code: str, title: str, detail: str | None) -> Told:
    """Put words that we did not write into quotation marks, and say whose they are."""
    if title:
        what = _("refused; in the portal's own words: %s") % quoted(title)
    else:
        what = _("refused; the portal gives no reason but %s") % quoted(code)
    return Told(what, _says(detail) if detail else "")


def _says(detail: str) -> str:
    return _("the portal says: %s") % quoted(detail)
