"""`make demo`: everything real, on this machine, each step said as it happens."""

import argparse
import json
import os
import shlex
import signal
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import NoReturn

from playwright.sync_api import BrowserContext, sync_playwright
from playwright.sync_api import Error as BrowserError

from demo import browser, building, house, main_job, processes, thick_client
from demo.narrator import Narrator
from demo.waiting import wait_for_the_person

STATE = house.REPOSITORY / "var" / "demo"


def main() -> int:
    """Show the main job; exit code 0 when both sides ended with the same keys."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--serve", action="store_true", help="servers only, no browser")
    parser.add_argument("--once", action="store_true", help="end when the job is done (ONCE=1)")
    parser.add_argument("--state", type=Path, default=STATE, help="folder for all that it makes")
    options = parser.parse_args()
    options.once |= os.environ.get("ONCE", "0") not in ("", "0")
    signal.signal(signal.SIGTERM, end_tidily)
    try:
        with ExitStack() as stack:
            return show(stack, options)
    except processes.DemoError as error:
        return fail(str(error), f"the programs' logs are in {options.state}")
    except (BrowserError, AssertionError) as error:
        hint = f"pictures of what it showed are in {options.state / 'screenshots'}"
        return fail(f"the browser did not do as expected: {error}", hint)
    except KeyboardInterrupt:
        print("\nStopped.")
        return 130


def end_tidily(number: int, _frame: FrameType | None) -> NoReturn:
    """Leave through the open blocks, which end what they started."""
    sys.exit(128 + number)


def fail(message: str, hint: str) -> int:
    """Say what is wrong and what to do."""
    print(f"handfast: error: {message}\nhandfast: hint: {hint}", file=sys.stderr)
    return 1


def show(stack: ExitStack, options: argparse.Namespace) -> int:
    """Build the house, do the main job in it, compare, and leave it open."""
    narrator = Narrator()
    narrator.heading("The service")
    home, listeners = building.build_service(stack, options.state.absolute(), narrator)
    narrator.heading("The device")
    building.build_device(home, narrator)
    if options.serve:
        print_leaflet(home, None)
        wait_for_the_person(None, listeners)
        return 0
    narrator.heading("The main job, in the browser")
    playwright = stack.enter_context(sync_playwright())
    # A window where there is a display.
    headless = not browser.has_display()
    context = building.open_browser(stack, playwright, home, headless=headless)
    result = main_job.run(
        context,
        issuer=home.issuer,
        address=house.ANN,
        password=home.passwords[house.ANN],
        camera=main_job.Camera(home.screenshots),
        narrator=narrator,
    )
    same = compare(result.words, words_on_device(home), narrator)
    same &= second_device(home, context, narrator)
    machine = f"{result.machine_seconds:.2f} s without the person's thinking"
    print(f"\n     From click to active: {machine}. Everything: {narrator.seconds:.1f} s.")
    print(f"     Pictures: {home.screenshots}/")
    if same and not options.once:
        print_leaflet(home, context)
        wait_for_the_person(context, listeners)
    return 0 if same else 1


def second_device(home: house.House, context: BrowserContext, narrator: Narrator) -> bool:
    """Activate another device without a browser; say whether the portal lists its new keys."""
    narrator.heading("A second device, without a browser")
    held = thick_client.show(home, narrator)
    with narrator.step("the portal's pages list the keys of both devices"):
        listed = main_job.words_of_devices(context, home.issuer)
    same = bool(held) and set(held.values()) <= listed
    said = "The portal lists the same new keys." if same else "THE PORTAL LISTS OTHER KEYS."
    print(f"\n     {said}")
    return same


def words_on_device(home: house.House) -> dict[str, str]:
    """Ask the handler which keys it holds: service → four words."""
    listed = json.loads(processes.run(home, "handfast", "keys", "list", "--json"))
    return {key["service"]: " ".join(key["words"]) for key in listed}


def compare(page: Mapping[str, str], device: Mapping[str, str], narrator: Narrator) -> bool:
    """Show both sides' words side by side and say whether they are the same."""
    narrator.heading("The keys, as four words each")
    services = sorted({*page, *device})
    rows = [
        (service, page.get(service, "nothing"), device.get(service, "nothing"))
        for service in services
    ]
    narrator.table(("service", "the page says", "the device says"), rows)
    same = bool(services) and all(ours == theirs for _, ours, theirs in rows)
    print("\n     Both sides hold the same keys." if same else "\n     THE TWO SIDES DIFFER.")
    return same


def print_leaflet(home: house.House, context: BrowserContext | None) -> None:
    """Tell the person what is up and what to try."""
    print("\nEverything is still up, for you to try:")
    print(f"     portal     {home.issuer}")
    for address, password in home.passwords.items():
        print(f"     sign in    {address}   password   {password}")
    print("     WebAdmin   for staff. This link makes you its owner, who may invite others;")
    print("                it works once, within half an hour:")
    print(f"       {processes.flask(home, 'staff', 'first-link').strip()}")
    print(f"     mail       {home.mail}   (what the service sends; it is in the mailboxes too)")
    print(f"     exchange   {home.exchange_url}")
    authority = home.certificates.authority
    print(f"     authority  {authority}   (it can vouch for this machine only)")
    print(f"     client     {home.issuer}/client   (to install on a device)")
    print(f"     device     HANDFAST_HOME={home.device} .venv/bin/handfast status")
    second = thick_client.ThickClient(home)
    if second.program.exists():
        print(f"     second     HANDFAST_HOME={second.home} {second.program} services")
    # Absolute and quoted: it works as it stands, in whatever folder it is pasted.
    place = f"HANDFAST_HOME={shlex.quote(str(home.folder / 'another-device'))}"
    another = f"{place} {shlex.quote(str(house.BIN / 'handfast'))}"
    print("     another    to make a further device of this machine, by the demo's authority:")
    print(f"       {another} {shlex.join(home.trust_command())}")
    print(f"       {another} activate --account {house.ANN}")
    if context is None or not browser.has_display():
        print(
            "     browser    a browser of your own asks about the certificate: import the authority"
        )


if __name__ == "__main__":
    sys.exit(main())
