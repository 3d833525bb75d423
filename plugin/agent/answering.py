"""The device API: another program gets a key derived for it, and never the key itself."""

import threading
from collections.abc import Sequence

import msgspec

from plugin.agent.message import (
    AgentCode,
    AgentError,
    KeyAnswer,
    KeyRequest,
    error_line,
    line_of,
    read_request,
)
from plugin.agent.peer import Peer, Program, UnknownProgramError
from plugin.agent.questions import Questions
from plugin.agent.wording import AccessRequest
from plugin.device import Device
from plugin.errors import ExitCode, UserError
from plugin.i18n import _
from plugin.keystore.records import Contents, KeyRecord, ProgramRecord
from protocol.encoding import b64u


class Agent:
    """Answers programs; every request looks into the store anew."""

    def __init__(self, device: Device, questions: Questions) -> None:
        self._device = device
        self._questions = questions
        # Two threads would both ask for the passphrase of a locked store.
        self._store = threading.Lock()

    def answer(self, untrusted_line: bytes, peer: Peer) -> bytes:
        """Return the line that answers a request of the program at the other end."""
        try:
            return line_of(self._key(read_request(untrusted_line), peer))
        except AgentError as error:
            return error_line(error)
        except UnknownProgramError as error:
            return error_line(unknown_program(error))
        except UserError as error:
            code = AgentCode.LOCKED if error.exit_code is ExitCode.STORE else AgentCode.UNAVAILABLE
            return error_line(AgentError(code, error.message, error.hint))

    def _key(self, request: KeyRequest, peer: Peer) -> KeyAnswer:
        program = peer.program()
        contents = self._read()
        key = choose(contents.keys, request)
        if not allowed(contents, program, key, request.purpose):
            self._consent(contents, program, key, request.purpose, peer)
            # The answer may have taken minutes: key, access and program must still be there.
            contents = self._read()
            key = choose(contents.keys, request)
            if not allowed(contents, program, key, request.purpose):
                raise AgentError(
                    AgentCode.UNAVAILABLE,
                    _("the keys changed while you were asked"),
                    _("let the program try again"),
                )
        derived = key.session_key().program_key(request.purpose, request.direction)
        peer.program()
        return KeyAnswer(1, b64u(derived), key.key_id, key.account, key.service)

    def _consent(
        self, contents: Contents, program: Program, key: KeyRecord, purpose: str, peer: Peer
    ) -> None:
        before = [
            record.granted
            for record in contents.programs
            if _same(record, program.name, key, purpose)
        ]
        access = AccessRequest(
            program.name,
            key.issuer,
            key.account,
            key.service,
            purpose,
            known_since=max(before, default=None),
        )

        def still_wanted() -> bool:
            return not peer.has_ended() and not allowed(self._read(), program, key, purpose)

        def keep() -> None:
            with self._store:
                allow(self._device, program, key, purpose)

        self._questions.access(access, still_wanted=still_wanted, allow=keep)

    def _read(self) -> Contents:
        with self._store:
            return self._device.store.read()


def choose(keys: Sequence[KeyRecord], request: KeyRequest) -> KeyRecord:
    """Return the key a program asks for: the newest that the service has proven, or the newest."""
    found = [
        key
        for key in keys
        if key.service == request.service
        and request.account in (None, key.account)
        and request.key_id in (None, key.key_id)
    ]
    if not found:
        raise AgentError(
            AgentCode.NO_KEY,
            _("this device has no such key"),
            _('activate the account first; "handfast keys list" shows what there is'),
        )
    if len({(key.issuer, key.account) for key in found}) > 1:
        raise AgentError(
            AgentCode.AMBIGUOUS,
            _("this device has keys of several accounts for that service"),
            _('name the account or the key id; "handfast keys list" shows them'),
        )
    return [*found, *(key for key in found if key.proven is not None)][-1]


def allowed(contents: Contents, program: Program, key: KeyRecord, purpose: str) -> bool:
    """Whether the person lets exactly this program use keys like that one for the purpose."""
    return any(
        _same(record, program.name, key, purpose) and record.digest == program.digest
        for record in contents.programs
    )


def allow(device: Device, program: Program, key: KeyRecord, purpose: str) -> ProgramRecord:
    """Keep that the person allows it, in place of what the same program had before it changed."""
    record = ProgramRecord(
        program=program.name,
        digest=program.digest,
        issuer=key.issuer,
        service=key.service,
        account=key.account,
        purpose=purpose,
        granted=device.clock(),
    )

    def add(contents: Contents) -> Contents:
        others = (
            other for other in contents.programs if not _same(other, program.name, key, purpose)
        )
        return msgspec.structs.replace(contents, programs=(*others, record))

    device.store.change(add)
    return record


def unknown_program(error: UnknownProgramError) -> AgentError:
    """Say that a program cannot be told apart from others."""
    return AgentError(
        AgentCode.UNKNOWN_PROGRAM,
        _("the program that asks cannot be identified: %s") % error,
        _("its author finds what is needed in docs/device-api.md"),
    )


def _same(record: ProgramRecord, program: str, key: KeyRecord, purpose: str) -> bool:
    """Whether a record is about this program, whatever its content, and about such keys."""
    return (record.program, record.issuer, record.account, record.service, record.purpose) == (
        program,
        key.issuer,
        key.account,
        key.service,
        purpose,
    )
