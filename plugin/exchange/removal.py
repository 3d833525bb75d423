"""What a notice ends here: one key, or all that this device has of its owner; and the answer."""

from plugin.crashpoints import crashpoint
from plugin.device import Device
from plugin.errors import ExitCode, UserError
from plugin.exchange.answer import ErrorAnswerError, accepted
from plugin.exchange.packets import KeyEndedError, current_key_set
from plugin.keystore.records import KeyRecord, RemovalRecord
from plugin.network.http_answer import TransportError
from protocol import removal
from protocol.errors import Reason, RemoteProtocolError, VerificationError


def heed(key: KeyRecord, ended: KeyEndedError, device: Device) -> None:
    """Do what a verified notice says about a key."""
    if ended.ending != "remove":
        drop(key, device)
        return
    device.remove_owner(key, noticed=ended.notice.iat, exchange=ended.exchange)
    crashpoint("device.removal.stored")


def drop(key: KeyRecord, device: Device) -> None:
    """Remove one key that has ended on the service."""
    device.end_key(key.key_id)
    crashpoint("device.key.ended")


def answer_all(device: Device) -> None:
    """Tell services that what they had removed is removed; until one notes it, again and again."""
    for record in device.removals():
        if record.noted is None:
            try:
                _answer(record, device)
            except UserError as error:
                if error.exit_code is ExitCode.STORE:
                    raise
            except (TransportError, ErrorAnswerError, RemoteProtocolError, VerificationError):
                # Noise, as everything is that is not signed: the next contact says it again.
                continue


def _answer(record: RemovalRecord, device: Device) -> None:
    identity = device.identity(record.issuer)
    if identity.kid != record.device:
        # An older copy of the store was put back: nobody can sign this any more.
        device.removal_is_over(record)
        return
    body = removal.removed_of(record.issuer, record.key, record.at, identity)
    ca_file = device.trust.get(record.issuer).ca_file
    answer = device.transport.post(record.exchange + removal.PATH, body, ca_file=ca_file)
    crashpoint("device.removal.sent")
    _check(accepted(answer), body, record, device)
    device.removal_is_over(record)
    crashpoint("device.removal.noted")


def _check(untrusted: bytes, body: bytes, record: RemovalRecord, device: Device) -> None:
    said = removal.read_removed(body)
    try:
        key_set = current_key_set(record.issuer, device)
        removal.check_noted(untrusted, said, key_set, record.exchange)
    except VerificationError as error:
        if error.reason is not Reason.UNKNOWN_KEY:
            raise
        key_set = device.trust.update(record.issuer)
        removal.check_noted(untrusted, said, key_set, record.exchange)
