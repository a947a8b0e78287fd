"""Contracts of every kind, made once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench.contracts import texts
from bench.contracts.generate import generate

Truth = list[dict[str, Any]]
SEED = 7


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    """Where they lie, and the truth about them."""
    folder = tmp_path_factory.mktemp("contracts")
    return folder, generate(folder, SEED, 2 * len(texts.names()), short=True)
