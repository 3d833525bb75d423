"""Where the demo lives: ports, folder, passwords."""

import socket
from pathlib import Path

import pytest

from demo import house


def test_a_taken_port_is_replaced_by_a_free_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("PORTAL_PORT", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        chosen = house.choose_port(tmp_path, "PORTAL_PORT", port)
    assert chosen != port
    assert f"Port {port} is taken" in capsys.readouterr().out


def test_a_port_that_the_person_names_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORTAL_PORT", "9443")
    assert house.choose_port(tmp_path, "PORTAL_PORT", 8443) == 9443


def test_a_port_that_another_demo_is_about_to_use_is_left_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PORTAL_PORT", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    assert house.choose_port(tmp_path, "PORTAL_PORT", port) == port
    assert house.choose_port(tmp_path, "PORTAL_PORT", port) != port


def test_a_second_start_keeps_passwords_and_authority_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORTAL_PORT", "9443")
    monkeypatch.setenv("EXCHANGE_PORT", "9480")
    first = house.build(tmp_path)
    (first.service / "old").touch()
    second = house.build(tmp_path)
    assert second.passwords == first.passwords
    assert second.certificates.authority.read_bytes() == first.certificates.authority.read_bytes()
    assert not (second.service / "old").exists()


def test_the_programs_get_nothing_of_the_person_s_own_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORTAL_PORT", "9443")
    monkeypatch.setenv("EXCHANGE_PORT", "9480")
    monkeypatch.setenv("HANDFAST_DNS", "192.0.2.1:53")
    monkeypatch.setenv("https_proxy", "http://192.0.2.1:3128")
    environment = house.build(tmp_path).environment()
    assert "HANDFAST_DNS" not in environment
    assert "https_proxy" not in environment
    assert environment["HOME"].startswith(str(tmp_path))
