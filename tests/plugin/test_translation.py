"""Everything a person reads goes through gettext: a pseudo-locale shows what does not."""

import re
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo

from plugin.device import Device
from plugin.handler import activate
from plugin.person.short_id import short_id
from tests.plugin.conftest import REPOSITORY, Run
from tests.plugin.loopback_service import Service
from tests.plugin.test_activate import allow, quiet


@pytest.fixture(scope="module")
def pseudo_locale(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalogue that puts every text into brackets."""
    catalogue = Catalog(locale="de", domain="handfast")
    found = extract_from_dir(str(REPOSITORY / "plugin"), keywords={"_": None, "ngettext": (1, 2)})
    for _file, _line, message, _comments, _context in found:
        if isinstance(message, tuple):
            catalogue.add(message, tuple(f"[{text}]" for text in message[:2]))
        else:
            catalogue.add(message, f"[{message}]")
    folder = tmp_path_factory.mktemp("locale")
    (folder / "de" / "LC_MESSAGES").mkdir(parents=True)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    (folder / "de" / "LC_MESSAGES" / "handfast.mo").write_bytes(compiled.getvalue())
    return folder


def outside_brackets(text: str) -> str:
    """Return what is left of `text` without the translated texts."""
    while (shorter := re.sub(r"\[[^\[\]]*\]", "", text)) != text:
        text = shorter
    return text


@pytest.mark.parametrize(
    "command",
    [
        ("status",),
        ("trust", "list"),
        ("trust", "update"),
        ("keys", "list"),
        ("access", "list"),
        ("access", "remove", "nothing"),
        ("access", "allow", "nothing", "--service", "mail", "--purpose", "sync"),
        ("keys", "show", "nothing"),
        ("keys", "remove", "nothing"),
        ("open", "nothing"),
        ("activate",),
        ("activate", "--account", "nobody"),
        ("devices",),
        ("sessions", "end", "current"),
        ("trust", "add", "http://x"),
        ("trust", "remove", "https://x"),
    ],
    ids=" ".join,
)
def test_no_sentence_is_left_untranslated(
    command: tuple[str, ...],
    pseudo_locale: Path,
    device: Device,
    service: Service,
    handfast: Run,
) -> None:
    activate(service.issue(), device=device, origin=None, consent=allow, progress=quiet)
    done = handfast(*command, LANGUAGE="de", HANDFAST_LOCALE_DIR=str(pseudo_locale))
    (key,) = device.store.read().keys
    left = outside_brackets(done.stdout + done.stderr).replace(short_id(key.key_id), "")
    known = {*key.words, "handfast", "error", "hint", "https", "localhost", "ann", "example"}
    known |= {"org", "mail"}
    sentences = [word for word in re.findall(r"[a-z]{3,}", left.lower()) if word not in known]
    assert "[" in done.stdout + done.stderr
    assert sentences == []
