"""Where mail goes out and where bounces come in, as the operator set it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from app.mailservers.address import MailAddress
from app.mailservers.server import Security

# A return address carries a mail's id and a tag, in letters that no mail server changes: 16 and
# 10 bytes in base32. This is what they leave of the 64 octets of a local part.
ID_LETTERS: Final = 26
TAG_LETTERS: Final = 16
MOST_BOUNCES_LETTERS: Final = 64 - len("+") - ID_LETTERS - TAG_LETTERS


@dataclass(frozen=True)
class Submission:
    """The mail server that takes our mail, and the sender it knows us as."""

    host: str
    port: int
    security: Security
    username: str
    password: str = field(repr=False)
    # Whose certificates count; None: the system's authorities.
    ca: Path | None
    sender: MailAddress
    sender_name: str
    # Returned mail goes to this address with a tag; None: to the sender, where nobody looks.
    bounces: MailAddress | None


@dataclass(frozen=True)
class BounceMailbox:
    """The mailbox of that address, read over IMAP with TLS from the first byte."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    ca: Path | None
