"""The person may think for longer than a browser keeps an idle worker.

A driver that attaches to the worker keeps it alive, so this test talks to the pages alone, over
the browser's own debugging protocol.
"""

import json
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
import trustme
import websocket

from demo.browser import FLAGS, find, sandbox_flags
from tests.e2e.bridge.registered import registered_machine
from tests.e2e.bridge.small_portal import SmallPortal
from tests.e2e.bridge.small_service import SmallService
from tests.e2e.browser import Machine, end_session

# Half a minute of waiting is for `make faults`.
pytestmark = [pytest.mark.browser, pytest.mark.faults]

# An idle worker is ended after thirty seconds.
THINKING = 36
PRESS = "document.querySelector('button').click()"


def test_an_answer_after_half_a_minute_still_counts(
    authority: trustme.CA, portal: SmallPortal, service: SmallService
) -> None:
    with registered_machine(authority, service) as machine, undriven_browser(machine) as debugger:
        page = debugger.open(portal.origin + "/")
        wait_for_bridge(page, portal)
        page.evaluate(PRESS)
        page.wait_for("JSON.stringify(told)", until=lambda told: "asking" in told)
        consent = debugger.wait_for("consent.html")
        time.sleep(THINKING)
        consent.click("document.getElementById('allow')")
        stages = page.wait_for("told.map(({stage}) => stage)", until=lambda all: "active" in all)
        assert stages[:2] == ["verified", "asking"]
    assert service.posts == ["/init", "/confirm"]


def wait_for_bridge(page: "Tab", portal: SmallPortal) -> None:
    """Press until a request says which device this is: then the bridge's worker has run.

    Its being there is not enough: a new profile starts it beside the first page, and a document
    that comes before it listens is a download.
    """
    portal.only_notes = True
    for _attempt in range(150):
        page.evaluate(PRESS)
        time.sleep(0.1)
        if any(asked.device for asked in portal.asked):
            break
    else:
        raise AssertionError("the bridge did not come")
    portal.only_notes = False


class Tab:
    """One page's own debugging connection."""

    def __init__(self, address: str) -> None:
        self._socket = websocket.create_connection(address, suppress_origin=True, timeout=20)
        self._last = 0

    def evaluate(self, expression: str) -> Any:
        answer = self._ask("Runtime.evaluate", expression=expression, returnByValue=True)
        return answer["result"].get("value")

    def wait_for(self, expression: str, until: Any) -> Any:
        for _attempt in range(300):
            value = self.evaluate(expression)
            if until(value):
                return value
            time.sleep(0.1)
        raise AssertionError(f"{expression} stayed {value}")

    def click(self, element: str) -> None:
        """Click as a person does: where the element is, with the mouse."""
        box = self.evaluate(f"(({element}).getBoundingClientRect().toJSON())")
        place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        for kind in ("mousePressed", "mouseReleased"):
            self._ask("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **place)

    def close(self) -> None:
        self._socket.close()

    def _ask(self, method: str, **parameters: Any) -> Any:
        self._last += 1
        self._socket.send(json.dumps({"id": self._last, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("id") == self._last:
                return answer["result"]


class Debugger:
    """The browser's list of pages; nothing is attached unless it is asked for."""

    def __init__(self, port: int) -> None:
        self._base = f"http://127.0.0.1:{port}/json"
        self._tabs: list[Tab] = []

    def open(self, url: str) -> Tab:
        tab = self._attach(self._get("/new?" + url, method="PUT"))
        tab.wait_for("document.readyState", until=lambda state: state == "complete")
        tab.wait_for("typeof told", until=lambda kind: kind == "object")
        return tab

    def wait_for(self, part_of_url: str) -> Tab:
        for _attempt in range(150):
            for target in self._get("/list"):
                if target["type"] == "page" and part_of_url in target["url"]:
                    return self._attach(target)
            time.sleep(0.1)
        there = [(target["type"], target["url"]) for target in self._get("/list")]
        raise AssertionError(f"no page with {part_of_url} among {there}")

    def close(self) -> None:
        for tab in self._tabs:
            tab.close()

    def _attach(self, target: Any) -> Tab:
        self._tabs.append(Tab(target["webSocketDebuggerUrl"]))
        return self._tabs[-1]

    def _get(self, path: str, *, method: str = "GET") -> Any:
        request = urllib.request.Request(self._base + path, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)


@contextmanager
def undriven_browser(machine: Machine) -> Iterator[Debugger]:
    """Start the browser as a person's desktop would, with a debugging port on top."""
    extension = machine.place.extension
    command = [find(), *FLAGS, *sandbox_flags(), "--headless", "--disable-gpu"]
    command += [f"--disable-extensions-except={extension}", f"--load-extension={extension}"]
    command += ["--remote-debugging-port=0", f"--user-data-dir={machine.profile}", "about:blank"]
    with subprocess.Popen(
        command,
        env=machine.environment(),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            with closing(Debugger(debugging_port(machine))) as debugger:
                yield debugger
        finally:
            end_session(process)


def debugging_port(machine: Machine) -> int:
    file = machine.profile / "DevToolsActivePort"
    for _attempt in range(150):
        if file.exists() and (lines := file.read_text(encoding="ascii").splitlines()):
            return int(lines[0])
        time.sleep(0.1)
    raise AssertionError("the browser did not start")
