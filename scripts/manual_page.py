"""Write docs/man/handfast.1 from the command line's own parser, or check that it is up to date."""

import argparse
import os
import sys
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent.parent
PAGE: Final = HERE / "docs/man/handfast.1"
sys.path.insert(0, str(HERE))
# Usage lines are folded by man, not by us; and every machine writes the same page.
os.environ.update({"COLUMNS": "1000", "LC_ALL": "C.UTF-8", "LANGUAGE": "en"})

from argparse_manpage.manpage import Manpage  # noqa: E402 - the environment comes first

from plugin.__main__ import parser  # noqa: E402 - the environment comes first
from plugin.device import VERSION  # noqa: E402 - the environment comes first
from plugin.errors import MEANINGS  # noqa: E402 - the environment comes first

SUMMARY: Final = "strong keys between this device and a service, by way of your mail account"
DESCRIPTION: Final = """\
A service and this device share keys that nobody typed, read out or saw. You show who you are by
the password of your mail account: in a browser, or with
.BR "handfast activate" .
.PP
Without a command,
.B handfast
says what state this device is in and what to do next.
"""
ENVIRONMENT: Final = (
    ("HANDFAST_HOME", "keep everything below this folder, instead of in the usual ones"),
    ("HANDFAST_SYSTEM_DIR", "where the administrator of this device says what holds for all"),
    ("NO_COLOR", "nothing is printed in bold"),
)
FILES: Final = (
    ("~/.local/share/handfast/store", "the sealed key store"),
    ("~/.config/handfast/trust/", "whom this device trusts"),
    ("/etc/handfast/trust.d/, /etc/handfast/policy.json", "what the administrator says"),
)
EXAMPLES: Final = """\
Begin on a new device:
.PP
.nf
    handfast trust add https://portal.example.org
    handfast activate
.fi
.PP
From a program, with one file for each password:
.PP
.nf
    handfast activate --json --account ann@example.org --password-fd 3 \\e
        --account ann@example.com --password-fd 4 3< ONE 4< OTHER
.fi
"""


def main(arguments: list[str]) -> int:
    """Write the page, or say whether the one that is there is the same."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--check", action="store_true")
    wanted = page()
    if options.parse_args(arguments).check:
        if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == wanted:
            return 0
        print(f"{PAGE} is out of date: run scripts/manual_page.py", file=sys.stderr)
        return 1
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(wanted, encoding="utf-8")
    return 0


def page() -> str:
    """Return the page; no date is in it, so that the same sources make the same bytes."""
    top = parser()
    top.epilog = top.description = None
    data = {
        "project_name": "Handfast",
        "version": VERSION,
        "date": " ",
        "manual_title": "User Commands",
        "description": SUMMARY,
    }
    manual = Manpage(top, data, format="single-commands-section")
    manual.add_section("description", "=", DESCRIPTION)
    manual.add_section("examples", "=", EXAMPLES)
    codes = [(str(int(code)), meaning) for code, meaning in MEANINGS.items()]
    manual.add_section("exit status", "=", _list(codes))
    manual.add_section("environment", "=", _list(ENVIRONMENT))
    manual.add_section("files", "=", _list(FILES))
    return str(manual)


def _list(entries: list[tuple[str, str]] | tuple[tuple[str, str], ...]) -> str:
    return "\n".join(f".TP\n.B {_plain(name)}\n{_plain(meaning)}" for name, meaning in entries)


def _plain(text: str) -> str:
    return text.replace("\\", "\\e").replace("-", "\\-")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
