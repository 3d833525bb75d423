"""Files that other programs read: written whole or not at all, readable for everybody."""

import json
import os
import shutil
from pathlib import Path
from typing import Any


def write_text(path: Path, text: str, *, mode: int | None = None) -> Path:
    """Replace `path` and return it; without a mode it keeps its own, or is for all to read."""
    make_folder(path.parent)
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    fresh.write_text(text, encoding="utf-8")
    if mode is None:
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
    fresh.chmod(mode)
    return fresh.replace(path)


def write_json(path: Path, value: Any) -> Path:
    """Replace `path` by indented JSON and return it."""
    return write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def read_json_object(path: Path) -> dict[str, Any]:
    """Return the object in `path`, an empty one without a file; ValueError for anything else."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    if not isinstance(value, dict):
        raise ValueError(f"{path} holds no JSON object")
    return value


def copy_folder(source: Path, target: Path) -> None:
    """Copy a folder with plain rights, whatever those of the source are."""
    shutil.copytree(source, target, copy_function=shutil.copyfile)
    for path in [target, *target.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, that everybody may look into."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)


def remove(path: Path) -> list[Path]:
    """Delete a file or folder; return it in a list if it was there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif path.is_symlink() or path.exists():
        path.unlink()
    else:
        return []
    return [path]
