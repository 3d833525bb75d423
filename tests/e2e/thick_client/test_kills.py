"""`kill -9` at any moment of activating: the next run brings both sides to the same keys."""

import os
import subprocess
import time

import pytest

from plugin.errors import ExitCode
from tests.e2e.main_job.installation import ANN, PASSWORDS, Installation
from tests.plugin.client import Client
from tests.plugin.on_terminal import COMMAND

pytestmark = [pytest.mark.dovecot, pytest.mark.timeout(300)]
ASKED = ("activate", "--account", ANN, "--service", "mail")


def killed_after(client: Client, seconds: float) -> None:
    """Start to activate, and kill the program so many seconds later."""
    reading, writing = os.pipe()
    os.write(writing, PASSWORDS[ANN].encode() + b"\n")
    os.close(writing)
    with subprocess.Popen(
        [*COMMAND, *ASKED, "--password-fd", str(reading)],
        env=client.environment(),
        pass_fds=[reading],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as running:
        os.close(reading)
        time.sleep(seconds)
        running.kill()


@pytest.mark.parametrize("seconds", [0.4, 0.6, 0.8, 1.0, 1.3])
def test_a_killed_activation_is_no_trouble_for_the_next(
    seconds: float, client: Client, portal: Installation
) -> None:
    killed_after(client, seconds)
    done = client.run(*ASKED, passwords=[PASSWORDS[ANN]])
    assert done.status == ExitCode.OK, done.stderr
    assert client.run("refresh").status == ExitCode.OK
    assert client.device().pending() == ()
    assert client.words() == {(ANN, "mail"): portal.active_words(ANN)["mail"]}
