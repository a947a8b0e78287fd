"""The demo company's documents, made and read once for all tests that search them."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from datetime import date
from pathlib import Path

import pytest

from dazi.main.managing_documents import desk
from dazi.main.settings import Settings, demo_folder

PARTS = ("knowledge", "knowledge-index", "dazi.sqlite", "audit")


def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which they can be searched; workers of one run share it."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    folder, done = root / "documents", root / "documents.done"
    try:
        folder.mkdir()
    except FileExistsError:
        while not done.exists():
            time.sleep(0.1)
        return folder
    asyncio.run(_read(folder))
    done.touch()
    return folder


def give(documents: Path, data: Path) -> None:
    """To a company whose data folder is ``data``, before it is opened."""
    data.mkdir(exist_ok=True, parents=True)
    for name in PARTS:
        part = documents / name
        if part.is_dir():
            shutil.copytree(part, data / name, dirs_exist_ok=True)
        elif part.exists():
            shutil.copy(part, data / name)


async def _read(folder: Path) -> None:
    settings = Settings(company=demo_folder(), data=folder, today=date(2025, 4, 3))
    async with desk(settings) as d:
        await d.documents.refresh()
