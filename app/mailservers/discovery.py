"""Find the mail server of an address: the first step that names one also decides who vouches."""

import logging
from dataclasses import replace
from typing import Final

from app.mailservers import autoconfig
from app.mailservers.address import AddressError, MailAddress, normalise_domain
from app.mailservers.causes import Cause, CertificateFault, MailCheckError
from app.mailservers.deadline import Deadline
from app.mailservers.imap import Conversation, connected
from app.mailservers.names import SrvTarget
from app.mailservers.network import Network
from app.mailservers.progress import Progress, Stage, silent
from app.mailservers.provider import Credential
from app.mailservers.providers import by_domain, by_imap_host, by_mx
from app.mailservers.server import (
    FoundBy,
    MailServer,
    Pins,
    Security,
    VouchedBy,
    from_pin,
    from_provider,
    manual,
    smtp_of,
)

_PROBE_SECONDS: Final = 4.0
_NAMES_SECONDS: Final = 5.0
_SRV: Final[tuple[tuple[str, Security], ...]] = (("_imaps._tcp", "tls"), ("_imap._tcp", "starttls"))
_MAX_TARGETS: Final = 2

_log = logging.getLogger(__name__)


def discover(
    address: MailAddress,
    *,
    pins: Pins,
    deadline: Deadline,
    progress: Progress = silent,
    network: Network | None = None,
) -> MailServer:
    """Return the mail server of an address; `found_by` MANUAL means a guess to fill the form with.

    Raises MailCheckError: NAME_NOT_FOUND where the domain does not exist, UNDECIDED where nobody
    could be asked in time. Only a result with `may_sign_in` proves anything about the address.
    """
    domain = address.domain
    progress(Stage.PINS)
    pin = pins(domain)
    if pin is not None:
        return from_pin(domain, pin)
    progress(Stage.TABLE)
    provider = by_domain(domain)
    if provider is not None:
        return from_provider(domain, provider, FoundBy.TABLE)
    try:
        return _Search(domain, network or Network(), deadline, progress).run()
    except TimeoutError as error:
        raise MailCheckError(Cause.UNDECIDED, "no time left to find the mail server") from error


class _Search:
    """The steps that ask other machines."""

    def __init__(
        self, domain: str, network: Network, deadline: Deadline, progress: Progress
    ) -> None:
        self._domain = domain
        self._network = network
        self._deadline = deadline
        self._progress = progress

    def run(self) -> MailServer:
        """MX in the table, autoconfig, SRV, the MX host's domain, and then a guess."""
        self._progress(Stage.MX)
        mx_hosts = self._network.names.mx(self._domain, self._deadline.within(_NAMES_SECONDS))
        provider = by_mx(mx_hosts[0]) if mx_hosts else None
        if provider is not None:
            return from_provider(self._domain, provider, FoundBy.TABLE_MX)
        self._progress(Stage.AUTOCONFIG)
        found = self._by_autoconfig(self._domain)
        if found is None:
            self._progress(Stage.SRV)
            found = self._by_srv(self._domain)
        if found is None and mx_hosts:
            self._progress(Stage.MX_DOMAIN)
            found = self._by_mx_domain(mx_hosts[0])
        return found or manual(self._domain, f"imap.{self._domain}", 993, "tls")

    def _by_autoconfig(self, configured_by: str) -> MailServer | None:
        """The mail domain's own word for its server, over HTTPS and so in its own name."""
        found = autoconfig.look_up(configured_by, self._domain, self._network, self._deadline)
        if found is None:
            return None
        provider = by_imap_host(found.host)
        return MailServer(
            domain=self._domain,
            host=found.host,
            port=found.port,
            security=found.security,
            username_form=found.username_form,
            credential=provider.credential if provider else found.credential,
            vouched_by=VouchedBy.AUTOCONFIG,
            found_by=FoundBy.AUTOCONFIG,
            certificate_name=found.host,
            provider=provider,
            smtp=found.smtp or (smtp_of(provider) if provider else None),
        )

    def _by_srv(self, asked: str) -> MailServer | None:
        """The SRV target; anybody on the way can write SRV, so the certificate decides on it."""
        unproven = None
        for service, security in _SRV:
            for target in self._srv_targets(f"{service}.{asked}"):
                found = self._probed(target, security)
                if found is not None and found.may_sign_in:
                    return found
                unproven = unproven or found
        return unproven

    def _srv_targets(self, name: str) -> tuple[SrvTarget, ...]:
        try:
            targets = self._network.names.srv(name, self._deadline.within(_NAMES_SECONDS))
        except MailCheckError as error:
            _log.info("no SRV at %s: %s", name, error.cause)
            return ()
        return targets[:_MAX_TARGETS]

    def _probed(self, target: SrvTarget, security: Security) -> MailServer | None:
        """The target as a server: vouching where its certificate is the mail domain's own."""
        server = MailServer(
            domain=self._domain,
            host=target.host,
            port=target.port,
            security=security,
            username_form="address",
            credential=Credential.PASSWORD,
            vouched_by=VouchedBy.SRV,
            found_by=FoundBy.SRV,
            certificate_name=self._domain,
        )
        try:
            step = self._deadline.within(_PROBE_SECONDS)
            with connected(server, self._network, step, silent, Conversation()):
                return server
        except MailCheckError as error:
            _log.info("SRV target %s port %d: %s", target.host, target.port, error)
            if error.why is not CertificateFault.WRONG_NAME:
                return None
        provider = by_imap_host(target.host)
        return replace(
            server,
            vouched_by=VouchedBy.MANUAL,
            certificate_name=target.host,
            provider=provider,
            smtp=smtp_of(provider) if provider else None,
            credential=provider.credential if provider else Credential.PASSWORD,
        )

    def _by_mx_domain(self, mx_host: str) -> MailServer | None:
        """What the MX host's domain says; it says nothing about the mail domain, so unproven."""
        # One label less and no further: two less may be a registry such as co.uk.
        _, _, parent = mx_host.partition(".")
        try:
            hosting = normalise_domain(parent)
        except AddressError:
            return None
        if hosting == self._domain:
            return None
        provider = by_domain(hosting)
        if provider is not None:
            found: MailServer | None = from_provider(self._domain, provider, FoundBy.MX_DOMAIN)
        else:
            found = self._by_autoconfig(hosting) or self._by_srv(hosting)
        return found and replace(found, vouched_by=VouchedBy.MANUAL, found_by=FoundBy.MX_DOMAIN)
