"""What a device says that it runs on is what staff can look for, whichever system it is."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from app.statistics.names import PLATFORMS
from app.webadmin.people_words import PLATFORM_CHOICES
from plugin.device import Device
from plugin.paths import Paths

# Python's words for what this project supports: see the documentation of ``platform.system``.
SYSTEMS = ("Linux", "Windows", "Darwin")


def described(home: Path) -> str:
    folders = {"HANDFAST_HOME": str(home / "home"), "HANDFAST_SYSTEM_DIR": str(home / "etc")}
    return Device.open(Paths.from_environment(folders)).description().platform


def test_this_device_is_counted_and_found(tmp_path: Path) -> None:
    assert described(tmp_path) in PLATFORMS


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_system_is_counted_and_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, system: str
) -> None:
    monkeypatch.setattr(platform, "system", lambda: system)
    assert described(tmp_path) in PLATFORMS
    assert described(tmp_path) in dict(PLATFORM_CHOICES)


def test_nothing_is_told_apart_that_no_device_says() -> None:
    assert set(PLATFORMS) == set(SYSTEMS)
