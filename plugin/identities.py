"""Which device this is, towards each issuer it trusts: what the browser's bridge tells portals."""

from plugin.device import Device
from plugin.errors import UserError
from plugin.i18n import _
from plugin.keystore.records import identity_key
from plugin.keystore.sealing import locked
from plugin.paths import Paths


def known_identities(paths: Paths) -> dict[str, str]:
    """Return issuer → thumbprint of the identity key, for the trusted issuers that have one.

    Nobody is asked for anything and nothing is made: a store that stays closed has none to tell.
    """
    device = Device.open(paths, passphrase=_nobody_to_ask)
    try:
        trusted = {trust.issuer for trust in device.trust.all()}
        seeds = device.store.read().identities
    except UserError:
        # The portal then gives out a document for whichever device takes it, as it did before.
        return {}
    return {issuer: identity_key(seed).kid for issuer, seed in seeds.items() if issuer in trusted}


def _nobody_to_ask() -> str:
    raise locked(_("the key store is sealed with a passphrase"))
