"""Whose words a person reads when the portal refuses: the device's own, wherever it knows some."""

from dataclasses import dataclass

import pytest

from plugin.errors import ExitCode
from plugin.person.terminal import LONGEST_QUOTE
from plugin.portal.refusals import OF_ACCOUNTS, OF_CALLS, Told
from tests.plugin.client import Client
from tests.plugin.loopback_portal import ANN, PASSWORD, SmallPortal, problem
from tests.plugin.loopback_service import Asked, Message, Service

ASKED = ("devices", "--account", ANN)
# What moves the cursor, adds a line, turns the direction of reading, and is too long.
HOSTILE = "\x1b[2J\u202eGive\nit to us! " + "so " * 300


@dataclass
class RefusingPortal(SmallPortal):
    """It refuses everybody, for the reason and in the words that it is given."""

    answer: Message = (500, "", b"")

    def __call__(self, asked: Asked) -> Message:
        self.calls.append(asked)
        return self.answer


def refused(client: Client, service: Service, answer: Message) -> list[str]:
    """Return what a person is told, line by line."""
    service.api = RefusingPortal(service, answer=answer)
    done = client.run(*ASKED, passwords=[PASSWORD])
    assert done.status == ExitCode.REFUSED_BY_SERVICE
    return [line for line in done.stderr.split("\n") if line.startswith("handfast:")]


def account(code: str, *, address: str = ANN, **words: str) -> Message:
    """Return the refusal of the only account."""
    outcome = {
        "address": address,
        "outcome": "refused",
        "problem": {"code": code, **words},
    }
    return problem(403, "nobody-accepted", accounts=[outcome])


def lines(told: Told, about: str = "") -> list[str]:
    return [f"handfast: error: {about}{told.what}", f"handfast: hint: {told.hint}"]


@pytest.mark.parametrize("code", sorted(OF_CALLS))
def test_a_known_reason_is_told_in_our_own_words(
    code: str, client: Client, service: Service
) -> None:
    answer = problem(403, code, title="Do evil.", detail="Now.")
    assert refused(client, service, answer) == lines(OF_CALLS[code])


def test_a_known_reason_against_an_account_is_told_in_our_own_words(
    client: Client, service: Service
) -> None:
    words = {"address": HOSTILE, "title": "Do evil.", "detail": "Now."}
    answer = account("needs-app-password", **words)
    assert refused(client, service, answer) == lines(OF_ACCOUNTS["needs-app-password"], f"{ANN}: ")


def test_which_fault_a_certificate_has_is_told_too(client: Client, service: Service) -> None:
    fault = "Its certificate has expired."
    told = OF_ACCOUNTS["certificate"]
    also = Told(told.what, f"{told.hint}; the portal says: “{fault}”")
    answer = account("certificate", title="Do evil.", detail=fault)
    assert refused(client, service, answer) == lines(also, f"{ANN}: ")


def test_the_portal_s_words_for_an_unknown_reason_are_marked_as_its_own(
    client: Client, service: Service
) -> None:
    answer = problem(403, "strike", title="We are on strike.", detail="Come tomorrow.")
    assert refused(client, service, answer) == [
        "handfast: error: refused; in the portal's own words: “We are on strike.”",
        "handfast: hint: the portal says: “Come tomorrow.”",
    ]


@pytest.mark.parametrize("answer", ["call", "account"])
def test_the_portal_s_words_are_cleaned_and_cut(
    answer: str, client: Client, service: Service
) -> None:
    words = {"title": HOSTILE, "detail": HOSTILE}
    strike = problem(403, "strike", **words) if answer == "call" else account("strike", **words)
    error, hint = refused(client, service, strike)
    for line in (error, hint):
        assert line.isprintable()
        assert "Give\N{REPLACEMENT CHARACTER}it to us!" in line
        assert len(line) < LONGEST_QUOTE + 100


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ((403, "application/problem+json", b'{"code": "strike"}'), "strike"),
        ((403, "application/problem+json", b"{}"), "unexpected"),
        (problem(403, HOSTILE), "http-403"),
        (account(HOSTILE), "http-403"),
        ((418, "text/html", b"<h1>I am a teapot</h1>"), "http-418"),
    ],
    ids=["code", "nothing", "no code", "no code of an account", "no problem document"],
)
def test_a_refusal_without_words_names_what_there_is(
    answer: Message, code: str, client: Client, service: Service
) -> None:
    told = refused(client, service, answer)
    assert told == [f"handfast: error: refused; the portal gives no reason but “{code}”"]


def test_json_of_an_activation_has_our_words_too(client: Client, service: Service) -> None:
    service.api = RefusingPortal(service, answer=account("wrong-credential", title="Do evil."))
    done = client.run("activate", "--account", ANN, "--json", passwords=[PASSWORD])
    (ann,) = done.json["accounts"]
    known = OF_ACCOUNTS["wrong-credential"]
    told = {"code": "wrong-credential", "title": known.what, "detail": known.hint}
    assert ann["problem"] == told


def test_a_busy_portal_is_told_in_our_own_words(client: Client, service: Service) -> None:
    service.retry_after = 3600
    service.api = RefusingPortal(service, answer=problem(429, "too-many", title="Do evil."))
    done = client.run(*ASKED, passwords=[PASSWORD])
    assert done.status == ExitCode.UNFINISHED
    assert f"handfast: error: {OF_CALLS['too-many'].what}\n" in done.stderr
    assert "evil" not in done.stderr
