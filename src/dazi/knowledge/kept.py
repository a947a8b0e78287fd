"""Files that are kept here: uploads, and what came from outside."""

from __future__ import annotations

import shutil
from pathlib import Path

LARGEST_NAME = 200
"""Characters of an upload's name."""


def keep(path: Path, content: bytes | Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part"[-LARGEST_NAME:])
    if isinstance(content, Path):
        shutil.copyfile(content, part)
    else:
        part.write_bytes(content)
    part.replace(path)


def kept_if_changed(path: Path, content: bytes) -> float:
    """When its content changed last."""
    if not path.is_file() or path.read_bytes() != content:
        shutil.rmtree(path.parent, ignore_errors=True)
        keep(path, content)
    return path.stat().st_mtime
