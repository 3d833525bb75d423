"""Reading from a server that may be hostile: every read has the deadline and a budget."""

import io
import socket
import ssl
from typing import Any

from app.mailservers.causes import Cause, CertificateFault, MailCheckError
from app.mailservers.deadline import Deadline

# OpenSSL's X509_V_ERR_* numbers; the ssl module has no names for them.
_FAULTS = {
    9: CertificateFault.NOT_YET_VALID,
    10: CertificateFault.EXPIRED,
    18: CertificateFault.SELF_SIGNED,
    19: CertificateFault.SELF_SIGNED,
    20: CertificateFault.UNKNOWN_ISSUER,
    21: CertificateFault.UNKNOWN_ISSUER,
    62: CertificateFault.WRONG_NAME,
    64: CertificateFault.WRONG_NAME,
}


class FloodError(OSError):
    """The server sent more than any honest one does."""


class BoundedReader(io.RawIOBase):
    """The receiving half of a socket, under a deadline and a budget of bytes."""

    def __init__(self, source: socket.socket, deadline: Deadline, budget: int) -> None:
        super().__init__()
        self._source = source
        self._deadline = deadline
        self._budget = budget
        self._sealed = False
        self.ended = False

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        """Receive once, waiting no longer than the deadline."""
        if self._sealed:
            return None
        self._source.settimeout(self._deadline.remaining())
        count = self._source.recv_into(buffer, min(len(buffer), self._budget + 1))
        self.ended = count == 0
        self._budget -= count
        if self._budget < 0:
            raise FloodError("the server sent too much")
        return count

    def waiting(self) -> bool:
        """Whether bytes can be received without waiting."""
        self._source.settimeout(0)
        try:
            return bool(self._source.recv(1, socket.MSG_PEEK))
        except (BlockingIOError, ssl.SSLWantReadError):
            return False

    def held_by(self, lines: "io.BufferedReader[BoundedReader]") -> bool:
        """Whether the buffer on top holds bytes that nobody has read yet; the last thing asked."""
        self._sealed = True
        return bool(lines.peek(1))


def start_tls(
    plain: socket.socket, context: ssl.SSLContext, name: str, deadline: Deadline
) -> ssl.SSLSocket:
    """TLS with the certificate checked for `name`; each way it can fail has its own cause."""
    try:
        plain.settimeout(deadline.remaining())
        # A socket's timeout is a total for the handshake, however many records it takes.
        return context.wrap_socket(plain, server_hostname=name)
    except ssl.SSLCertVerificationError as error:
        fault = _FAULTS.get(error.verify_code, CertificateFault.OTHER)
        raise MailCheckError(Cause.CERTIFICATE, error.verify_message, fault) from error
    except TimeoutError as error:
        raise MailCheckError(Cause.UNDECIDED, "no time left for the TLS handshake") from error
    except (ssl.SSLEOFError, ConnectionError) as error:
        raise MailCheckError(Cause.NOT_REACHABLE, "hung up in the TLS handshake") from error
    except (ssl.SSLError, OSError, ValueError) as error:
        raise MailCheckError(Cause.NOT_A_MAIL_SERVER, "no TLS spoken there") from error
