"""On a narrow telephone commands stay whole, addresses break at their signs, and all is reached."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.app.pages.seeded import UNPROVEN
from tests.e2e.looking import look
from tests.e2e.pages.serving import Served
from tests.e2e.pages.test_client_page import offered
from tests.e2e.pages.test_pages_access import tab_to

pytestmark = pytest.mark.browser

__all__ = ["offered"]

# The text of an element, line by line, as the browser broke it.
LINES = """element => {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  const lines = [];
  let top = null;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    for (let at = 0; at < node.length; at++) {
      const range = document.createRange();
      range.setStart(node, at);
      range.setEnd(node, at + 1);
      const box = range.getClientRects()[0];
      if (!box) continue;
      if (top === null || Math.abs(box.top - top) > box.height / 2) lines.push("");
      top = box.top;
      lines[lines.length - 1] += node.data[at];
    }
  }
  return lines;
}"""


@pytest.fixture
def phone(page: Page) -> Page:
    page.set_viewport_size({"width": 320, "height": 700})
    return page


def lines(element: Locator) -> list[str]:
    found: list[str] = element.evaluate(LINES)
    return found


@pytest.mark.usefixtures("offered")
@pytest.mark.parametrize("path", ["/client", "/activations/{waiting}"])
def test_a_command_breaks_at_spaces_only_and_what_is_too_wide_scrolls_by_key(
    phone: Page, served: Served, path: str
) -> None:
    phone.goto(served.origin + path.format_map(vars(served.seeded)))
    if path == "/client":
        phone.locator("summary").click()
    commands = phone.locator(".command").all()
    assert len(commands) >= 3
    for command in commands:
        text = command.text_content() or ""
        pieces = [word for line in lines(command) for word in line.split()]
        assert pieces == text.split()
    assert look(phone, path) == {}
    # Those that scroll, and no others, are stops of the keyboard.
    for command in commands:
        is_wide = command.evaluate("each => each.scrollWidth > each.clientWidth")
        assert command.get_attribute("tabindex") == ("0" if is_wide else None)


@pytest.mark.usefixtures("offered")
def test_a_wide_command_is_scrolled_with_the_keyboard(phone: Page, served: Served) -> None:
    phone.goto(f"{served.origin}/client")
    command = phone.locator(".command").filter(has_text="#sha256=")
    expect(command).to_have_attribute("tabindex", "0")
    phone.locator("main").focus()
    tab_to(phone, command.text_content() or "")
    phone.keyboard.press("ArrowRight")
    phone.wait_for_function("each => each.scrollLeft > 0", arg=command.element_handle())
    # The same command on a wide page needs no stop of its own.
    plain = phone.locator(".command").filter(has_text="handfast register")
    assert plain.get_attribute("tabindex") is None


def test_the_commands_of_the_api_scroll_too(phone: Page, served: Served) -> None:
    phone.goto(f"{served.origin}/api")
    block = phone.locator("pre").first
    expect(block).to_have_attribute("tabindex", "0")
    text = block.text_content() or ""
    assert [line.strip() for line in lines(block)] == [line.strip() for line in text.splitlines()]


@pytest.mark.parametrize(
    "path", ["/", "/mail-accounts/{unproven}", "/mail-accounts/{unproven}/remove"]
)
def test_a_long_address_breaks_behind_a_sign(phone: Page, served: Served, path: str) -> None:
    phone.goto(served.origin + path.format_map(vars(served.seeded)))
    address = phone.locator("h1 bdi, h2 bdi").filter(has_text=UNPROVEN)
    broken = lines(address)
    assert len(broken) > 1
    assert "".join(broken) == UNPROVEN
    assert all(line[-1] in "@.-" for line in broken[:-1])
    # It is one word to whoever copies it or hears it.
    assert address.inner_text() == UNPROVEN
    expect(phone.get_by_role("heading", name=UNPROVEN)).to_have_count(1)
