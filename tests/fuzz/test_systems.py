"""What company systems answer, and the SQL that a model asks them with."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import Any, Literal

import mcp.types as wire
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp, parse

from bench.security import escapes
from dazi.connectors.http import HttpConnector, _reason
from dazi.connectors.mcp import McpConnector, McpServer
from dazi.connectors.model_sql import ModelSelect, NotAllowed
from dazi.connectors.openapi import Operation
from dazi.core.errors import ConnectorError
from dazi.core.language import Text
from dazi.core.principal import Principal
from dazi.core.tools import Invocation, Tool, ToolResultRules
from dazi.core.turn import CallRecord
from dazi.router.derive import derive
from dazi.router.grounding import Evidence
from dazi.router.view import model_view, plain, table
from tests.fuzz.inputs import JSON, bent_bytes, bent_data, bent_text, deep, fuzzed
from tests.fuzz.test_calls import TODAY

Shape = Literal["one", "many", "value"]
ANSWER: Any = {
    "data": {"rows": [{"id": "A1", "price": 1.5, "day": "2025-04-01", "hours": "09:00-10:00,13:00-14:00"}], "count": 1, "total": 3},
    "detail": {"zh": "不行", "en": "no"},
}  # fmt: skip
SHAPES = st.sampled_from(("one", "many", "value"))
STATUSES = st.sampled_from((200, 201, 204, 301, 400, 404, 409, 422, 429, 500))


def tool(shape: Shape, **operation: Any) -> Tool:
    rules = ToolResultRules(shape, attach="table", labels={"price": Text("价格", "price")})
    names = Text("系统", "system")
    return Tool("t", names, names, (), frozenset(), "write", "c", operation, result=rules)


def invocation(t: Tool) -> Invocation:
    who = Principal("u", frozenset({"staff"}), MappingProxyType({}))
    return Invocation(t, {}, {}, who, "k", 5.0, "2025-04-03")


OPERATION = Operation("o", "POST", "/o", frozenset(), frozenset(), frozenset(), frozenset())


@fuzzed
@given(
    SHAPES,
    STATUSES,
    st.sampled_from(("", "data", "data.rows", "data.rows.0", "data.rows.x")),
    bent_data(ANSWER).map(lambda d: json.dumps(d).encode()) | bent_bytes(json.dumps(ANSWER).encode()),
)  # fmt: skip
def test_answers_of_services(shape: Shape, status: int, path: str, body: bytes) -> None:
    connector: Any = HttpConnector.__new__(HttpConnector)
    t = tool(shape, path=path)
    try:
        value = connector._answer(invocation(t), OPERATION, status, body)
    except ConnectorError:
        return
    used(t, value)


def used(t: Tool, value: Any) -> None:
    """What gets through can be derived from, shown, and written down."""
    if value is None:
        return
    result = derive(t, value, {}, "zh", TODAY)
    shown = [model_view(t, result, concise=True), table(t, result, "en"), plain(t, result, "zh")]
    Evidence(TODAY).found(t.label, result)
    assert shown and json.dumps(result, ensure_ascii=False).encode()
    CallRecord("c", t.name, {}, "ok", result=result)


@fuzzed
@given(SHAPES, bent_text(json.dumps(ANSWER["data"])), st.none() | JSON, st.booleans())
def test_answers_of_mcp_servers(shape: Shape, text: str, structured: Any, failed: bool) -> None:
    answer = wire.CallToolResult(
        content=[wire.TextContent(type="text", text=text)],
        structured_content=structured if isinstance(structured, dict) else None,
        is_error=failed,
    )
    t = tool(shape)
    try:
        value = McpConnector(McpServer(("x",)))._answer(invocation(t), answer)
    except ConnectorError:
        return
    used(t, value)


@pytest.mark.parametrize("text", [deep("[", "]"), deep('{"a":', "}", "1"), "9" * 5000, '"\\ud800"'])
def test_answers_that_no_parser_likes(text: str) -> None:
    answer = wire.CallToolResult(content=[wire.TextContent(type="text", text=text)])
    connector: Any = HttpConnector.__new__(HttpConnector)
    for ask in (
        lambda: McpConnector(McpServer(("x",)))._answer(invocation(tool("one")), answer),
        lambda: connector._answer(invocation(tool("one")), OPERATION, 200, text.encode()),
    ):
        try:
            used(tool("one"), ask())
        except ConnectorError as e:
            assert e.code in ("bad_response", "too_large") and e.effect_possible
    assert _reason(text.encode()) is None


# --- SQL ------------------------------------------------------------------------------------------

VIEWS = ModelSelect.of(escapes.TOOL)
BEHIND = {
    table.name.lower()
    for view in VIEWS.views.values()
    for table in parse(view, read="sqlite")[0].find_all(exp.Table)
}
"""The tables of the views."""
QUERIES = (
    "SELECT o.id, sum(o.amount) AS total FROM orders o JOIN products p ON p.id = o.id "
    "WHERE o.amount > 3.5 AND p.name LIKE '%a:b%' GROUP BY o.id HAVING count(*) > 1 ORDER BY 2 LIMIT 5",
    "WITH big AS (SELECT * FROM orders WHERE amount BETWEEN 1 AND 2) SELECT CASE WHEN id IN "
    "(SELECT id FROM big) THEN 'a' ELSE \"b\" END, cast(amount AS int) FROM orders UNION SELECT 1, 2",
    "SELECT * FROM secrets -- x\n; DELETE FROM orders",
)


@fuzzed
@given(bent_text(*QUERIES), st.sampled_from(("sqlite", "postgres")))
def test_queries_stay_one_select_of_known_views(query: str, dialect: str) -> None:
    try:
        made = VIEWS.statement(query, dialect)
    except NotAllowed as e:
        assert e.zh and e.en
        return
    statements = parse(made.replace("\\:", ":").replace("\\\\", "\\"), read=dialect)
    assert len(statements) == 1 and isinstance(statements[0], exp.Select)
    own = {c.alias.lower() for c in statements[0].find_all(exp.CTE)}
    asked = {t.name.lower() for t in statements[0].find_all(exp.Table)}
    assert asked <= own | BEHIND


@pytest.mark.parametrize("query", [f"SELECT {deep('(', ')', '1')}", "SELECT 1" + " + 1" * 20_000, "SELECT " + "NOT " * 9000 + "1"])  # fmt: skip
def test_queries_that_go_too_deep(query: str) -> None:
    with pytest.raises(NotAllowed):
        VIEWS.statement(query, "sqlite")
