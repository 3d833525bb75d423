"""From the click to "this device is active", in the real browser with everything real around it."""

import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, sync_playwright

from bench.report import Line, note
from demo.building import build_device, build_service, open_browser
from demo.house import ANN, House
from demo.main_job import Camera, sign_in
from demo.narrator import Narrator

RUNS = 12
WARM_UP = 2
GOAL_SECONDS = 0.5
# The consent window's button arms this long after the question is there (plugin/browser).
ARMING = 1.0
PATIENCE = 30_000  # milliseconds

WATCH_PAGE = """() => {
  window.bench = {};
  addEventListener("submit", () => { window.bench.pressed = Date.now() }, true);
  const panel = document.getElementById("progress");
  new MutationObserver(() => {
    if (panel.dataset.stage === "active") window.bench.active ??= Date.now();
  }).observe(panel, { attributes: true });
}"""
WHEN_ARMED = """() => new Promise((armed) => {
  const button = document.getElementById("allow");
  const look = () => {
    if (button.getAttribute("aria-disabled") === "false") armed(Date.now());
  };
  new MutationObserver(look).observe(button, { attributes: true });
  look();
})"""
WHEN_ACTIVE = "() => window.bench.active && window.bench"


@dataclass(frozen=True)
class Activation:
    """Seconds that the machines took before the person could read, and after the answer."""

    asking: float
    finishing: float

    @property
    def whole(self) -> float:
        """Without the person."""
        return self.asking + self.finishing


def measure(runs: int = RUNS) -> Iterator[Line]:
    """Activate again and again in one browser; the answer comes as soon as the button is armed."""
    with ExitStack() as stack:
        state = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="handfast-bench-")))
        quiet = Quiet()
        home, _listeners = build_service(stack, state, quiet)
        build_device(home, quiet)
        playwright = stack.enter_context(sync_playwright())
        context = open_browser(stack, playwright, home, headless=True)
        page = context.pages[0]
        page.goto(home.issuer)
        sign_in(page, ANN, home.passwords[ANN], NoCamera(state), quiet)
        taken = [activate(context, page, home) for _ in range(WARM_UP + runs)][WARM_UP:]
    yield line(taken)


def line(taken: list[Activation]) -> Line:
    """The median, and the parts that it is made of."""
    note(
        f"without the person: {ARMING:.0f} s in which the consent button is not armed is taken off"
    )
    whole = statistics.median(one.whole for one in taken)
    asking = statistics.median(one.asking for one in taken)
    finishing = statistics.median(one.finishing for one in taken)
    slowest = max(one.whole for one in taken)
    return Line(
        "click to active in the browser",
        f"median {whole:.2f} s of {len(taken)} (slowest {slowest:.2f} s)",
        f"its parts: click to question {asking:.2f} s, answer to active {finishing:.2f} s",
        f"median < {GOAL_SECONDS} s",
        whole < GOAL_SECONDS,
    )


def activate(context: BrowserContext, page: Page, home: House) -> Activation:
    """Press, allow as soon as it is possible, wait for the page's last word."""
    page.goto(home.issuer)
    page.evaluate(WATCH_PAGE)
    with context.expect_page(lambda opened: "/consent.html" in opened.url) as opened:
        page.get_by_role("button", name="Activate this device").click()
    consent = opened.value
    box = consent.get_by_role("button", name="Allow").bounding_box()
    assert box is not None
    armed: int = consent.evaluate(WHEN_ARMED)
    allowed = time.time()
    consent.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    told: dict[str, int] = page.wait_for_function(WHEN_ACTIVE, timeout=PATIENCE).json_value()
    return Activation(
        asking=(armed - told["pressed"]) / 1000 - ARMING,
        finishing=told["active"] / 1000 - allowed,
    )


class Quiet(Narrator):
    """Says nothing: the bench prints figures only."""

    @contextmanager
    def step(self, text: str) -> Iterator[None]:  # noqa: ARG002 - the narrator's signature
        """Let it happen."""
        yield


class NoCamera(Camera):
    """Takes no pictures."""

    def take(self, page: Page, name: str) -> None:
        """Do nothing."""
