"""What the worker does for outside systems."""

from __future__ import annotations

from app.mailservers.names import IPAddress, Names
from app.mailservers.network import Network, is_public
from app.webhooks.delivering import Office, plan, send
from app.worker.here import Here


def tell_webhooks(here: Here) -> bool:
    """Write down what is to be told, then tell it."""
    office = office_of(here)
    more = plan(office)
    return send(office) or more


def office_of(here: Here) -> Office:
    """Return what telling needs; inner networks only where the operator allows them."""
    allowed = here.config.webhook_networks

    def may_reach(address: IPAddress) -> bool:
        return is_public(address) or any(address in network for network in allowed)

    names = Names(*here.config.dns) if here.config.dns else Names()
    ca = here.config.webhook_ca
    network = Network(
        names=names,
        address_allowed=may_reach,
        ca_pem=None if ca is None else ca.read_text(encoding="ascii"),
    )
    return Office(here.database, here.keys.staff, network, here.clock, here.entropy)
