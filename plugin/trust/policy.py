"""What the administrator of the device has decided: `/etc/handfast/policy.json`."""

import msgspec

from plugin.decoding import DecodingError, decode
from plugin.errors import ExitCode, UserError
from plugin.files import system_file
from plugin.i18n import _
from plugin.paths import Paths


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An absent list allows nobody."""

    allow_without_consent: tuple[str, ...] = ()


def read(paths: Paths) -> Policy:
    """Return the policy; an absent file allows nothing, a bad one is an error and not a default."""
    try:
        untrusted = system_file.read(paths.policy)
    except FileNotFoundError:
        return Policy()
    except OSError as error:
        raise _bad(paths, error.strerror or str(error)) from error
    except system_file.OthersCouldWriteError as error:
        raise _bad(paths, str(error)) from error
    try:
        return decode(untrusted, Policy)
    except DecodingError as error:
        raise _bad(paths, str(error)) from error


def _bad(paths: Paths, why: str) -> UserError:
    return UserError(
        _("the administrator's policy %(file)s cannot be used: %(why)s")
        % {"file": paths.policy, "why": why},
        _("ask the administrator of this device"),
        ExitCode.NO_WAY_TO_ASK,
    )
