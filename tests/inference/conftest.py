from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from dazi.inference.catalog import BUNDLED
from dazi.inference.embedded import EmbeddedEngine, EmbeddedOptions


@pytest.fixture(scope="session")
def model_folder() -> Path:
    given = os.environ.get("DAZI_TEST_MODEL")
    folder = Path(given) if given else BUNDLED
    if not (folder / "openvino_model.xml").is_file():
        pytest.skip(f"no model in {folder}: set DAZI_TEST_MODEL to an OpenVINO model folder")
    return folder


@pytest.fixture(scope="session")
def engine(model_folder: Path) -> Iterator[EmbeddedEngine]:
    engine = EmbeddedEngine(model_folder, EmbeddedOptions(cache_gb=1))
    yield engine
    engine.shut()
