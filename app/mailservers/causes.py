"""Why a mail check ended without an answer of "yes"; pages word each cause, logs get the detail."""

from enum import StrEnum


class Cause(StrEnum):
    """The class of a failed check; every one has its own sentence and its own next step."""

    WRONG_CREDENTIAL = "wrong-credential"
    UNDECIDED = "undecided"
    NAME_NOT_FOUND = "name-not-found"
    NOT_REACHABLE = "not-reachable"
    CERTIFICATE = "certificate"
    NOT_A_MAIL_SERVER = "not-a-mail-server"
    NEEDS_APP_PASSWORD = "needs-app-password"  # noqa: S105 - a cause, not a secret
    NEEDS_PROVIDER_SIGN_IN = "needs-provider-sign-in"
    BUSY = "busy"
    REFUSED_ADDRESS = "refused-address"


class CertificateFault(StrEnum):
    """What is wrong with a mail server's certificate."""

    WRONG_NAME = "wrong-name"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    SELF_SIGNED = "self-signed"
    UNKNOWN_ISSUER = "unknown-issuer"
    OTHER = "other"


class MailCheckError(Exception):
    """A check or a search that did not succeed. `detail` is for the log and holds no secret."""

    def __init__(self, cause: Cause, detail: str = "", why: CertificateFault | None = None) -> None:
        super().__init__(cause, detail)
        self.cause = cause
        self.detail = detail
        self.why = why

    def __str__(self) -> str:
        """Cause, certificate fault and detail on one line."""
        return ": ".join(part for part in (self.cause, self.why, self.detail) if part)
