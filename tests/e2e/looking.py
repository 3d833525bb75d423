"""What is wrong with how a page is built: axe's findings, and sideways scrolling."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page


def look(page: Page, name: str) -> dict[str, object]:
    """Return what is found on the page that is open, by name; empty when all is well."""
    violations = Axe().run(page).response["violations"]
    found: dict[str, object] = {f"{name}: {each['id']}": each for each in violations}
    size = page.viewport_size
    if size and page.evaluate("document.documentElement.scrollWidth") > size["width"]:
        found[f"{name}: wider than {size['width']} px"] = page.url
    return found
