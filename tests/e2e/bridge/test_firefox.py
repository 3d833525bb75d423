"""Firefox starts the handler as the helper application of the media type, without the extension."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
import websocket

from plugin.device import Device
from plugin.paths import Paths
from plugin.registration import firefox
from tests.e2e.bridge.registered import registered_machine
from tests.e2e.bridge.small_portal import SmallPortal
from tests.e2e.bridge.small_service import SmallService
from tests.e2e.browser import Machine, end_session

pytestmark = pytest.mark.browser


def test_firefox_starts_the_handler(
    authority: trustme.CA, portal: SmallPortal, service: SmallService
) -> None:
    with registered_machine(authority, service) as machine:
        profile = new_profile(machine)
        firefox.register(profile, machine.place.programs)
        allow_unasked(machine, service.issuer)
        with started_firefox(machine, profile) as session:
            session.press_on(portal.origin + "/")
            wait_until(lambda: len(keys_of(machine)) == 3)
    assert service.posts == ["/init", "/confirm"]


def keys_of(machine: Machine) -> list[str]:
    device = Device.open(Paths.from_environment({"HANDFAST_HOME": str(machine.device)}))
    return [key.key_id for key in device.store.read().keys]


def allow_unasked(machine: Machine, issuer: str) -> None:
    """Without a display nobody can be asked: the administrator's word has to do."""
    folder = machine.home / "etc"
    folder.mkdir()
    (folder / "policy.json").write_text(json.dumps({"allow_without_consent": [issuer]}))


def new_profile(machine: Machine) -> Path:
    """Make a profile that accepts the machine's authority."""
    profile = machine.home / "firefox"
    profile.mkdir()
    database = ["certutil", "-d", f"sql:{profile}"]
    subprocess.run([*database, "-N", "--empty-password"], check=True)
    authority = str(machine.home / "authority.pem")
    subprocess.run([*database, "-A", "-t", "C,,", "-n", "test", "-i", authority], check=True)
    return profile


class Session:
    """WebDriver BiDi over one websocket."""

    def __init__(self, port: int) -> None:
        address = f"ws://127.0.0.1:{port}/session"
        self._socket = websocket.create_connection(address, suppress_origin=True, timeout=30)
        self._last = 0
        self.ask("session.new", capabilities={})

    def press_on(self, url: str) -> None:
        """Open the page and press its first button."""
        context = self.ask("browsingContext.getTree")["contexts"][0]["context"]
        self.ask("browsingContext.navigate", context=context, url=url, wait="complete")
        self.ask(
            "script.evaluate",
            expression="document.querySelector('button').click()",
            target={"context": context},
            awaitPromise=False,
        )

    def ask(self, method: str, **parameters: Any) -> Any:
        self._last += 1
        self._socket.send(json.dumps({"id": self._last, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("id") == self._last:
                return answer["result"]

    def close(self) -> None:
        self._socket.close()


@contextmanager
def started_firefox(machine: Machine, profile: Path) -> Iterator[Session]:
    name = firefox.program()
    assert name is not None, "firefox-esr is not installed"
    log = machine.home / "firefox.log"
    command = [name, "--headless", "--no-remote", "--remote-debugging-port=0"]
    environment = {
        **machine.environment(),
        "HANDFAST_SYSTEM_DIR": str(machine.home / "etc"),
        "MOZ_CRASHREPORTER_DISABLE": "1",
    }
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [*command, "--profile", str(profile)],
            env=environment,
            start_new_session=True,
            stdout=output,
            stderr=output,
        ) as process,
    ):
        try:
            with closing(Session(debugging_port(log))) as session:
                yield session
        finally:
            end_session(process)


def debugging_port(log: Path) -> int:
    """Firefox says its port in its log."""
    sign = "WebDriver BiDi listening on ws://127.0.0.1:"
    wait_until(lambda: sign in log.read_text(encoding="utf-8", errors="replace"))
    return int(log.read_text(encoding="utf-8", errors="replace").split(sign)[1].split()[0])


def wait_until(condition: Any) -> None:
    for _attempt in range(300):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError("it did not happen in 30 seconds")
