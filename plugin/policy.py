"""What the administrator of the device has decided: `/etc/handfast/policy.json`."""

import os
import stat

import msgspec

from plugin.decoding import DecodingError, decode
from plugin.errors import ExitCode, UserError
from plugin.i18n import _
from plugin.limits import MAX_TRUST_FILE
from plugin.paths import Paths


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An absent list allows nobody."""

    allow_without_consent: tuple[str, ...] = ()


def read(paths: Paths) -> Policy:
    """Return the policy; an absent file allows nothing, a bad one is an error and not a default."""
    try:
        descriptor = os.open(paths.policy, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return Policy()
    except OSError as error:
        raise _bad(paths, error.strerror or str(error)) from error
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        ours = found.st_uid in (0, os.getuid())
        if not ours or not stat.S_ISREG(found.st_mode) or found.st_mode & 0o022:
            raise _bad(paths, _("others may write to it"))
        untrusted = file.read(MAX_TRUST_FILE)
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
