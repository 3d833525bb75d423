"""Compile every message catalogue whose source is newer than its compiled form."""

import sys
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

HERE = Path(__file__).resolve().parent.parent


def main(arguments: list[str]) -> int:
    """Compile below app/ and plugin/, and say how many there were unless told to be quiet."""
    sources = [po for side in ("app", "plugin") for po in sorted((HERE / side).rglob("*.po"))]
    stale = [po for po in sources if is_stale(po)]
    for po in stale:
        compile_catalogue(po)
    if "--quiet" not in arguments:
        print(f"{len(stale)} of {len(sources)} catalogues compiled")
    return 0


def is_stale(source: Path) -> bool:
    """Whether the compiled catalogue is missing or older than its source."""
    compiled = source.with_suffix(".mo")
    return not compiled.exists() or compiled.stat().st_mtime < source.stat().st_mtime


def compile_catalogue(source: Path) -> None:
    """Write the compiled catalogue beside its source, whole or not at all."""
    with source.open("rb") as stream:
        catalogue = read_po(stream, locale=source.parent.parent.name)
    unfinished = source.with_suffix(".mo.new")
    with unfinished.open("wb") as stream:
        write_mo(stream, catalogue)
    unfinished.replace(source.with_suffix(".mo"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
