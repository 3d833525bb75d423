"""The house's own rules, for things no linter looks at."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.config import SETTINGS

ROOT = Path(__file__).resolve().parent.parent
LOCK_FILES = sorted(ROOT.glob("requirements*.txt"))
LONGEST_FILE = 400
LONGEST_FUNCTION = 40
CODE = (".py", ".js", ".css", ".html", ".sh")
FOR_TESTS_ONLY = {"HANDFAST_TESTING", "HANDFAST_CRASH_AT"}
# Data with the ending of code, and what a tool writes.
DATA = re.compile(r"^(migrations/versions/|static/vendor/|tests/vectors/)")


def tracked(*endings: str) -> Iterator[Path]:
    """Every file of the repository with one of the endings; nothing that happens to lie around."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    for name in listing.stdout.split("\0"):
        path = ROOT / name
        if name.endswith(endings) and not DATA.match(name) and path.is_file():
            yield path


def test_no_file_is_longer_than_a_reader_can_hold() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in tracked(*CODE)}
    too_long = {str(path.relative_to(ROOT)): n for path, n in lengths.items() if n > LONGEST_FILE}
    assert too_long == {}


def test_no_function_is_longer_than_one_screen() -> None:
    too_long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {length} lines"
        for path in tracked(".py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := body_length(node)) > LONGEST_FUNCTION
    ]
    assert too_long == []


def body_length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from the first statement to the last: a signature with many options may be tall."""
    return (node.end_lineno or 0) - node.body[0].lineno + 1


def test_there_is_no_drawer_for_odds_and_ends() -> None:
    odd = [path for path in tracked(".py") if path.stem in ("utils", "util", "helpers", "common")]
    assert odd == []


def test_whoever_silences_a_checker_says_why() -> None:
    silenced = re.compile(r"# (?:type: ignore|noqa|nosec)(?:\[[^]]*\]|: [A-Z0-9, ]+)?(?P<why>.*)$")
    bare = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in tracked(".py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (found := silenced.search(line)) and not re.search(r"[a-z]{2}", found["why"])
    ]
    assert bare == []


@pytest.mark.parametrize("lock_file", LOCK_FILES, ids=lambda path: path.name)
def test_a_lock_file_pins_by_hash_and_names_no_place(lock_file: Path) -> None:
    text = lock_file.read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"^(-i|-f|--index-url|--extra-index-url|--find-links)\b", text, re.M)
    pinned = re.findall(r"^([a-z0-9][a-z0-9._-]*)==", text, re.M)
    entries = re.split(r"^(?=[a-z0-9][a-z0-9._-]*==)", text, flags=re.M)[1:]
    assert pinned
    assert all("--hash=sha256:" in entry for entry in entries)


def test_the_server_and_the_device_pin_what_the_tests_ran_with() -> None:
    pins = {
        path.name: set(re.findall(r"^[a-z0-9._-]+==[^\s\\]+", path.read_text(), re.M))
        for path in LOCK_FILES
    }
    assert pins["requirements.txt"] <= pins["requirements-dev.txt"]
    assert pins["requirements-device.txt"] <= pins["requirements-dev.txt"]


def test_the_example_environment_has_every_setting_with_its_default() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    examples = re.findall(r"^# (.*)\n([A-Z_]+)=(.*)$", text, re.M)
    assert examples == [
        (one.meaning + (" (secret)" if one.secret else ""), one.name, one.default)
        for one in SETTINGS
    ]


def test_the_deploying_page_explains_every_setting_and_no_other() -> None:
    text = (ROOT / "docs" / "deploying.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"^\|\s*`([A-Z_]+)`", text, re.M))
    rows = [
        f"| `{one.name}` | {f'`{one.default}`' if one.default else '(empty)'} | {one.meaning} |"
        for one in SETTINGS
    ]
    assert [row for row in rows if row not in text.splitlines()] == []
    device = "".join(path.read_text() for path in (ROOT / "plugin").rglob("*.py"))
    of_device = set(re.findall(r'"(HANDFAST_[A-Z_]+)"', device)) - FOR_TESTS_ONLY
    assert explained == {setting.name for setting in SETTINGS} | of_device


def test_the_files_that_the_architecture_names_are_there() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:[a-z_]+/)*(?:[a-z_]+\.py|[a-z_]+/))(?:: [^`]*)?`", text)
    folders = (ROOT, ROOT / "app", ROOT / "plugin")
    assert len(named) > 40
    assert [name for name in named if not any((at / name).exists() for at in folders)] == []


def test_the_commands_that_the_readme_names_are_there() -> None:
    rules = set(re.findall(r"^([a-z0-9]+):", (ROOT / "Makefile").read_text(), re.M))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"(?:^[ \t$]*|`)make ([a-z0-9]+)", readme, re.M))
    assert {"demo", "test"} <= named
    assert named <= rules


def test_help_has_a_line_for_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = set(re.search(r"^\.PHONY: (.*)$", makefile, re.M)[1].split())  # type: ignore[index] # it is there
    described = set(re.findall(r"^([a-z0-9]+):.*## ", makefile, re.M))
    assert described == phony
