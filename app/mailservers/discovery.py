"""Find the mail server of an address: the first step that names one decides who vouches."""

from app.mailservers.address import MailAddress
from app.mailservers.deadline import Deadline
from app.mailservers.network import Network
from app.mailservers.progress import Progress, Stage, silent
from app.mailservers.providers import by_domain
from app.mailservers.server import FoundBy, MailServer, Pins, from_pin, from_provider, manual


def discover(
    address: MailAddress,
    *,
    pins: Pins,
    deadline: Deadline,
    progress: Progress = silent,
    network: Network | None = None,
) -> MailServer:
    """Return the server; where nobody names one, a guess to fill the manual form with."""
    domain = address.domain
    progress(Stage.PINS)
    pin = pins(domain)
    if pin is not None:
        return from_pin(domain, pin)
    progress(Stage.TABLE)
    provider = by_domain(domain)
    if provider is not None:
        return from_provider(domain, provider, FoundBy.TABLE)
    return manual(domain, f"imap.{domain}", 993, "tls")
