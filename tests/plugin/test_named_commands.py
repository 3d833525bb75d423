"""Every command that a hint, the manual or the documentation names is one that works."""

import ast
import re
import shlex
from collections.abc import Iterator

import pytest

from plugin.__main__ import parser
from plugin.errors import UserError
from tests.plugin.conftest import REPOSITORY

DOCUMENTS = ("README.md", "docs/device-api.md")
QUOTED = re.compile(r'"(handfast\b[^"]*)"')
# Unquoted at the end of a sentence: nothing of ours follows it but a bracket or a semicolon.
UNQUOTED = re.compile(r"(?:^|: |%\S+ )(handfast [a-z][^;,()\n]*)", re.MULTILINE)
# Their sentences say in words what goes with them: "its id above", "for its key".
IN_PROSE = {
    "handfast access allow",
    "handfast keys remove",
    "handfast trust add",
    "handfast trust remove",
    "handfast doctor says whether the browser can start it",
}
IN_MARKDOWN = re.compile(r"`(handfast\b[^`]*)`")


def in_the_code() -> Iterator[str]:
    for file in sorted((REPOSITORY / "plugin").rglob("*.py")):
        tree = ast.parse(file.read_text())
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            if node.func.id in ("_", "ngettext"):
                for each in node.args:
                    if isinstance(each, ast.Constant) and isinstance(each.value, str):
                        yield from QUOTED.findall(each.value) or UNQUOTED.findall(each.value)


def in_the_documents() -> Iterator[str]:
    for name in DOCUMENTS:
        yield from IN_MARKDOWN.findall((REPOSITORY / name).read_text())


def in_the_manual() -> Iterator[str]:
    text = (REPOSITORY / "docs/man/handfast.1").read_text().replace("\\-", "-")
    yield from re.findall(r'^\.BR? "(handfast [^"]+)"', text, re.MULTILINE)
    yield from re.findall(r"^(?:examples?: | +)(handfast [a-z].*)$", text, re.MULTILINE)


def words_of(command: str) -> list[str]:
    """Return the arguments; a placeholder stays as it is, an option in brackets goes."""
    text = re.sub(r"\[[^]]*\]|\d?< ?\S+|\.+$", " ", command)
    return [word.partition("|")[0] for word in shlex.split(text)[1:]]


COMMANDS = sorted({*in_the_code(), *in_the_documents(), *in_the_manual()} - IN_PROSE)


def test_there_are_commands_to_look_at() -> None:
    assert len(COMMANDS) > 20


@pytest.mark.parametrize("command", COMMANDS)
def test_the_command_parses(command: str) -> None:
    try:
        parser().parse_args(words_of(command))
    except UserError as error:
        pytest.fail(f"{command}: {error.message}")
    except SystemExit as ended:
        if ended.code:
            pytest.fail(command)
