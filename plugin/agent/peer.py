"""Who is at the other end of a local socket: the kernel names the process, its files the program.

A program is named by the files that it runs and by their SHA-256, so that a changed one is another
one. What this can and cannot tell stands in docs/decisions/0015.
"""

import hashlib
import os
import re
import select
import shlex
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from plugin.i18n import _

# The kernel opens the descriptor of the process that connected: no number that could be reused.
# Linux 6.5 and later; Python has no name for it yet.
SO_PEERPIDFD: Final = getattr(socket, "SO_PEERPIDFD", 77)
_CREDENTIALS: Final = struct.Struct("3i")
_DELETED: Final = " (deleted)"
_START_TIME: Final = 19


class UnknownProgramError(Exception):
    """The process cannot be told apart from others; the text says why, for its author."""


@dataclass(frozen=True)
class Program:
    """The files that a process runs: one executable, or an interpreter and its script."""

    files: tuple[Path, ...]
    digest: str

    @property
    def name(self) -> str:
        """The files as a shell would write them: one text for one program."""
        return shlex.join(map(str, self.files))

    @classmethod
    def of_files(cls, *files: Path) -> "Program":
        """Name a program by its files as they are now; raises OSError."""
        hashes = []
        for file in files:
            with file.open("rb") as opened:
                hashes.append(hashlib.file_digest(opened, "sha256").digest())
        one = hashes[0] if len(hashes) == 1 else hashlib.sha256(b"".join(hashes)).digest()
        return cls(files, one.hex())


def now() -> float:
    """Read the clock by which the kernel says when a process began."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Peer:
    """The process that connected, for as long as it lives."""

    def __init__(self, connection: socket.socket, *, accepted: float) -> None:
        """Take hold of the process; `accepted` is the time of CLOCK_BOOTTIME when it connected."""
        size = _CREDENTIALS.size
        found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
        self._pid, self.uid, _gid = _CREDENTIALS.unpack(found)
        self._handle = _handle(connection, self._pid, accepted)
        self._seen: Program | UnknownProgramError | None = None

    def close(self) -> None:
        """Let go of the process."""
        os.close(self._handle)

    def program(self) -> Program:
        """Return what the process runs, the same as ever, or raise UnknownProgramError."""
        # Once unknown, always unknown: what it has become since did not open the connection.
        if isinstance(self._seen, UnknownProgramError):
            raise self._seen
        try:
            found = self._program_now()
            if self._seen not in (None, found):
                raise UnknownProgramError(_("it changed while it was connected: start it again"))
        except UnknownProgramError as error:
            self._seen = error
            raise
        self._seen = found
        return found

    def has_ended(self) -> bool:
        """Whether the process is gone."""
        return bool(select.select([self._handle], [], [], 0)[0])

    def _program_now(self) -> Program:
        proc = Path("/proc") / str(self._pid)
        try:
            executable = _running_file(proc / "exe")
            arguments = os.fsdecode((proc / "cmdline").read_bytes()).split("\0")[1:-1]
            program = Program.of_files(executable, *_files_given(proc, executable, arguments))
        except OSError as error:
            raise UnknownProgramError(_("its files cannot be read")) from error
        # Only now: while the process lives, its number is nobody else's.
        if self.has_ended():
            raise UnknownProgramError(_("it has ended"))
        return program


def _handle(connection: socket.socket, pid: int, accepted: float) -> int:
    try:
        return connection.getsockopt(socket.SOL_SOCKET, SO_PEERPIDFD)
    except OSError:
        return _older_handle(pid, accepted)


def _older_handle(pid: int, accepted: float) -> int:
    """On older kernels: the process with that number, if it was there before the connection."""
    try:
        handle = os.pidfd_open(pid)
    except OSError as error:
        raise UnknownProgramError(_("it has ended")) from error
    try:
        # The name of the program stands in parentheses and may hold anything, also parentheses.
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        started = int(fields[_START_TIME]) / os.sysconf("SC_CLK_TCK")
    except OSError:
        started = accepted + 1
    if started > accepted:
        os.close(handle)
        raise UnknownProgramError(_("it has ended"))
    return handle


def _running_file(link: Path) -> Path:
    """Return the path of the running executable, if that path still leads to it."""
    path = link.readlink()
    if str(path).endswith(_DELETED):
        raise UnknownProgramError(_("it was replaced while it ran: start it again"))
    # In a container the same path may lead to another file.
    if not path.is_absolute() or not path.exists() or not path.samefile(link):
        raise UnknownProgramError(_("its file is not where it says"))
    return path


def _files_given(proc: Path, executable: Path, arguments: list[str]) -> list[Path]:
    """Return the script that a process runs; of an unknown program, every file it was given.

    It may be an interpreter too: consent to one of its scripts must not be one to all of them.
    """
    folder = (proc / "cwd").readlink()
    script = script_of(executable.name, arguments)
    if script is None:
        given = [folder / path for path in _paths_among(arguments)]
        # A name that is too long for a file is just text; this function alone does not raise then.
        paths = [path for path in given if os.path.isfile(path)]  # noqa: PTH113 - see above
    else:
        paths = [folder / script]
    files = list(dict.fromkeys(path.resolve(strict=True) for path in paths))
    if len(files) > _MOST_FILES:
        raise UnknownProgramError(_("it was started with too many files"))
    for file in files:
        # In a container the same path may lead to another file.
        if not (proc / "root" / file.relative_to("/")).samefile(file):
            raise UnknownProgramError(_("its file is not where it says"))
    return files


def _paths_among(arguments: list[str]) -> Iterator[str]:
    """Return what could be a file's name: `file`, `--option=file`, `-ofile`."""
    for argument in arguments:
        yield argument
        if argument.startswith("-"):
            yield argument.partition("=")[2]
            yield argument[2:]


# More than these nobody would read in a question.
_MOST_FILES: Final = 4
# After the names below: versions, kinds of builds, systems; python3.13t, perl5.36-x86_64-linux-gnu.
_BUILD: Final = r"([0-9][0-9.]*[a-z]*)?([-_.].*)?"
# Interpreters of scripts, and the options with which one still runs the file that follows. Every
# other option says that the code comes from elsewhere, or takes an argument like a file's name.
_NO_OPTIONS: Final = re.compile("(?!)")
_SCRIPTED: Final = {
    re.compile(f"(python|pypy){_BUILD}"): re.compile("-[IEsSPuBObqvd]+"),
    re.compile(f"(sh|bash|rbash|dash|zsh|ash|[rm]?ksh|lksh|oksh|pdksh|yash){_BUILD}"): re.compile(
        "-[eux]+"
    ),
    re.compile(f"perl{_BUILD}"): re.compile("-[wTt]+"),
    re.compile(
        "(node|nodejs|ruby|jruby|truffleruby|php|lua|luajit|texlua|tclsh|wish|guile|gjs|cjs|qjs"
        f"|Rscript|fish|t?csh|elvish|nu){_BUILD}"
    ): _NO_OPTIONS,
}
# Programs that run code for which no first argument stands, or speak for whoever starts them.
_UNNAMEABLE: Final = re.compile(
    "(java|mono|dotnet|pwsh|powershell|deno|bun|electron|nw|nwjs|phantomjs|d8|jsc?|wine|wine64|box64|box86"
    "|awk|gawk|mawk|nawk|busybox|toybox|env|expect|expectk|R|julia|octave|octave-cli|octave-gui|scilab"
    "|beam|erl|erlexec|racket|gracket|scheme|chez|petite|csi|gosh|gsi|sbcl|clisp|ecl|ccl|lx86cl64|abcl"
    "|janet|swipl|gprolog|ghc|ocaml|ocamlrun|moar|rakudo|raku|io|pike|gforth|wasmtime|wasmer|wasmedge"
    "|emacs|vim|nvim|gdb|lldb|qml|qmlscene|socat|nc|ncat|netcat|curl|qemu)"
    rf"{_BUILD}|ld(-.*)?\.so.*"
)


def script_of(executable: str, arguments: list[str]) -> str | None:
    """Return the script that an interpreter runs, None for a program that is no interpreter."""
    options = next(
        (options for name, options in _SCRIPTED.items() if name.fullmatch(executable)), None
    )
    if options is None and not _UNNAMEABLE.fullmatch(executable):
        return None
    rest = list(arguments)
    while options and rest and options.fullmatch(rest[0]):
        del rest[0]
    if options is None or not rest or not rest[0] or rest[0].startswith("-"):
        raise UnknownProgramError(
            _("it is run by %s without a script file that could be named") % executable
        )
    return rest[0]
