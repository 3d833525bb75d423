"""Each way a check can fail, in words: what happened and what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from app.accounts.mail_checks import View
from app.mailservers.causes import Cause, CertificateFault


@dataclass(frozen=True)
class Problem:
    """A sentence about what happened, and one about the next step."""

    text: LazyString
    hint: LazyString


PROBLEMS: Final = {
    Cause.WRONG_CREDENTIAL: Problem(
        _("The mail server did not accept this password."),
        _("Check the password. It is the one of your mail account, not of this service."),
    ),
    Cause.UNDECIDED: Problem(
        _("The mail server did not decide in time. The password may be right or wrong."),
        _("Wait a minute, then try again. Mail servers slow down after several attempts."),
    ),
    Cause.NAME_NOT_FOUND: Problem(
        _("The mail server's name does not exist."),
        _("Check the mail address for typing mistakes."),
    ),
    Cause.NOT_REACHABLE: Problem(
        _("The mail server cannot be reached."),
        _("It may be down for a moment. Try again later."),
    ),
    Cause.CERTIFICATE: Problem(
        _("The mail server could not show that it is the right one."),
        _("Your password was not sent. Tell the people who run your mail."),
    ),
    Cause.NOT_A_MAIL_SERVER: Problem(
        _("What answered is not a mail server that we can use."),
        _("Tell the people who run your mail; your password was not sent."),
    ),
    Cause.NEEDS_APP_PASSWORD: Problem(
        _("Your mail provider wants an app password here."),
        _("Make one on your provider's page and enter it instead of your usual password."),
    ),
    Cause.NEEDS_PROVIDER_SIGN_IN: Problem(
        _("Your mail provider lets programs in through its own sign-in page only."),
        _("That is not available here yet. Use another mail account, or ask the operator."),
    ),
    Cause.BUSY: Problem(
        _("Many people are signing in at the moment."),
        _("Nothing was tried. Try again in a few seconds."),
    ),
    Cause.REFUSED_ADDRESS: Problem(
        _("This mail server is at an address that we do not connect to."),
        _("Use a mail server on the public internet, or ask the operator to add it."),
    ),
}

CERTIFICATES: Final = {
    CertificateFault.WRONG_NAME: _(
        "Its certificate is for another name. Your password was not sent."
    ),
    CertificateFault.EXPIRED: _("Its certificate has expired. Your password was not sent."),
    CertificateFault.NOT_YET_VALID: _(
        "Its certificate is not valid yet. Your password was not sent."
    ),
    CertificateFault.SELF_SIGNED: _(
        "It has signed its certificate itself. Your password was not sent."
    ),
    CertificateFault.UNKNOWN_ISSUER: _(
        "Its certificate comes from an issuer that we do not know. Your password was not sent."
    ),
}


def sentence(check: View) -> Problem | None:
    """Return the words for a check's outcome; None when it has not failed."""
    if check.outcome is None or check.outcome not in set(Cause):
        return None
    problem = PROBLEMS[Cause(check.outcome)]
    if check.why in set(CERTIFICATES):
        return Problem(problem.text, CERTIFICATES[CertificateFault(check.why)])
    return problem
