"""`kill -9` at any moment of an activation: a later start ends with the keys of the service."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from plugin.device import Device
from plugin.paths import Paths
from tests.plugin.conftest import REPOSITORY, Run, open_device
from tests.plugin.loopback_service import Service


@pytest.mark.parametrize("seed", range(8))
def test_a_killed_handler_goes_on_later(
    seed: int, device: Device, service: Service, paths: Paths, handfast: Run, tmp_path: Path
) -> None:
    paths.system_dir.mkdir()
    paths.policy.write_text(f'{{"allow_without_consent":["{service.issuer}"]}}')
    document = tmp_path / "activation.handfast"
    document.write_bytes(service.issue("mail", "contacts"))
    environment = {
        "HANDFAST_HOME": str(paths.data_dir.parent),
        "HANDFAST_SYSTEM_DIR": str(paths.system_dir),
    }
    command = [sys.executable, "-m", "plugin", "open", "--keep", str(document)]
    with subprocess.Popen(
        command,
        cwd=REPOSITORY,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as running:
        assert running.stderr
        # Once the document is verified, everything that matters happens within milliseconds.
        running.stderr.readline()
        chance = random.Random(seed)  # noqa: S311 - a seed, so that a failure can be repeated.
        try:
            running.wait(timeout=chance.uniform(0, 0.08))
        except subprocess.TimeoutExpired:
            running.kill()
    assert handfast("status").returncode == 0
    if not open_device(paths).store.read().keys:
        assert handfast("open", str(document)).returncode == 0
    words = [key.words for key in open_device(paths).store.read().keys]
    assert len(words) == 2
    assert set(words) == service.words()
