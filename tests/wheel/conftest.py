"""The wheel, and a device on which pipx installed it: no test here sees the checkout."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.plugin.loopback_service import Service, running

ROOT = Path(__file__).resolve().parents[2]
# Set-up downloads the device's pinned packages to here, by their hashes.
PACKAGES = ROOT / ".venv/device-packages"
# A module that would be imported by an environment, had it been installed there by somebody else.
DECOY = "raise SystemExit('the decoy was imported')\n"


@dataclass(frozen=True)
class Installed:
    """A person's folders with the installed device in them."""

    folder: Path

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def environment_folder(self) -> Path:
        """The environment that pipx made for the device alone."""
        return self.folder / "pipx/venvs/handfast"

    @property
    def modules(self) -> Path:
        """Where its packages are."""
        (found,) = self.environment_folder.glob("lib/python3*/site-packages")
        return found

    def environment(self, **more: str) -> dict[str, str]:
        """Nothing of the checkout's: not its folder, not its environment."""
        path = os.pathsep.join([str(self.folder / "bin"), "/usr/bin", "/bin"])
        return {"PATH": path, "HOME": str(self.home), "LC_ALL": "C.UTF-8", **more}

    def run(self, *command: str, **more: str) -> "subprocess.CompletedProcess[str]":
        """Run a program as the person would, from a folder of theirs."""
        return subprocess.run(
            command,
            cwd=self.home,
            env=self.environment(**more),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            # Without a session of its own the program could find our terminal and ask there.
            start_new_session=True,
        )


def build(folder: Path, **environment: str) -> Path:
    """Build the wheel into the folder."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts/build_wheel.py"), "--into", str(folder)],
        cwd="/",
        env={**os.environ, **environment},
        check=True,
        capture_output=True,
        text=True,
    )
    return Path(done.stdout.strip())


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    return build(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="session")
def device(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """A device with nothing but pipx's environment, from the wheel and the pinned packages."""
    installed = Installed(tmp_path_factory.mktemp("device"))
    installed.home.mkdir()
    done = installed.run(
        str(Path(sys.executable).with_name("pipx")),
        "install",
        str(wheel),
        PIPX_HOME=str(installed.folder / "pipx"),
        PIPX_BIN_DIR=str(installed.folder / "bin"),
        PIPX_MAN_DIR=str(installed.folder / "man"),
        # These packages are all there are: the network is not asked.
        PIP_NO_INDEX="1",
        PIP_FIND_LINKS=str(PACKAGES),
        PIP_DISABLE_PIP_VERSION_CHECK="1",
    )
    assert done.returncode == 0, done.stderr
    for name in ("plugin", "protocol"):
        (installed.modules / name).mkdir()
        (installed.modules / name / "__init__.py").write_text(DECOY)
    return installed


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """An Internet Service on loopback."""
    with running(tmp_path) as service:
        yield service
