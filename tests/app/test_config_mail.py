"""How the worker learns where mail goes out; the portal never learns it."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from app.config import ConfigError, PortalConfig, worker_config
from app.mailservers.address import MailAddress

SMTP = {
    "HANDFAST_SMTP_HOST": "smtp.example.org",
    "HANDFAST_SMTP_USERNAME": "handfast@example.org",
    "HANDFAST_SMTP_PASSWORD": "submission secret",
    "HANDFAST_MAIL_FROM": "Handfast at Example <handfast@example.org>",
}
BOUNCES = {"HANDFAST_BOUNCES": "bounces@example.org", "HANDFAST_BOUNCES_PASSWORD": "read secret"}


def test_without_a_host_no_mail_is_sent() -> None:
    config = worker_config({})
    assert config.submission is None
    assert config.bounce_mailbox is None


def test_a_submission_server_has_safe_defaults() -> None:
    found = worker_config(SMTP).submission
    assert found is not None
    assert (found.host, found.port, found.security) == ("smtp.example.org", 465, "tls")
    assert found.sender == MailAddress("handfast", "example.org")
    assert found.sender_name == "Handfast at Example"
    assert found.bounces is None


def test_the_bounce_mailbox_is_at_the_same_host_unless_it_is_named() -> None:
    here = worker_config({**SMTP, **BOUNCES}).bounce_mailbox
    assert here is not None
    assert (here.host, here.port, here.username) == ("smtp.example.org", 993, "bounces@example.org")
    there = worker_config({**SMTP, **BOUNCES, "HANDFAST_BOUNCES_HOST": "imap.example.org"})
    assert there.bounce_mailbox is not None
    assert there.bounce_mailbox.host == "imap.example.org"


def test_passwords_may_come_from_files_and_are_never_shown(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("from a file\n", encoding="utf-8")
    config = worker_config({**SMTP, **BOUNCES, "HANDFAST_SMTP_PASSWORD_FILE": str(file)})
    assert config.submission is not None
    assert config.submission.password == "from a file"
    assert "from a file" not in repr(config)
    assert "read secret" not in repr(config)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HANDFAST_SMTP_SECURITY", "plain"),
        ("HANDFAST_SMTP_PORT", "0"),
        ("HANDFAST_SMTP_USERNAME", ""),
        ("HANDFAST_SMTP_PASSWORD", ""),
        ("HANDFAST_MAIL_FROM", ""),
        ("HANDFAST_MAIL_FROM", "Handfast"),
        ("HANDFAST_MAIL_CA", "/nowhere/ca.pem"),
        ("HANDFAST_BOUNCES", "bounces"),
        ("HANDFAST_BOUNCES", "bounces+more@example.org"),
        ("HANDFAST_BOUNCES", "a-name-that-is-too-long@example.org"),
        ("HANDFAST_BOUNCES_PASSWORD", ""),
    ],
)
def test_what_is_unsafe_or_missing_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name):
        worker_config({**SMTP, **BOUNCES, name: value})


def test_the_portal_has_no_place_for_the_passwords() -> None:
    assert not {"submission", "bounce_mailbox"} & {field.name for field in fields(PortalConfig)}
