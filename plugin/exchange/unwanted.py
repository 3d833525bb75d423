"""Keys that the person refused: nothing uses them, and the service is told to end them."""

from plugin.device import Device
from plugin.errors import ExitCode, UserError
from plugin.exchange import packets, removal
from plugin.exchange.packets import KeyEndedError
from protocol.channel import End, EndAnswer


def end_all(device: Device) -> bool:
    """Have the service end every unwanted key; False if one is left for the next contact."""
    is_told = True
    for key in device.store.read().unwanted:
        try:
            packets.ask(key, End(), EndAnswer, device=device, pauses=())
        except KeyEndedError as error:
            # It says the same: an earlier answer was lost, or the owner was faster.
            removal.heed(key, error, device)
        except UserError as error:
            if error.exit_code is ExitCode.STORE:
                raise
            is_told = False
        else:
            removal.drop(key, device)
    return is_told
