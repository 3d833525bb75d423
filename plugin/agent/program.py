"""A program by its file, before it runs: named as `plugin.agent.peer` will name it then."""

import shlex
import shutil
from pathlib import Path
from typing import Final

from plugin.agent.peer import Program
from plugin.errors import ExitCode, UserError
from plugin.i18n import _
from plugin.person.terminal import plain

_LONGEST_FIRST_LINE: Final = 256
_EXECUTABLE: Final = b"\x7fELF"


def program_of(file: Path, run_by: Path | None) -> Program:
    """Return the program that starting `file` would run; raises UserError."""
    try:
        file = file.expanduser().resolve(strict=True)
        if run_by is None:
            run_by = _interpreter(file)
        if run_by is None:
            return Program.of_files(file)
        return Program.of_files(run_by.expanduser().resolve(strict=True), file)
    except OSError as error:
        raise UserError(
            _("cannot read the program %(file)s: %(why)s")
            % {"file": plain(str(file)), "why": error.strerror or error},
            _("give the path of its file"),
            ExitCode.USAGE,
        ) from error


def _interpreter(file: Path) -> Path | None:
    with file.open("rb") as opened:
        line = opened.read(_LONGEST_FIRST_LINE).split(b"\n")[0]
    if line.startswith(_EXECUTABLE):
        return None
    words = line[2:].decode(errors="replace").split() if line.startswith(b"#!") else []
    if words[:1] in (["/usr/bin/env"], ["/bin/env"]):
        found = shutil.which(words[-1]) if len(words) == 2 else None
        words = [found] if found else []
    if not words:
        raise UserError(
            _("%s does not say what runs it") % shlex.quote(plain(str(file))),
            _("name the interpreter with --run-by"),
            ExitCode.USAGE,
        )
    return Path(words[0])
