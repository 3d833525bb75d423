"""Get the client: what the page says, and which files it lets out."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from protocol.signing import SigningKey
from protocol.trust import TrustBundle
from tests.app.portal_fixtures import ISSUER, Portal, build

NAME = "handfast-1.2.3-py3-none-any.whl"
BODY = b"not really a wheel, and nobody here opens it"
DIGEST = hashlib.sha256(BODY).hexdigest()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The operator's folder of the client, with nothing in it."""
    made = tmp_path / "client"
    made.mkdir()
    return made


@pytest.fixture
def offering(tmp_path: Path, folder: Path) -> Iterator[Portal]:
    """A portal that offers what is in the folder."""
    built = build(tmp_path, HANDFAST_CLIENT_DIR=str(folder))
    yield built
    built.here.close()


def link(text: str) -> str:
    found = re.search(r'href="(/client/[^"]+)"', text)
    assert found is not None
    return found[1]


def test_the_page_says_what_is_offered_and_what_to_type(offering: Portal, folder: Path) -> None:
    (folder / NAME).write_bytes(BODY)
    browser = offering.browser()
    assert browser.get("/client").status_code == 200
    text = browser.text()
    assert "Download version 1.2.3" in text
    assert DIGEST in text
    for command in (
        f"pipx install ./{NAME}",
        # The program checks the download against the digest behind the address.
        f'pipx install "{ISSUER}/client/{DIGEST}/{NAME}#sha256={DIGEST}"',
        f"handfast trust add {ISSUER}",
        "handfast activate",
        "handfast register",
    ):
        assert f'data-copy="{command}"' in text


def test_the_download_is_the_file_and_may_be_kept_for_ever(offering: Portal, folder: Path) -> None:
    (folder / NAME).write_bytes(BODY)
    browser = offering.browser()
    browser.get("/client")
    answer = browser.get(link(browser.text()))
    assert answer.data == BODY
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{NAME}"'
    assert "immutable" in answer.headers["Cache-Control"]
    assert "Set-Cookie" not in answer.headers


def test_the_highest_version_is_offered_and_an_older_link_still_works(
    offering: Portal, folder: Path
) -> None:
    (folder / NAME).write_bytes(BODY)
    (folder / "handfast-1.10.0-py3-none-any.whl").write_bytes(b"newer")
    browser = offering.browser()
    browser.get("/client")
    assert "1.10.0" in browser.text()
    assert browser.get(f"/client/{DIGEST}/{NAME}").data == BODY


def test_a_file_that_changed_is_not_what_its_old_address_names(
    offering: Portal, folder: Path
) -> None:
    (folder / NAME).write_bytes(BODY)
    browser = offering.browser()
    browser.get("/client")
    old = link(browser.text())
    (folder / NAME).write_bytes(b"another content")
    assert browser.get(old).status_code == 404
    browser.get("/client")
    assert browser.get(link(browser.text())).data == b"another content"


@pytest.mark.parametrize(
    "path",
    [
        f"/client/{DIGEST}/other.whl",
        f"/client/{'0' * 64}/{NAME}",
        f"/client/{DIGEST.upper()}/{NAME}",
        f"/client/{DIGEST}/..%2Fsecret.txt",
        f"/client/../client/{DIGEST}/{NAME}x",
        f"/client/{DIGEST[:-1]}/{NAME}",
        "/client/secret.txt",
    ],
)
def test_no_other_address_leads_to_a_file(path: str, offering: Portal, folder: Path) -> None:
    (folder / NAME).write_bytes(BODY)
    (folder.parent / "secret.txt").write_text("secret")
    assert offering.browser().get(path).status_code == 404


@pytest.mark.parametrize(
    "name",
    ["other-1.2.3-py3-none-any.whl", f"{NAME}.orig", "handfast-1.2.3.tar.gz", f".{NAME}.new"],
)
def test_a_file_of_another_name_is_not_offered(name: str, offering: Portal, folder: Path) -> None:
    (folder / name).write_bytes(BODY)
    browser = offering.browser()
    browser.get("/client")
    assert "Nothing to download here yet" in browser.text()
    assert browser.get(f"/client/{DIGEST}/{name}").status_code == 404


@pytest.mark.parametrize("kind", ["link", "folder", "pipe", "link to nothing"])
def test_what_is_no_plain_file_is_not_offered(kind: str, offering: Portal, folder: Path) -> None:
    secret = folder.parent / "secret.txt"
    secret.write_bytes(BODY)
    if kind == "link":
        (folder / NAME).symlink_to(secret)
    elif kind == "folder":
        (folder / NAME).mkdir()
    elif kind == "pipe":
        os.mkfifo(folder / NAME)
    else:
        (folder / NAME).symlink_to(folder / "nowhere")
    browser = offering.browser()
    assert browser.get("/client").status_code == 200
    assert "Nothing to download here yet" in browser.text()
    assert browser.get(f"/client/{DIGEST}/{NAME}").status_code == 404


def test_without_a_client_the_other_steps_are_still_there(tmp_path: Path) -> None:
    built = build(tmp_path, HANDFAST_CLIENT_DIR=str(tmp_path / "nowhere"))
    browser = built.browser()
    assert browser.get("/client").status_code == 200
    assert "Nothing to download here yet" in browser.text()
    assert f"handfast trust add {ISSUER}" in browser.text()
    built.here.close()


def test_the_fingerprint_is_the_one_that_the_device_will_show(offering: Portal) -> None:
    bundle = TrustBundle(ISSUER, (SigningKey.generate(entropy=os.urandom).verify_key,))
    browser = offering.browser()
    browser.get("/client")
    assert "has not published its keys yet" in browser.text()
    published = offering.config.keys_dir / "published"
    published.mkdir(parents=True)
    (published / "trust.json").write_bytes(bundle.to_json())
    browser.get("/client")
    assert bundle.fingerprint in browser.text()


def test_every_page_leads_there(portal: Portal) -> None:
    browser = portal.browser()
    browser.get("/sign-in")
    assert 'href="/client"' in browser.text()
