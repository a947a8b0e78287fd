"""The indexes that keep the contract of ``KnowledgeIndex``, each opened anew at the same place."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TypeAlias

import pytest

from dazi.knowledge.embedded import EmbeddedIndex
from dazi.knowledge.index import KnowledgeIndex
from dazi.knowledge.milvus import MilvusIndex
from dazi.knowledge.milvus_server import MilvusAddress
from dazi.knowledge.vectors import VectorSpace
from tests.knowledge.milvuslite import Lite

OpenIndex: TypeAlias = Callable[[VectorSpace | None], KnowledgeIndex]


@pytest.fixture
def milvus(tmp_path: Path) -> Iterator[Lite]:
    """A Milvus server for one test, with nothing in it."""
    if find_spec("milvus_lite") is None or find_spec("pymilvus") is None:
        line = "no milvus-lite here: Milvus was not tested; install milvus-lite and pymilvus"
        if os.environ.get("CI") == "true":
            pytest.fail(line)
        pytest.skip(line)
    with Lite(tmp_path / "milvus") as lite:
        yield lite


@pytest.fixture(params=["embedded", "milvus"])
def open_index(request: pytest.FixtureRequest, tmp_path: Path) -> OpenIndex:
    """Opens the index of this test, as often as it is called."""
    if request.param == "embedded":
        return lambda space: EmbeddedIndex(tmp_path / "index", space)
    url = request.getfixturevalue("milvus").url
    return lambda space: MilvusIndex(MilvusAddress(url), space)
