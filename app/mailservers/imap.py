"""IMAP as far as a check goes: IMAPClient on a connection that is made, checked and bounded."""

import contextlib
import imaplib
import io
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from imapclient import IMAPClient

from app.mailservers.causes import Cause, MailCheckError
from app.mailservers.deadline import Deadline
from app.mailservers.network import Network, connect_pinned, tls_context
from app.mailservers.progress import Progress, Stage
from app.mailservers.server import MailServer
from app.mailservers.stream import BoundedReader, FloodError, start_tls

MAX_LINE: Final = 8 * 1024
MAX_LITERAL: Final = 8 * 1024
MAX_CONVERSATION: Final = 64 * 1024


@dataclass(slots=True)
class Conversation:
    """What was seen of a server; a failure is classed by this, never by an exception's text."""

    lines: int = 0
    said_bye: bool = False
    hung_up: bool = False
    timed_out: bool = False
    # The last tagged answer: command, OK or NO, and the words after it.
    answered: tuple[str, str, bytes] | None = None

    def expect_answer(self) -> None:
        """Forget the last tagged answer: the next verdict must be a new one."""
        self.answered = None

    def fault(self, error: Exception) -> MailCheckError:
        """The class of a conversation that broke off with this error."""
        kind = type(error).__name__
        if self.timed_out or isinstance(error, TimeoutError):
            return MailCheckError(Cause.UNDECIDED, "the server took too long")
        if isinstance(error, FloodError):
            return MailCheckError(Cause.NOT_A_MAIL_SERVER, str(error))
        if self.hung_up or isinstance(error, ConnectionError):
            cause = Cause.UNDECIDED if self.lines else Cause.NOT_REACHABLE
            return MailCheckError(cause, "the server hung up")
        if self.said_bye:
            return MailCheckError(Cause.UNDECIDED, "the server said goodbye")
        return MailCheckError(Cause.NOT_A_MAIL_SERVER, f"not IMAP as we know it ({kind})")


class Connection(imaplib.IMAP4):
    """imaplib's protocol engine with every byte in and out going through our bounds."""

    sock: socket.socket

    def __init__(
        self, carrier: socket.socket, name: str, deadline: Deadline, seen: Conversation
    ) -> None:
        self._carrier = carrier
        self._deadline = deadline
        self._seen = seen
        super().__init__(name)

    def open(self, host: str = "", port: int = 143, timeout: float | None = None) -> None:
        """Take the connection as it is: nothing here resolves a name or connects."""
        del port, timeout
        self.host = host
        self._use(self._carrier)

    def read(self, size: int) -> bytes:
        """Read a literal, if it is no longer than an honest one."""
        if size > MAX_LITERAL:
            raise FloodError("the literal is too long")
        return self._lines.read(size)

    def readline(self) -> bytes:
        """Read one line, if it is no longer than an honest one."""
        line = self._lines.readline(MAX_LINE + 1)
        if len(line) > MAX_LINE:
            raise FloodError("the line is too long")
        self._seen.lines += bool(line)
        self._seen.hung_up = self._reader.ended
        self._seen.said_bye = self._seen.said_bye or line[:5].upper() == b"* BYE"
        return line

    def send(self, data: Any) -> None:
        """Send everything before the deadline."""
        # imaplib would rename these errors, so what happened is noted here.
        try:
            self.sock.settimeout(self._deadline.remaining())
            self.sock.sendall(data)
        except TimeoutError:
            self._seen.timed_out = True
            raise
        except OSError:
            self._seen.hung_up = True
            raise

    def shutdown(self) -> None:
        """Close without a word."""
        self.sock.close()

    def starttls(self, ssl_context: ssl.SSLContext | None = None) -> Any:
        """Switch to TLS, keeping nothing that was said before it."""
        if ssl_context is None:
            raise MailCheckError(Cause.CERTIFICATE, "STARTTLS needs a verifying context")
        typ, data = self._simple_command("STARTTLS")
        if typ != "OK":
            raise MailCheckError(Cause.NOT_A_MAIL_SERVER, "the server refused STARTTLS")
        # Whatever follows the answer was written by somebody in between.
        if self._reader.waiting() or self._reader.held_by(self._lines):
            raise MailCheckError(Cause.NOT_A_MAIL_SERVER, "bytes were sent ahead of TLS")
        self._use(start_tls(self.sock, ssl_context, self.host, self._deadline))
        self.untagged_responses = {}
        self._get_capabilities()
        return typ, data

    def _use(self, carrier: socket.socket) -> None:
        self.sock = carrier
        self._reader = BoundedReader(carrier, self._deadline, MAX_CONVERSATION)
        self._lines = io.BufferedReader(self._reader, MAX_LINE)

    def _command_complete(self, name: str, tag: bytes) -> Any:
        typ, data = super()._command_complete(name, tag)  # type: ignore[misc]  # not in the stubs
        words = data[-1] if data and isinstance(data[-1], bytes) else b""
        self._seen.answered = (name, typ, words)
        return typ, data


class Client(IMAPClient):  # type: ignore[misc]  # the library has no type information
    """IMAPClient that speaks over a Connection it is given."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        super().__init__(connection.host, port=0, ssl=False)
        # IMAPClient turns imaplib's log of every command on; nothing of it may be kept here.
        connection.debug = 0

    def _create_IMAP4(self) -> Connection:  # noqa: N802 - the library's name
        return self.connection

    def _set_read_timeout(self) -> None:
        """Leave the time-outs alone: they follow the deadline."""


@contextlib.contextmanager
def connected(
    server: MailServer, network: Network, deadline: Deadline, progress: Progress, seen: Conversation
) -> Iterator[Client]:
    """An IMAP session over verified TLS with the server; raises MailCheckError and nothing else."""
    progress(Stage.CONNECTING)
    fault = None
    with contextlib.ExitStack() as stack:
        try:
            yield _secured(server, network, deadline, progress, seen, stack)
        except MailCheckError:
            raise
        # The libraries were not written for hostile servers: whatever they trip over is an answer.
        except Exception as error:
            fault = seen.fault(error)
    if fault is not None:
        raise fault from None


def _secured(
    server: MailServer,
    network: Network,
    deadline: Deadline,
    progress: Progress,
    seen: Conversation,
    stack: contextlib.ExitStack,
) -> Client:
    """Connect, greet and have TLS; the stack closes everything, the deadline can cut it."""
    plain = _reach(server, network, deadline)
    stack.callback(plain.close)
    stack.enter_context(deadline.watching(plain))
    progress(Stage.SECURING)
    context = tls_context(server.ca_pem if server.pinned else network.ca_pem)
    carrier = plain
    if server.security == "tls":
        # The secured socket takes the descriptor over: it is the one to close and to cut.
        carrier = start_tls(plain, context, server.certificate_name, deadline)
        stack.callback(carrier.close)
        stack.enter_context(deadline.watching(carrier))
    client = Client(Connection(carrier, server.certificate_name, deadline, seen))
    stack.callback(client.connection.shutdown)
    if client.connection.state != "NONAUTH":
        raise MailCheckError(Cause.NOT_A_MAIL_SERVER, "signed in before being asked")
    if server.security == "starttls":
        if "STARTTLS" not in client.connection.capabilities:
            raise MailCheckError(Cause.NOT_A_MAIL_SERVER, "the server offers no STARTTLS")
        client.starttls(context)
        stack.enter_context(deadline.watching(client.connection.sock))
    return client


def _reach(server: MailServer, network: Network, deadline: Deadline) -> socket.socket:
    """Connect: a pinned server wherever it is, any other only by the network's rules."""
    if server.pinned:
        return connect_pinned(server.host, server.port, deadline)
    return network.connect_mail(server.host, server.port, deadline)
