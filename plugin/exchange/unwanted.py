"""Keys that the person refused: nothing uses them, and the service is told to end them."""

from contextlib import suppress

from plugin.device import Device
from plugin.errors import ExitCode, UserError
from plugin.exchange import packets
from plugin.exchange.packets import KeyEndedError
from protocol.channel import End, EndAnswer


def end_all(device: Device) -> bool:
    """Have the service end every unwanted key; False if one is left for the next contact."""
    for key in device.store.read().unwanted:
        try:
            # A notice says the same: an earlier answer was lost, or the owner was faster.
            with suppress(KeyEndedError):
                packets.ask(key, End(), EndAnswer, device=device, pauses=())
        except UserError as error:
            if error.exit_code is ExitCode.STORE:
                raise
            return False
        device.end_key(key.key_id)
    return True
