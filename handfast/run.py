"""Start one of the device's modules: as the command, as `python run.py MODULE`, from anywhere.

The device's packages are called `plugin` and `protocol`: names that another package may use too.
Installed, they lie in a folder that is on the module path of our own processes only, so that
neither side ever meets the other's. This file uses nothing but the standard library.
"""

import runpy
import sys
from pathlib import Path
from typing import Final

PACKAGES: Final = ("plugin", "protocol")
_HERE: Final = Path(__file__).resolve().parent
_INSTALLED: Final = _HERE / "_inside"


def console() -> None:
    """Be the command `handfast`."""
    run("plugin")


def run(module: str) -> None:
    """Run a module of ours as the main program, with the arguments that this process has."""
    sys.path.insert(0, str(packages_folder()))
    # What was imported under our names before us is somebody else's.
    for name in [name for name in sys.modules if name.partition(".")[0] in PACKAGES]:
        del sys.modules[name]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def packages_folder() -> Path:
    """Return where `plugin` and `protocol` are: within this package, or beside it in a checkout."""
    return _INSTALLED if _INSTALLED.is_dir() else _HERE.parent


if __name__ == "__main__":
    run(sys.argv.pop(1))
