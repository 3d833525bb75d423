"""`python -m bench [PART …]`: measure, compare, say what is met.

Without a name all parts run. The exit status is 0 even when a goal is missed: this is a
measurement and not a test.
"""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Iterable, Mapping
from types import FrameType
from typing import Final, NoReturn

from bench import browser, bulk, exchange, http, people, wire
from bench.report import Line, heading, show
from demo.processes import DemoError

PARTS: Final[Mapping[str, Callable[[], Iterable[Line]]]] = {
    "exchange": exchange.measure,
    "http": http.measure,
    "browser": browser.measure,
    "wire": wire.measure,
    "people": people.measure,
    "bulk": bulk.measure,
}


def main() -> int:
    """Run the named parts, each line as soon as it is known."""
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=" | ".join(PARTS))
    options = parser.parse_args()
    unknown = [part for part in options.parts if part not in PARTS]
    if unknown:
        parser.error(f"no such part: {unknown[0]} (choose from {', '.join(PARTS)})")
    signal.signal(signal.SIGTERM, end_tidily)
    missed = 0
    for name in options.parts or PARTS:
        heading(name, f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        for line in PARTS[name]():
            show(line)
            missed += not line.met
    print(f"\n{missed} missed." if missed else "\nEvery goal is met.")
    return 0


def end_tidily(number: int, _frame: FrameType | None) -> NoReturn:
    """Leave through the open blocks, which end the servers they started."""
    sys.exit(128 + number)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except DemoError as error:
        print(f"handfast: error: {error}", file=sys.stderr)
        print("handfast: hint: run it again when less runs on this machine", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
