"""The browser bridge's front door: native messaging on standard input and output.

The browser starts this program, one process for one document or one question. Frames are four
bytes of length in the machine's order and that many bytes of JSON. The messages are told in
`browser/job.js` and `browser/identity.js`.
"""

import json
import os
import struct
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final

from plugin import handler
from plugin.bridge import EXTENSION_ORIGIN
from plugin.device import Device
from plugin.errors import ExitCode, UserError
from plugin.exchange import contact
from plugin.i18n import _
from plugin.identities import known_identities
from plugin.paths import Paths
from plugin.person.terminal import tell
from plugin.person.wording import ConsentRequest

LONGEST_FRAME: Final = 64 * 1024
_LENGTH: Final = struct.Struct("=I")


class ConversationError(Exception):
    """The other end broke the framing or said something that does not belong here."""


class Conversation:
    """Frames to and from the extension, on two file descriptors of our own."""

    def __init__(self, reading: int, writing: int) -> None:
        self._reading = reading
        self._writing = writing

    def receive(self) -> dict[str, Any] | None:
        """Return the next message, or None at the end of the input."""
        head = self._read(_LENGTH.size)
        if not head:
            return None
        (length,) = _LENGTH.unpack(head)
        if length > LONGEST_FRAME:
            raise ConversationError("a frame is longer than 64 KiB")
        body = self._read(length)
        if len(body) < length:
            return None
        return _decode(body)

    def send(self, kind: str, /, **fields: Any) -> None:
        """Send one message; a browser that has gone away is not an error."""
        body = json.dumps({"type": kind, **fields}, separators=(",", ":")).encode()
        frame = _LENGTH.pack(len(body)) + body
        try:
            while frame:
                frame = frame[os.write(self._writing, frame) :]
        except BrokenPipeError:
            # What was allowed goes on without an audience.
            return

    def _read(self, count: int) -> bytes:
        """Return `count` bytes, or fewer at the end of the input."""
        read = b""
        while len(read) < count:
            more = os.read(self._reading, count - len(read))
            if not more:
                # Half a length and half a message both mean that nobody is there any more.
                return b"" if len(read) < _LENGTH.size else read
            read += more
        return read


def main(argv: list[str] | None = None) -> int:
    """Serve the one document the browser hands over; return the exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    sys.excepthook = _name_only
    if not arguments or arguments[0] != EXTENSION_ORIGIN:
        tell("handfast: error: " + _("this program is started by the browser"))
        tell("handfast: hint: " + _("handfast doctor says whether the browser can start it"))
        return int(ExitCode.USAGE)
    conversation = _take_over_stdio()
    try:
        return _serve(conversation)
    except ConversationError as error:
        conversation.send("error", code="malformed", message=str(error), hint="")
        return int(ExitCode.USAGE)


def _serve(conversation: Conversation) -> int:
    message = conversation.receive()
    if message is None:
        return int(ExitCode.OK)
    if message == {"type": "identities"}:
        conversation.send("identities", identities=known_identities(Paths.from_environment()))
        return int(ExitCode.OK)
    return _activate(conversation, message)


def _activate(conversation: Conversation, message: dict[str, Any]) -> int:
    untrusted_document, origin = _document_of(message)
    device = Device.open(Paths.from_environment())
    started = device.clock()
    try:
        activated = handler.activate(
            untrusted_document,
            device=device,
            origin=origin,
            consent=_ask_over(conversation, device),
            progress=lambda stage: conversation.send("progress", stage=stage),
        )
    except UserError as error:
        _send_error(conversation, error)
        return int(error.exit_code)
    keys = [
        {"account": key.account, "service": key.service, "words": list(key.words)}
        for key in activated.keys
    ]
    conversation.send("done", device=activated.device_name, keys=keys)
    contact.after_activation(device, activated.keys)
    return _resume(device, before=started)


def _resume(device: Device, *, before: int) -> int:
    """Finish what an earlier start left: nobody waits for it, and the extension lets us."""
    try:
        handler.resume(device, lambda _stage: None, before=before)
    except UserError as error:
        # The browser has heard of its own activation; this is for its log.
        tell(f"handfast: error: {error.message}")
        return int(error.exit_code)
    return int(ExitCode.OK)


def _send_error(conversation: Conversation, error: UserError) -> None:
    if error.exit_code is ExitCode.REFUSED_BY_PERSON:
        conversation.send("refused")
        return
    code = error.exit_code.name.lower().replace("_", "-")
    conversation.send("error", code=code, message=error.message, hint=error.hint)


def _document_of(message: dict[str, Any]) -> tuple[bytes, str]:
    """Return the untrusted document, and the origin that the browser vouches for."""
    if set(message) != {"type", "document", "origin"} or message["type"] != "document":
        raise ConversationError("the first message is not a document")
    text, origin = message["document"], message["origin"]
    if not isinstance(text, str) or not isinstance(origin, str):
        raise ConversationError("document and origin are not text")
    return text.encode("utf-8", "surrogatepass"), origin


def _ask_over(conversation: Conversation, device: Device) -> Callable[[ConsentRequest], bool]:
    def ask(request: ConsentRequest) -> bool:
        conversation.send("consent", request=_wire(request))
        device.transport.prepare()
        answer = conversation.receive()
        # The end of the input while undecided is a refusal: the window or the page was closed.
        return answer == {"type": "allow"}

    return ask


def _wire(request: ConsentRequest) -> dict[str, Any]:
    fields = asdict(request)
    fields["accounts"] = [
        {"address": address, "services": list(services)} for address, services in request.accounts
    ]
    return fields


def _take_over_stdio() -> Conversation:
    """Keep both pipes for the frames: whatever else is printed goes to standard error."""
    reading, writing = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.close(nowhere)
    os.dup2(2, 1)
    return Conversation(reading, writing)


def _decode(body: bytes) -> dict[str, Any]:
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ConversationError("a message is not JSON") from error
    if not isinstance(message, dict):
        raise ConversationError("a message is not an object")
    return message


def _name_only(kind: type[BaseException], _error: BaseException, _trace: object) -> None:
    """Name an unexpected error without its text or traceback, which could hold a secret."""
    print(f"handfast: error: internal error ({kind.__name__})", file=sys.stderr)  # noqa: T201  # stderr goes to the browser's log


if __name__ == "__main__":
    sys.exit(main())
