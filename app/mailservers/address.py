"""Mail addresses: one normal form, for comparing *and* as the name a mail server is asked about."""

import re
import unicodedata
from dataclasses import dataclass

import idna

MAX_LOCAL_OCTETS = 64
MAX_ADDRESS_OCTETS = 254
MAX_MAILBOX_NAME = 320
# What IDNA reads as a dot: one at the end says no more than none.
_DOTS = ".\u3002\uff0e\uff61"
# Letters and marks that show nothing (Unicode's Default_Ignorable_Code_Point).
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_ASCII_ATEXT = frozenset("abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-/=?^_`{|}~.")


class AddressError(ValueError):
    """The text is not a mail address this service can use."""


@dataclass(frozen=True, slots=True, order=True)
class MailAddress:
    """A normalised address: lower-cased NFKC local part, domain in its ASCII (A-label) form."""

    local: str
    domain: str

    @property
    def text(self) -> str:
        """The address as compared, stored and given to mail servers."""
        return f"{self.local}@{self.domain}"

    @property
    def shown(self) -> str:
        """The address as people write it, with Unicode domain."""
        return f"{self.local}@{domain_shown(self.domain)}"

    @property
    def forms(self) -> tuple[str, ...]:
        """One form, or two where letters outside ASCII could look like other letters."""
        plain = f"{self.local.encode('ascii', 'backslashreplace').decode()}@{self.domain}"
        return (self.shown,) if plain == self.shown else (self.shown, plain)

    def __str__(self) -> str:
        """The compared form."""
        return self.text


def parse(untrusted: str) -> MailAddress:
    """Return the normalised address, or raise AddressError.

    The local part is lower-cased too, and the mail server is asked about that very name: so two
    spellings are never two people here, and no spelling signs in as somebody else's.
    """
    text = unicodedata.normalize("NFKC", single_line(untrusted).strip())
    local, at, domain = text.partition("@")
    if not at or "@" in domain:
        raise AddressError("a mail address has exactly one @")
    address = MailAddress(_local_part(local), normalise_domain(domain))
    if len(address.text.encode()) > MAX_ADDRESS_OCTETS:
        raise AddressError("the address is too long")
    return address


def single_line(untrusted: str) -> str:
    """Return the text unchanged, or refuse it: CR, LF and NUL would start another IMAP command.

    Every user name and password on its way to a mail server passes here.
    """
    if any(character in untrusted for character in "\r\n\0"):
        raise AddressError("line breaks and NUL are not allowed")
    if any("\ud800" <= character <= "\udfff" for character in untrusted):
        raise AddressError("half a character cannot be sent")
    return untrusted


def mailbox_name(untrusted: str) -> str:
    """Return a user name in one form, or raise AddressError: nothing invisible makes it another."""
    text = unicodedata.normalize("NFKC", single_line(untrusted).strip())
    hidden = any(unicodedata.category(each)[0] == "C" or _INVISIBLE.match(each) for each in text)
    # The normal form of one letter can be eighteen.
    if not text or hidden or len(text) > MAX_MAILBOX_NAME:
        raise AddressError("the user name is too long, or has a character that cannot be seen")
    return text


def normalise_domain(untrusted: str) -> str:
    """Return a domain name in lower-cased ASCII form, or raise AddressError."""
    text = single_line(untrusted).strip().rstrip(_DOTS)
    if text.isascii() and "." not in text:
        raise AddressError("a mail domain has a dot")
    try:
        domain = idna.encode(text, uts46=True, std3_rules=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError) as error:
        raise AddressError("this is not a domain name") from error
    labels = domain.split(".")
    if len(labels) < 2 or labels[-1].isdigit():
        raise AddressError("this is not a mail domain")
    return domain


def domain_shown(domain: str) -> str:
    """Return the Unicode form of an ASCII domain, or the domain where it has none."""
    try:
        return idna.decode(domain)
    except (idna.IDNAError, UnicodeError):
        return domain


def _local_part(text: str) -> str:
    """Return the lower-cased local part: a dot-atom, or letters and digits of any script."""
    # Lower-casing can leave the normal form, so it is normalised once more.
    local = unicodedata.normalize("NFKC", text.lower())
    if not local or len(local.encode()) > MAX_LOCAL_OCTETS:
        raise AddressError("the part before the @ is empty or too long")
    if local.startswith(".") or local.endswith(".") or ".." in local:
        raise AddressError("the part before the @ has a dot in the wrong place")
    if not all(_allowed(character) for character in local):
        raise AddressError("the part before the @ has a character that is not allowed")
    return local


def _allowed(character: str) -> bool:
    """ASCII by RFC 5322's atext; beyond it letters, marks and digits, so nothing invisible."""
    if character.isascii():
        return character in _ASCII_ATEXT
    return unicodedata.category(character)[0] in "LMN" and not _INVISIBLE.match(character)
