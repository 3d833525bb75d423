"""What pages say of lists of people: what is wrong with them, and with their lines."""

from __future__ import annotations

from typing import Final

from flask_babel import LazyString, lazy_gettext

from app.bulk.checking import MAKER_GONE
from app.bulk.problems import Found, Problem
from app.bulk.reading import Fault, ListError

# Each of these may name the column that it is about.
FAULTS: Final = {
    Fault.EMPTY: lazy_gettext("The list is empty. Choose a file, or paste the list."),
    Fault.UTF16: lazy_gettext(
        "This is not UTF-8 but UTF-16, or no text at all. In the spreadsheet choose “CSV UTF-8” "
        "when you save it."
    ),
    Fault.HEADER: lazy_gettext(
        "The first line cannot be read. It must be UTF-8 and name the columns: address, name, "
        "services, groups, language."
    ),
    Fault.NO_ADDRESS: lazy_gettext(
        "The first line names no column “address”. It must name the columns: address, name, "
        "services, groups, language."
    ),
    Fault.UNKNOWN_COLUMN: lazy_gettext(
        "The first line names the column “%(about)s”, which means nothing here. Take it out, so "
        "that nothing is left out without your knowing it."
    ),
    Fault.REPEATED_COLUMN: lazy_gettext("The first line names the column “%(about)s” twice."),
    Fault.TOO_MANY: lazy_gettext("The list has more than 100,000 lines. Divide it."),
    Fault.NO_LINES: lazy_gettext("The list has only a first line, and nobody in it."),
}
PROBLEMS: Final = {
    Problem.NOT_UTF8: lazy_gettext("not UTF-8: save the list as “CSV UTF-8”"),
    Problem.CONTROL: lazy_gettext("a character that cannot be seen"),
    Problem.QUOTES: lazy_gettext(
        "the quotation marks do not fit: each that opens must close on the same line"
    ),
    Problem.TOO_LONG: lazy_gettext("longer than 4,096 bytes"),
    Problem.COLUMNS: lazy_gettext("more columns than the first line names"),
    Problem.ADDRESS_MISSING: lazy_gettext("no mail address"),
    Problem.ADDRESS_BAD: lazy_gettext("this is no mail address"),
    Problem.NAME_BAD: lazy_gettext("the name has a character that cannot be seen"),
    Problem.NAME_LONG: lazy_gettext("the name is longer than 100 letters"),
    Problem.SERVICES_LONG: lazy_gettext("the services are longer than 100 letters"),
    Problem.GROUPS_LONG: lazy_gettext("the groups are longer than 4,096 letters"),
    Problem.SERVICE_UNKNOWN: lazy_gettext(
        "there is no service “%(about)s”; there are mail, contacts and calendar"
    ),
    Problem.LANGUAGE_UNKNOWN: lazy_gettext(
        "“%(about)s” is no language; one is written like de or pt-BR"
    ),
    Problem.GROUP_UNKNOWN: lazy_gettext(
        "there is no group “%(about)s”, or it is beyond your reach; groups are made on their page"
    ),
    Problem.GROUP_MISSING: lazy_gettext(
        "no group: you look after some groups only, so each person must be in one of them"
    ),
    Problem.REPEATED: lazy_gettext("the same address as in line %(about)s"),
    Problem.SET_UP: lazy_gettext("this address is set up already"),
    Problem.INVITED: lazy_gettext("this address is invited already"),
    Problem.COLLEAGUE: lazy_gettext(
        "this address is a colleague's; only who manages staff may invite it"
    ),
}
FAILURES: Final[dict[str, LazyString]] = {
    MAKER_GONE: lazy_gettext("Whoever made the list may no longer take it."),
}


def fault_text(error: ListError) -> str:
    """Return what is wrong with a list as a whole."""
    return _with(FAULTS[error.fault], error.about)


def problem_text(found: Found) -> str:
    """Return what is wrong with a line."""
    return _with(PROBLEMS[found.problem], found.about)


def _with(text: LazyString, about: str) -> str:
    # Not the % operator: what somebody wrote may have a sign of percent of its own.
    return str(text).replace("%(about)s", about)
