"""The desk's jobs: what the catalogue changed is indexed, and limits are kept."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from types import SimpleNamespace
from typing import Any, cast

import pytest

from dazi.core.errors import AccessError
from dazi.core.language import Text
from dazi.knowledge.rights import EVERYBODY
from dazi.main.desk import REFRESH, TIDY, kinds, refreshed
from dazi.main.knowledge_settings import SEPARATOR
from tests.agent.conftest import House, Start

QUERY = "SELECT sku AS id, name AS title, name || ' ' || price AS text FROM products LIMIT 5"


class Progress:
    def __init__(self, h: House) -> None:
        self.principal = h.runtime.directory.principal("supervisor", "web")
        self.told: list[str] = []

    def report(self, step: Text, fraction: float) -> None:
        self.told.append(step.en)


async def test_what_the_catalogue_changed_is_indexed_with_counts(house: Start) -> None:
    h = await house([])
    assert h.runtime.documents is not None and h.runtime.demo is not None
    library = h.runtime.documents.library
    await library.add_source(
        "database",
        f"catalogue{SEPARATOR}{QUERY}",
        tenant="default",
        readers=EVERYBODY,
        declared=True,
    )
    run = Progress(h)
    first = await refreshed(h.runtime, cast(Any, run))
    assert (first["sources"], first["new"], first["changed"]) == (1, 5, 0)
    with closing(sqlite3.connect(h.runtime.demo.database)) as connection, connection:
        connection.execute(
            "UPDATE products SET price = price + 1 WHERE sku IN (SELECT sku FROM products LIMIT 1)"
        )
    second = await refreshed(h.runtime, cast(Any, run))
    assert (second["new"], second["changed"], second["gone"], second["same"]) == (0, 1, 0, 4)
    assert second["indexed"] == 1 and run.told[-1].startswith("indexing")


async def test_only_supervisors_begin_them_and_both_are_known(house: Start) -> None:
    h = await house([])
    known = {k.name: k for k in kinds(h.runtime)}
    assert set(known) == {REFRESH, TIDY}
    for name in known:
        with pytest.raises(AccessError):
            await known[name].check(h.runtime.directory.principal("agent", "web"), {})
        assert await known[name].check(h.runtime.directory.principal("supervisor", "web"), {}) == {}
    run = SimpleNamespace(principal=h.runtime.directory.principal("supervisor", "web"))
    assert await known[TIDY].work(cast(Any, run)) == {"marked": 0, "closed": 0, "collected": 0}
    assert h.runtime.jobs is not None and {REFRESH, TIDY} <= set(h.runtime.jobs.kinds)
