"""Build the device's wheel into dist/: the same sources make the same bytes, on any day."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent.parent
SOURCES: Final = (
    "pyproject.toml",
    "requirements/device.in",
    "docs/man",
    "handfast",
    "plugin",
    "protocol",
)
NAME: Final = "handfast-*-py3-none-any.whl"
LEFT_OUT: Final = shutil.ignore_patterns("__pycache__", "*.po", "*.pot")
# The first moment that an archive can name. A newer one would say nothing about the content.
LONG_AGO: Final = "315532800"


def main(arguments: list[str]) -> int:
    """Build it, put it in place of older ones, and print its path."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", type=Path, default=HERE / "dist")
    options = parser.parse_args(arguments)
    # What the build itself writes goes into the archive with its mode.
    os.umask(0o022)
    with tempfile.TemporaryDirectory(prefix="handfast-wheel-") as folder:
        sources, made = Path(folder, "sources"), Path(folder, "made")
        copy_sources(sources)
        wheel = build(sources, made)
        print(put_in_place(wheel, options.into))
    return 0


def copy_sources(target: Path) -> None:
    """Copy what belongs into the wheel: no leftovers of a build, one mode for all files."""
    for name in SOURCES:
        source, copy = HERE / name, target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, copy, ignore=LEFT_OUT)
        else:
            shutil.copyfile(source, copy)
    for path in target.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def build(sources: Path, folder: Path) -> Path:
    """Build with the tools of this environment, without a network; return the wheel's path."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    options = ["--no-deps", "--no-index", "--no-build-isolation", "--no-cache-dir"]
    subprocess.run(
        [*pip, "wheel", *options, "--wheel-dir", str(folder), str(sources)],
        check=True,
        stdin=subprocess.DEVNULL,
        env={"SOURCE_DATE_EPOCH": LONG_AGO, **os.environ},
    )
    (wheel,) = folder.glob(NAME)
    return wheel


def put_in_place(wheel: Path, folder: Path) -> Path:
    """Move the wheel into the folder in one step, then remove the others there."""
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / wheel.name
    unfinished = folder / f".{wheel.name}.new"
    shutil.copyfile(wheel, unfinished)
    unfinished.replace(place)
    for other in folder.glob(NAME):
        if other != place:
            other.unlink()
    return place


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
