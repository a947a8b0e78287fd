"""The demo company's risk model, trained once for all tests that score with it."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from datetime import date
from pathlib import Path

import pytest

from dazi.main.risk import FOLDER
from dazi.main.risk_desk import risk_desk
from dazi.main.settings import Settings, demo_folder

TODAY = date(2025, 4, 3)


def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of the demo's transactions; workers of one run share it."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    folder, done = root / "risk-model", root / "risk-model.done"
    try:
        folder.mkdir()
    except FileExistsError:
        while not done.exists():
            time.sleep(0.1)
        return folder
    asyncio.run(_trained(folder))
    done.touch()
    return folder


def give(model: Path, data: Path) -> None:
    """To a company whose data folder is ``data``, before it is opened."""
    shutil.copytree(model / FOLDER, data / FOLDER, dirs_exist_ok=True)


async def _trained(folder: Path) -> None:
    settings = Settings(company=demo_folder(), data=folder, today=TODAY)
    async with risk_desk(settings, "risk") as d:
        await d.service.train(d.by)
