"""What mail says: every kind, in every direction, and nothing that a name could break."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo

from app import ROOT
from app.outbox.kinds import MailKind
from app.outbox.letters import Letter, write
from tests.app.portal_fixtures import Portal

PORTAL = "https://portal.example.test:8443"
ACCOUNT_ID = "a" * 22
FACTS: dict[str, str | int] = {
    "name": "Ann",
    "account": "ann@example.org",
    "account_id": ACCOUNT_ID,
    "services": "mail calendar",
    "service": "mail",
    "device": "Ann's laptop",
    "by": "Olu",
    "reason": "lost on the train",
    "until": 1_800_000_000_000_000,
    "code": "ABCD-EFGH",
    "minutes": 30,
}


def letter(kind: MailKind, language: str | None = None, **more: str | int) -> Letter:
    """Write a mail with every fact there is."""
    return write(kind, {**FACTS, **more}, language=language, service="Handfast", portal=PORTAL)


@pytest.mark.parametrize("kind", MailKind)
def test_every_kind_says_something_with_all_facts_and_with_none(kind: MailKind) -> None:
    for facts in (FACTS, {}):
        found = write(kind, facts, language=None, service="Handfast", portal=PORTAL)
        assert found.subject
        assert "\n" not in found.subject
        assert "Hello" in found.body
        # The texts are wrapped, but a link is never broken.
        assert all(len(line) <= 72 or "https://" in line for line in found.body.splitlines())


def test_every_template_belongs_to_a_kind() -> None:
    templates = {path.stem for path in (ROOT / "templates" / "mail").glob("*.txt")}
    assert templates - {"_frame"} == {kind.value for kind in MailKind}


def test_only_the_challenge_carries_a_code() -> None:
    with_code = {kind for kind in MailKind if "ABCD-EFGH" in letter(kind).body}
    assert with_code == {MailKind.ADDRESS_CHALLENGE}


def test_links_lead_to_pages_that_are_there_and_carry_nothing(portal: Portal) -> None:
    adapter = portal.app.url_map.bind("portal.example.test:8443", url_scheme="https")
    for kind in MailKind:
        for link in re.findall(r"https://\S+", letter(kind).body):
            path = link.removeprefix(PORTAL)
            assert path != link
            # A mail scanner may follow it: it is a page to look at.
            assert "?" not in path
            adapter.match(path or "/", method="GET")


def test_the_person_is_told_who_did_it_and_why() -> None:
    body = letter(MailKind.KEY_REVOKED).body
    assert "Who did it: Olu" in body
    assert "Why: lost on the train" in body


def test_a_name_starts_no_line_and_turns_nothing_around() -> None:
    found = letter(
        MailKind.NEW_DEVICE, device="laptop\r\nBcc: eve@example.org\u202etxt.exe", name="\u2066Ann"
    )
    assert "\u202e" not in found.body
    assert "\u2066" not in found.body
    assert "\nBcc" not in found.body
    subject = letter(MailKind.ADDRESS_CHALLENGE, account="a\r\nBcc: eve@example.org").subject
    assert "\n" not in subject
    assert "\r" not in subject


def test_a_name_from_right_to_left_leaves_its_sentence_in_order() -> None:
    body = letter(MailKind.NEW_DEVICE, device="מחשב של רות").body
    assert "“\u2068מחשב של רות\u2069” was activated" in body


@pytest.mark.parametrize("name", ["device", "name", "by", "reason"])
@pytest.mark.parametrize(
    ("words", "written"),
    [
        ("https://evil.example/win?a=b", "https: //evil. example/win?a=b"),
        ("go to www.evil.example now", "go to www. evil. example now"),
        ("HTTP://192.0.2.1/", "HTTP: //192.0.2.1/"),
        ("evil。example", "evil。 example"),
        ("mailto:eve@evil.example", "mailto: eve@evil. example"),
        ("Dr. Ann's iPhone 17.2 at 9:30", "Dr. Ann's iPhone 17.2 at 9:30"),
    ],
)
def test_words_of_others_lead_nowhere(name: str, words: str, written: str) -> None:
    body = " ".join(letter(MailKind.DEVICE_REVOKED, **{name: words}).body.split())
    assert written in body
    assert words == written or words not in body


@pytest.mark.parametrize("kind", [kind for kind in MailKind if "laptop" in letter(kind).body])
def test_a_device_is_named_in_quotes_and_not_at_length(kind: MailKind) -> None:
    assert "“Ann's laptop”" in " ".join(letter(kind).body.split())
    long = " ".join(letter(kind, device="word " * 40).body.split())
    assert "“word" in long
    assert "word…”" in long
    assert long.count("word") == 12


def test_an_address_is_written_as_it_is() -> None:
    assert "ann@example.org" in letter(MailKind.NEW_DEVICE).body


def test_it_is_written_in_the_language_of_its_reader(tmp_path: Path) -> None:
    catalogue = Catalog(locale="de")
    catalogue.add("Hello %(name)s,", string="Guten Tag %(name)s,")
    folder = tmp_path / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with (folder / "messages.mo").open("wb") as stream:
        write_mo(stream, catalogue)

    def greeting(language: str | None) -> str:
        found = write(
            MailKind.NEW_DEVICE,
            FACTS,
            language=language,
            service="Handfast",
            portal=PORTAL,
            folder=tmp_path,
        )
        return found.body.splitlines()[0]

    assert greeting("de") == "Guten Tag Ann,"
    assert greeting("de-AT") == "Guten Tag Ann,"
    assert greeting("tlh") == "Hello Ann,"
    assert greeting(None) == "Hello Ann,"


@pytest.mark.parametrize("kind", MailKind)
def test_every_word_can_be_translated(kind: MailKind, marked: Path) -> None:
    found = write(kind, FACTS, language="ar", service="Handfast", portal=PORTAL, folder=marked)
    text = " ".join(f"{found.subject} {found.body}".split())
    outside = set(re.sub("⟦[^⟦⟧]*⟧", " ", text).split())
    links = {word for word in outside if word.startswith(PORTAL)}
    assert outside - links <= {"--", "Handfast,", "ABCD-EFGH", "\u2068ABCD-EFGH\u2069"}


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made-up translation of every text of a mail, marked at both ends."""
    catalogue = Catalog(locale="ar")
    templates = ROOT / "templates" / "mail"
    for _, _, message, _, _ in extract_from_dir(templates, [("**.txt", "jinja2")]):
        catalogue.add(message, string=f"⟦{message}⟧")
    for word in ("Mail", "Contacts", "Calendar"):
        catalogue.add(word, string=word)
    folder = tmp_path_factory.mktemp("translations")
    (folder / "ar" / "LC_MESSAGES").mkdir(parents=True)
    with (folder / "ar" / "LC_MESSAGES" / "messages.mo").open("wb") as stream:
        write_mo(stream, catalogue)
    return folder
