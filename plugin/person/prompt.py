"""Ask the person: on the terminal, else in a dialog; never anywhere where nobody would see it."""

import io
import os
import shutil
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from getpass import getpass
from typing import TextIO

from plugin import start
from plugin.errors import ExitCode, UserError, refused_by_person
from plugin.i18n import _
from plugin.person.wording import ConsentRequest, consent_lines

TITLE = "Handfast"
NOBODY_TO_ASK = _("there is neither a terminal nor a display to ask for your consent")


def ask_consent(request: ConsentRequest, *, allowed_unasked: Callable[[str], bool]) -> bool:
    """Put the request to the person; without any way to ask, only the administrator decides."""
    answer = ask("\n".join(consent_lines(request)))
    if answer is not None:
        return answer
    if allowed_unasked(request.issuer):
        return True
    raise no_way_to_ask(
        _("run the command on a terminal; an administrator may allow an issuer in policy.json")
    )


def ask(question: str) -> bool | None:
    """Put a question of some lines: True for a clear yes only, None without any way to ask."""
    with _terminal() as terminal:
        if terminal:
            return _yes(terminal, question + "\n\n" + _("Allow? [y/N] "))
    return _dialog_yes(question) if _has_display() else None


def confirm(question: str) -> bool:
    """Ask yes or no before something is added or removed."""
    with _terminal() as terminal:
        if terminal:
            return _yes(terminal, question + _(" [y/N] "))
    raise UserError(
        _("there is no terminal to ask on"),
        _("add --yes if you are sure"),
        ExitCode.NO_WAY_TO_ASK,
    )


def confirm_or_refuse(unasked: bool, question: str) -> None:
    """Go on after a yes, or without the question where `--yes` was given."""
    if not unasked and not confirm(question):
        raise refused_by_person()


def choose(question: str, options: Sequence[str]) -> int | None:
    """Let the person pick one of several; None without a terminal, or when none is picked."""
    with _terminal() as terminal:
        if terminal is None:
            return None
        for number, option in enumerate(options, 1):
            terminal.write(f"  {number}  {option}\n")
        answer = _line(terminal, f"{question} [1-{len(options)}] ")
        return int(answer) - 1 if answer in map(str, range(1, len(options) + 1)) else None


def ask_line(question: str) -> str | None:
    """Ask for one line of text; None without a terminal."""
    with _terminal() as terminal:
        return _line(terminal, question) if terminal else None


def ask_secret(question: str) -> str | None:
    """Ask for one line that the terminal does not show; None without a terminal."""
    with _terminal() as terminal:
        return getpass(question, terminal) if terminal else None


def ask_passphrase() -> str:
    """Ask for the passphrase of the key store."""
    with _terminal() as terminal:
        if terminal:
            return getpass(_("Passphrase of the key store: "), terminal)
    if _has_display():
        answer = _dialog_passphrase(_("Passphrase of the key store:"))
        if answer is not None:
            return answer
    raise UserError(
        _("the key store is sealed with a passphrase and there is no way to ask for it"),
        _("run the command on a terminal, or give --passphrase-fd"),
        ExitCode.STORE,
    )


def ask_new_passphrase() -> str:
    """Ask twice for a new passphrase, on a terminal only."""
    with _terminal() as terminal:
        if terminal:
            first = getpass(_("New passphrase: "), terminal)
            if getpass(_("The same again: "), terminal) == first:
                return first
            raise UserError(
                _("the two passphrases differ"), _("nothing was changed"), ExitCode.USAGE
            )
    raise UserError(
        _("there is no terminal to ask for a passphrase"),
        _("give --new-passphrase-fd"),
        ExitCode.NO_WAY_TO_ASK,
    )


def show(text: str) -> None:
    """Tell how it ended in a window, where there is a display and no terminal; do not wait."""
    with _terminal() as terminal:
        if terminal or sys.stderr.isatty() or not _has_display():
            return
    if program := shutil.which("zenity"):
        command = [program, "--info", "--no-markup", f"--title={TITLE}", f"--text={text}"]
    elif program := shutil.which("kdialog"):
        command = [program, "--title", TITLE, "--msgbox", text]
    else:
        command = _our_dialog("message", text, _("OK"), "")
    subprocess.Popen(  # noqa: S603 - as in _run.
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def no_way_to_ask(hint: str) -> UserError:
    """The refusal where nobody can be asked for consent."""
    return UserError(NOBODY_TO_ASK, hint, ExitCode.NO_WAY_TO_ASK)


@contextmanager
def _terminal() -> Iterator[TextIO | None]:
    """Open the controlling terminal, if this program is the one that it listens to."""
    try:
        descriptor = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        yield None
        return
    with os.fdopen(descriptor, "r+b", buffering=0) as raw:
        # A browser that was started from a terminal leaves us one where nobody expects a question.
        if os.tcgetpgrp(descriptor) != os.getpgrp():
            yield None
            return
        with io.TextIOWrapper(raw, encoding="utf-8", errors="replace", write_through=True) as text:
            yield text


def _yes(terminal: TextIO, question: str) -> bool:
    # What was typed before the question was there is no answer to it.
    termios.tcflush(terminal, termios.TCIFLUSH)
    # Only an answer in the language of the question, or "y", counts as yes.
    return _line(terminal, question).casefold() in {"y", "yes", _("yes").casefold()}


def _line(terminal: TextIO, question: str) -> str:
    terminal.write(question)
    terminal.flush()
    return terminal.readline().strip()


def _has_display() -> bool:
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _dialog_yes(question: str) -> bool | None:
    """Ask in a window of another program; closing it is a no, None means it could not be shown."""
    allow, refuse = _("Allow"), _("Refuse")
    if program := shutil.which("zenity"):
        command = [program, "--question", "--no-markup", "--default-cancel", f"--title={TITLE}"]
        command += [f"--ok-label={allow}", f"--cancel-label={refuse}", f"--text={question}"]
        return _run(command).returncode == 0
    if program := shutil.which("kdialog"):
        command = [program, "--title", TITLE, "--warningyesno", question]
        command += ["--yes-label", allow, "--no-label", refuse]
        return _run(command).returncode == 0
    outcome = _run(_our_dialog("consent", question, allow, refuse))
    return {0: True, 1: False}.get(outcome.returncode)


def _dialog_passphrase(label: str) -> str | None:
    if program := shutil.which("zenity"):
        outcome = _run([program, "--password", f"--title={TITLE}"])
    elif program := shutil.which("kdialog"):
        outcome = _run([program, "--title", TITLE, "--password", label])
    else:
        outcome = _run(_our_dialog("passphrase", label, _("OK"), _("Cancel")))
    return outcome.stdout.removesuffix("\n") if outcome.returncode == 0 else None


def _our_dialog(kind: str, text: str, yes: str, no: str) -> list[str]:
    return start.command("plugin.person.dialog", kind, text, yes, no)


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - fixed programs; text from outside is one escaped argument
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=False
    )
