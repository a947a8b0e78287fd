"""SELECTs that a model writes: what works, what goes back to it, and that nothing gets out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.security import escapes
from dazi.connectors import model_sql
from dazi.connectors.context import ConnectorContext
from dazi.connectors.database import Database, open_database
from dazi.connectors.model_sql import ModelSelect, NotAllowed
from dazi.connectors.sql import SqlConnector
from dazi.core.errors import ConfigError, ConnectorError
from dazi.core.language import Text
from dazi.core.tools import Parameter, Tool

VIEWS = ModelSelect.of(escapes.TOOL)


@pytest.fixture
def books(tmp_path: Path) -> SqlConnector:
    url = f"sqlite:///{tmp_path}/books.sqlite"
    escapes.prepare(url)
    return SqlConnector(open_database("x", url, ConnectorContext(tmp_path, tmp_path)))


def test_what_runs_is_made_anew() -> None:
    made = VIEWS.statement("select id /* x */ from orders -- y", "sqlite")
    assert made == (
        'WITH "orders" AS (SELECT id, customer, amount FROM all_orders WHERE customer = :customer) '
        "SELECT * FROM (SELECT id FROM orders) AS answer LIMIT 201"
    )
    # A colon of the model's is no placeholder.
    assert "'a\\:customer'" in VIEWS.statement("SELECT 'a:customer' FROM orders", "sqlite")


async def test_each_sees_their_own_rows(books: SqlConnector) -> None:
    made = escapes._invocation("SELECT id FROM orders ORDER BY id")
    rows = await books.execute(replace(made, tool=_many(made.tool)))
    assert rows == {"count": 2, "rows": [{"id": 1}, {"id": 2}]}
    other = replace(made, tool=_many(made.tool), bound={"customer": "C2"})
    assert (await books.execute(other))["rows"] == [{"id": 3}]
    await books.close()


def _many(tool: Tool) -> Tool:
    return replace(tool, result=replace(tool.result, shape="many"))


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("SELECT * FROM secrets", "orders, products"),
        ("DELETE FROM orders", "must be a SELECT"),
        ("SELECT 1; SELECT 2", "one SELECT"),
        ("SELEC * FROM orders", "SELECT"),
        ("SELECT pg_sleep(9)", "pg_sleep"),
        ("SELECT price FROM orders", "price"),
        ("WITH orders AS (SELECT 1) SELECT * FROM orders", "cannot be called orders"),
        ("SELECT " + "+".join(["1"] * 900), "too long"),
    ],
)
async def test_the_model_hears_what_to_change(books: SqlConnector, query: str, said: str) -> None:
    with pytest.raises(ConnectorError) as caught:
        await books.execute(escapes._invocation(query))
    assert caught.value.code == "invalid" and said in caught.value.message("en")
    await books.close()


def _declared(**changes: Any) -> Tool:
    return replace(escapes.TOOL, **changes)


@pytest.mark.parametrize(
    "tool",
    [
        _declared(operation={"views": {}}),
        _declared(operation={"views": {"a b": "SELECT 1"}}),
        _declared(operation={"views": {"a": " "}}),
        _declared(operation={"views": {"a": "SELECT :nobody"}}),
        _declared(operation={"views": {"a": "SELECT 1"}, "sql": "SELECT 1"}),
        _declared(parameters=(Parameter("q", "string", Text("", "")),)),
        _declared(effect="write"),
    ],
)
def test_a_wrong_declaration_stops_the_start(books: SqlConnector, tool: Tool) -> None:
    with pytest.raises(ConfigError):
        books.check(tool)


def sound(report: escapes.Report) -> None:
    assert report.found == {}
    assert report.tried >= 500 and report.refused > 0.9 * report.tried
    assert report.harmless == len(escapes.HARMLESS)


def test_nothing_escapes_on_sqlite(tmp_path: Path) -> None:
    sound(escapes.run_sqlite(tmp_path))


def test_nothing_escapes_on_postgresql(postgres_url: str, tmp_path: Path) -> None:
    sound(escapes.run_postgres(tmp_path, postgres_url))


# --- guards broken on purpose --------------------------------------------------------------------


def test_without_the_list_of_nodes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(model_sql, "_check", lambda *_: None)
    report = escapes.run_sqlite(tmp_path, every=5)
    assert any("shows the secret" in v for v in report.found)


def test_without_the_views(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(model_sql, "_table", lambda *_: None)
    report = escapes.run_sqlite(tmp_path, every=5)
    assert any("shows the secret" in v for v in report.found)


def test_without_the_read_only_connection(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    whole = escapes.open_database

    def writable(*rest: Any) -> Database:
        database = whole(*rest)
        return Database(database.writer, database.writer)

    monkeypatch.setattr(escapes, "open_database", writable)
    assert escapes.run_sqlite(tmp_path, every=5).found["something was changed"]


def test_statements_are_refused_before_any_database(monkeypatch: pytest.MonkeyPatch) -> None:
    for query in escapes._WRITES:
        with pytest.raises(NotAllowed):
            VIEWS.statement(query, "postgres")
