"""DNS questions with a deadline: addresses, MX and SRV; the resolver's address is a setting."""

import ipaddress
from dataclasses import dataclass
from functools import cached_property

import dns.exception
import dns.rdata
import dns.rdatatype
import dns.resolver
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.IN.SRV import SRV

from app.mailservers.causes import Cause, MailCheckError
from app.mailservers.deadline import Deadline

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class SrvTarget:
    """One SRV answer."""

    host: str
    port: int


class Names:
    """A resolver: this machine's own, or the one at `nameserver`:`port`."""

    def __init__(self, nameserver: str | None = None, port: int = 53) -> None:
        self._nameserver = nameserver
        self._port = port

    def addresses(self, host: str, deadline: Deadline) -> tuple[IPAddress, ...]:
        """Every address of a host, asked for once; raises NAME_NOT_FOUND or UNDECIDED."""
        found: list[IPAddress] = []
        failure = MailCheckError(Cause.NAME_NOT_FOUND, f"no address for {host}")
        for kind in (dns.rdatatype.A, dns.rdatatype.AAAA):
            try:
                answers = self._ask(host, kind, deadline)
            except MailCheckError as error:
                # Some name servers know nothing of AAAA; only what was answered is connected to.
                failure = error
                continue
            found.extend(ipaddress.ip_address(answer.to_text()) for answer in answers)
        if not found:
            raise failure
        return tuple(found)

    def mx(self, domain: str, deadline: Deadline) -> tuple[str, ...]:
        """The MX hosts of a domain, the preferred one first; none where it names none."""
        answers = [a for a in self._ask(domain, dns.rdatatype.MX, deadline) if isinstance(a, MX)]
        answers.sort(key=lambda answer: answer.preference)
        hosts = (answer.exchange.to_text(omit_final_dot=True).lower() for answer in answers)
        return tuple(host for host in hosts if host not in ("", "."))

    def srv(self, name: str, deadline: Deadline) -> tuple[SrvTarget, ...]:
        """The targets of an SRV name by priority, then weight; none where the service is denied."""
        answers = [a for a in self._ask(name, dns.rdatatype.SRV, deadline) if isinstance(a, SRV)]
        answers.sort(key=lambda answer: (answer.priority, -answer.weight))
        targets = (
            SrvTarget(answer.target.to_text(omit_final_dot=True).lower(), answer.port)
            for answer in answers
        )
        return tuple(target for target in targets if target.host not in ("", "."))

    @cached_property
    def _resolver(self) -> dns.resolver.Resolver:
        """Made when first needed: a machine with pins only may have no resolver at all."""
        resolver = dns.resolver.Resolver(configure=self._nameserver is None)
        if self._nameserver is not None:
            resolver.nameservers = [self._nameserver]
            resolver.port = self._port
        return resolver

    def _ask(
        self, name: str, kind: dns.rdatatype.RdataType, deadline: Deadline
    ) -> tuple[dns.rdata.Rdata, ...]:
        try:
            answer = self._resolver.resolve(
                # The final dot keeps this machine's search list out of a person's domain.
                f"{name}.",
                kind,
                lifetime=deadline.remaining(),
                raise_on_no_answer=False,
            )
        except dns.resolver.NXDOMAIN as error:
            raise MailCheckError(Cause.NAME_NOT_FOUND, f"no such name: {name}") from error
        except TimeoutError as error:
            raise MailCheckError(Cause.UNDECIDED, f"no time left to ask for {name}") from error
        except (dns.exception.DNSException, OSError) as error:
            raise MailCheckError(Cause.UNDECIDED, f"the resolver failed on {name}") from error
        return tuple(answer.rrset or ())
