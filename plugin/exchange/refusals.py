"""Why a document or an exchange ended, in words for people: what the protocol's reasons mean."""

from plugin.errors import ExitCode, UserError
from plugin.i18n import _
from plugin.keystore.records import PendingKind
from plugin.person.terminal import ago
from protocol.errors import ErrorCode, Reason, VerificationError


def untrusted_document(error: VerificationError, *, expired_for: int | None = None) -> UserError:
    """Translate the protocol's reason; `expired_for` in seconds, where the document said it."""
    if error.reason is Reason.EXPIRED and expired_for is not None:
        message = _("the document expired %s ago") % ago(expired_for)
        return UserError(message, _AGAIN, ExitCode.UNTRUSTED)
    message, hint = _REASONS.get(error.reason, (_("the document cannot be trusted"), _AGAIN))
    return UserError(message, hint, ExitCode.UNTRUSTED)


def refused_by_service(code: ErrorCode, kind: PendingKind = "document") -> UserError:
    """Translate the code of an error answer that is not worth sending the same bytes again."""
    message, hint = _CODES.get(code, (_("the service refused the activation"), _AGAIN))
    if kind == "code" and code is ErrorCode.REFUSED:
        message, hint = _CODE_REFUSED
    if kind == "rotation" and code not in (ErrorCode.BUSY, ErrorCode.UNAVAILABLE):
        message, hint = _("the service refused to replace the key"), _REFRESH
    return UserError(message, hint, ExitCode.REFUSED_BY_SERVICE)


_AGAIN = _('press "Activate this device" or run "handfast activate" again')
_REFRESH = _('nothing is lost: the old key works; "handfast refresh" tries again')
_FOREIGN = _('nothing was done; if you did not just press "Activate this device", all is well')
_UPDATE = _('run "handfast trust update", then activate again')

# One answer for all of these as well: nobody is told which part of a guess was right.
_CODE_REFUSED = (
    _("the service does not take this code: it is wrong, too old, used, or was tried too often"),
    _("compare it and type it again; it has five tries in ten minutes, then ask for a new one"),
)

_REASONS: dict[Reason, tuple[str, str]] = {
    Reason.TOO_LARGE: (_("the document is too large to be an activation document"), _FOREIGN),
    Reason.NOT_A_DOCUMENT: (_("this is not an activation document"), _FOREIGN),
    Reason.HEADER: (_("this is not an activation document that Handfast knows"), _FOREIGN),
    Reason.UNKNOWN_KEY: (
        _("the document is signed by nobody this device trusts"),
        _(
            'if you trust the service: run "handfast trust add https://…", or '
            '"handfast trust update" when "handfast trust list" has it already'
        ),
    ),
    Reason.BAD_SIGNATURE: (_("the document was altered after it was signed"), _FOREIGN),
    Reason.PAYLOAD: (_("the document is signed but says something Handfast cannot read"), _AGAIN),
    Reason.WRONG_ISSUER: (
        _("the document names another service than the one that signed it"),
        _FOREIGN,
    ),
    Reason.WRONG_ORIGIN: (
        _("the document came from another site than the service it names"),
        _FOREIGN,
    ),
    Reason.WRONG_AUDIENCE: (_("the document is not meant for a device"), _AGAIN),
    Reason.UNSUPPORTED_SUITE: (
        _("the document asks for a key exchange that this version does not know"),
        _("install a newer Handfast on this device"),
    ),
    Reason.NOT_YET_VALID: (
        _("the document is dated in the future"),
        _("set the clock of this device, then try again"),
    ),
    Reason.EXPIRED: (_("the document has expired"), _AGAIN),
    Reason.UNKNOWN_EXCHANGE: (_("the document names a key exchange nobody vouches for"), _UPDATE),
    Reason.WRONG_DEVICE: (
        _("the document is meant for another device"),
        _('press "Activate this device" in the browser of this device'),
    ),
    Reason.ALREADY_USED: (_("this device has used the document before"), _AGAIN),
    Reason.STALE_KEY_SET: (
        _("what this device knows about the service is out of date"),
        _('run "handfast trust update"'),
    ),
}

_CODES: dict[ErrorCode, tuple[str, str]] = {
    # One answer for all of these, so that a stranger learns nothing; its owner can be told them.
    ErrorCode.REFUSED: (
        _("the service does not take this document: it was used, replaced, ended or is too old"),
        _AGAIN,
    ),
    ErrorCode.WRONG_DEVICE: _REASONS[Reason.WRONG_DEVICE],
    ErrorCode.USED: (
        _("the service says another device has used this activation"),
        _("look at your devices on the portal: if you do not know one of them, revoke it"),
    ),
    ErrorCode.DEVICE_REVOKED: (
        _("the service says this device was revoked"),
        _("if it is in your hands, allow it again on the portal, on the page of this device"),
    ),
    ErrorCode.UNSUPPORTED_SUITE: _REASONS[Reason.UNSUPPORTED_SUITE],
    ErrorCode.BUSY: (_("the service is busy"), _("try again in a minute")),
    ErrorCode.UNAVAILABLE: (_("the service is not available"), _("try again in a minute")),
}
