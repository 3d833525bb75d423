"""What a person is told when something does not work, and the exit status that goes with it."""

from enum import IntEnum

from plugin.i18n import _


class ExitCode(IntEnum):
    """Fixed: scripts rely on them; `handfast --help` lists them."""

    OK = 0
    UNEXPECTED = 1
    USAGE = 2
    REFUSED_BY_PERSON = 3
    UNTRUSTED = 4
    UNFINISHED = 5
    REFUSED_BY_SERVICE = 6
    STORE = 7
    NO_WAY_TO_ASK = 8
    PARTLY = 9


MEANINGS = {
    ExitCode.OK: _("done"),
    ExitCode.UNEXPECTED: _("something unexpected"),
    ExitCode.USAGE: _("the command was not understood"),
    ExitCode.REFUSED_BY_PERSON: _("you refused"),
    ExitCode.UNTRUSTED: _("the document, bundle or key set cannot be trusted"),
    ExitCode.UNFINISHED: _(
        "not finished: something is still to do, or nobody answered; it can go on"
    ),
    ExitCode.REFUSED_BY_SERVICE: _("the service refused"),
    ExitCode.STORE: _("the key store is locked, in use or damaged"),
    ExitCode.NO_WAY_TO_ASK: _("there was no way to ask you"),
    ExitCode.PARTLY: _("some accounts are active now, others were refused"),
}


class UserError(Exception):
    """Something the person can act on: a message (lower case, no period) and a hint.

    `code` is for programs, where it says more than the exit status does.
    """

    def __init__(
        self,
        message: str,
        hint: str = "",
        exit_code: ExitCode = ExitCode.UNEXPECTED,
        code: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.exit_code = exit_code
        self.code = code or exit_code.name.lower().replace("_", "-")


def refused_by_person() -> UserError:
    """The normal end of a command whose question was answered with no."""
    return UserError(
        _("nothing was changed"),
        _("give the command again if you change your mind"),
        ExitCode.REFUSED_BY_PERSON,
    )
