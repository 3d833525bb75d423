"""Handing mail to the submission server: verified TLS, deadlines, and what it answered."""

from __future__ import annotations

import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from functools import lru_cache
from pathlib import Path
from typing import Final

from app.outbox.places import Submission

# Seconds for one answer, and for everything that is done over one connection.
ANSWER_SECONDS: Final = 15
CONNECTION_SECONDS: Final = 120
MOST_WORDS: Final = 200


class LaterError(Exception):
    """Not this time; says the server's words or what went wrong on the way."""

    def __init__(self, words: str, *, is_connected: bool = True) -> None:
        super().__init__(words)
        # Whether the connection can be used for the next mail.
        self.is_connected: Final = is_connected


class NeverError(Exception):
    """The server refused for good; says its words."""

    def __init__(self, words: str, *, is_address: bool) -> None:
        super().__init__(words)
        # Whether it is the address that it refused, and not the mail.
        self.is_address: Final = is_address


@dataclass(frozen=True)
class Submitter:
    """One connection to the submission server, signed in."""

    _smtp: smtplib.SMTP

    def send(self, message: EmailMessage, *, sender: str, recipient: str) -> None:
        """Hand one mail over, or raise LaterError or NeverError."""
        try:
            self._smtp.send_message(message, sender, [recipient])
        except smtplib.SMTPRecipientsRefused as refused:
            code, answer = refused.recipients[recipient]
            raise _refusal(code, answer, is_address=True) from None
        except smtplib.SMTPSenderRefused as refused:
            # That is about us, and would be the same for every mail.
            raise LaterError(words(refused.smtp_code, refused.smtp_error)) from None
        except smtplib.SMTPResponseException as refused:
            raise _refusal(refused.smtp_code, refused.smtp_error, is_address=False) from None
        except smtplib.SMTPNotSupportedError:
            reason = "the mail server cannot send to an address with such letters"
            raise NeverError(reason, is_address=False) from None
        except (smtplib.SMTPException, OSError) as error:
            reason = f"connection lost: {type(error).__name__}"
            raise LaterError(reason, is_connected=False) from None


@contextmanager
def connected(place: Submission) -> Iterator[Submitter]:
    """Connect and sign in, or raise LaterError; everything ends after CONNECTION_SECONDS."""
    try:
        smtp = _connect(place)
    except smtplib.SMTPResponseException as refused:
        raise LaterError(words(refused.smtp_code, refused.smtp_error)) from None
    except (smtplib.SMTPException, OSError) as error:
        raise LaterError(f"no connection: {type(error).__name__}") from None
    try:
        with cut_after(CONNECTION_SECONDS, smtp.sock):
            try:
                smtp.login(place.username, place.password)
            except smtplib.SMTPResponseException as refused:
                raise LaterError(words(refused.smtp_code, refused.smtp_error)) from None
            except (smtplib.SMTPException, OSError) as error:
                raise LaterError(f"no sign-in: {type(error).__name__}") from None
            yield Submitter(smtp)
            with suppress(smtplib.SMTPException, OSError):
                smtp.quit()
    finally:
        smtp.close()


@contextmanager
def cut_after(seconds: float, watched: socket.socket | None) -> Iterator[None]:
    """Shut a connection down when its time is over: time-outs are for single answers only."""

    def cut() -> None:
        if watched is not None:
            with suppress(OSError):
                # Not the TLS socket's own method, which would go on in the clear.
                socket.socket.shutdown(watched, socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@lru_cache(maxsize=4)
def verifying(ca: Path | None) -> ssl.SSLContext:
    """Return the context for a CA file, or the system's authorities; made once."""
    context = ssl.create_default_context(cafile=None if ca is None else str(ca))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def words(code: int, answer: bytes | str) -> str:
    """Return a server's answer on one line, fit for a page."""
    text = answer if isinstance(answer, str) else answer.decode("utf-8", "replace")
    plain = "".join(each if each.isprintable() else " " for each in text)
    return f"{code} {' '.join(plain.split())}"[:MOST_WORDS]


def _connect(place: Submission) -> smtplib.SMTP:
    context, name = verifying(place.ca), place.sender.domain
    if place.security == "tls":
        return smtplib.SMTP_SSL(
            place.host,
            place.port,
            local_hostname=name,
            timeout=ANSWER_SECONDS,
            context=context,
        )
    smtp = smtplib.SMTP(place.host, place.port, local_hostname=name, timeout=ANSWER_SECONDS)
    try:
        # Raises where the server does not offer it: nothing is ever sent in the clear.
        smtp.starttls(context=context)
    except BaseException:
        smtp.close()
        raise
    return smtp


def _refusal(code: int, answer: bytes | str, *, is_address: bool) -> LaterError | NeverError:
    said = words(code, answer)
    return NeverError(said, is_address=is_address) if 500 <= code < 600 else LaterError(said)
