"""A mail as it goes over the wire, and the tagged address that it would come back to."""

from __future__ import annotations

import base64
import hmac
import re
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final

from app.clock import as_datetime
from app.keystore.provider import KeyStoreError
from app.keystore.sealing import Sealer
from app.mailservers.address import MailAddress
from app.outbox.letters import Letter
from app.outbox.places import ID_LETTERS, TAG_LETTERS, Submission
from protocol.encoding import b64u, unb64u

TAG_BYTES: Final = 10
_LABEL: Final = "returned mail"


def compose(
    letter: Letter, mail_id: str, to: MailAddress, by: Submission, now: int
) -> EmailMessage:
    """Return the message; a second try of the same mail has the same Message-ID."""
    message = EmailMessage(policy=SMTP.clone(utf8=not to.local.isascii()))
    message["Message-ID"] = f"<{mail_id}.handfast@{by.sender.domain}>"
    message["Date"] = format_datetime(as_datetime(now))
    message["From"] = Address(by.sender_name, by.sender.local, by.sender.domain)
    message["To"] = Address("", to.local, to.domain)
    message["Subject"] = letter.subject
    # Out-of-office programs leave such mail unanswered (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    is_plain = letter.body.isascii()
    message.set_content(letter.body, cte="7bit" if is_plain else "quoted-printable")
    return message


def return_address(by: Submission, mail_id: str, made_at: int, keys: Sealer) -> str:
    """Return the envelope's sender: with an id and a tag, so that nobody makes up a bounce."""
    if by.bounces is None:
        return by.sender.text
    # Without upper case, since mail servers on the way may change it.
    name = _base32(unb64u(mail_id, length=16)) + _base32(_tag(mail_id, made_at, keys))
    return f"{by.bounces.local}+{name}@{by.bounces.domain}"


def mail_ids_in(text: str, bounces: MailAddress) -> list[tuple[str, bytes]]:
    """Return the mail ids, with their unverified tags, of return addresses in a header."""
    found = re.findall(
        rf"(?<![^\s<,:;\"]){re.escape(bounces.local)}\+([a-z2-7]{{{ID_LETTERS}}})"
        rf"([a-z2-7]{{{TAG_LETTERS}}})@{re.escape(bounces.domain)}(?![^\s>,;\"])",
        text.lower(),
    )
    return [(b64u(_unbase32(name)), _unbase32(tag)) for name, tag in found]


def is_ours(mail_id: str, made_at: int, untrusted_tag: bytes, keys: Sealer) -> bool:
    """Tell whether we gave this tag out with that mail."""
    try:
        return hmac.compare_digest(_tag(mail_id, made_at, keys), untrusted_tag)
    except KeyStoreError:
        # The key of that time was removed, so nothing can be said of it any more.
        return False


def _tag(mail_id: str, made_at: int, keys: Sealer) -> bytes:
    return keys.tag(_LABEL, mail_id, at=made_at)[:TAG_BYTES]


def _base32(data: bytes) -> str:
    return base64.b32encode(data).decode().rstrip("=").lower()


def _unbase32(text: str) -> bytes:
    return base64.b32decode(text.upper() + "=" * (-len(text) % 8))
