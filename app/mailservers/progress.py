"""The stages a person sees while a server is found and a credential checked."""

from collections.abc import Callable
from enum import StrEnum


class Stage(StrEnum):
    """One stage; the first six are all "finding the mail server"."""

    PINS = "pins"
    TABLE = "table"
    MX = "mx"
    AUTOCONFIG = "autoconfig"
    SRV = "srv"
    MX_DOMAIN = "mx-domain"
    CONNECTING = "connecting"
    SECURING = "securing"
    SIGNING_IN = "signing-in"


Progress = Callable[[Stage], None]


def silent(_: Stage) -> None:
    """Report to nobody."""
