"""SELECTs that a model writes: over declared views only, rebuilt from their parse, read-only.

A view here is a statement of the company's, bound to the caller's identity, under a name. What the
model writes may name nothing else. Every node of its parse must be of a kind that is listed, so
that what this module's author did not think of is refused; what runs is made anew from the parse,
so that nothing can hide between two readers of one text. The connection could not write anyway.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlglot
from sqlalchemy import bindparam, text
from sqlalchemy.exc import OperationalError, ProgrammingError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import TypeEngine
from sqlglot import exp
from sqlglot.errors import SqlglotError

from dazi.connectors.failures import misdeclared, unusable
from dazi.connectors.results import MAX_ROWS
from dazi.core.errors import ConnectorError
from dazi.core.tools import Invocation, Tool

DIALECTS = {"sqlite": "sqlite", "postgresql": "postgres"}
MAX_NODES, MAX_TOKENS = 600, 1_200
PARAMETER = "query"

_ALLOWED: frozenset[type[exp.Expression]] = frozenset(
    {
        # the shape of a SELECT
        exp.Select, exp.From, exp.Where, exp.Group, exp.Having, exp.Order, exp.Ordered, exp.Limit,
        exp.Offset, exp.Distinct, exp.Subquery, exp.Join, exp.Union, exp.Intersect, exp.Except,
        exp.With, exp.CTE, exp.Table, exp.TableAlias, exp.Alias, exp.Column, exp.Identifier,
        exp.Star, exp.Paren, exp.Tuple,
        # values and conditions
        exp.Literal, exp.Null, exp.Boolean, exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.GT,
        exp.GTE, exp.LT, exp.LTE, exp.Is, exp.Between, exp.In, exp.Like, exp.ILike, exp.Exists,
        exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Neg, exp.DPipe, exp.Case, exp.If,
        # functions that only compute
        exp.Count, exp.Sum, exp.Avg, exp.Min, exp.Max, exp.Round, exp.Abs, exp.Coalesce,
        exp.Nullif, exp.Lower, exp.Upper, exp.Length, exp.Substring, exp.Trim, exp.Concat,
        exp.Cast, exp.DataType, exp.Extract, exp.TimestampTrunc, exp.DateTrunc, exp.TimeToStr,
        exp.TsOrDsToTimestamp, exp.CurrentDate, exp.Var, exp.Window, exp.WindowSpec,
        exp.RowNumber, exp.Rank, exp.DenseRank,
    }
)  # fmt: skip
_CASTS = frozenset(
    {"INT", "BIGINT", "SMALLINT", "FLOAT", "DOUBLE", "DECIMAL", "TEXT", "VARCHAR", "CHAR", "DATE"}
)

# It says of every odd text that it found it odd; that is what this module expects.
logging.getLogger("sqlglot").setLevel(logging.CRITICAL)


class NotAllowed(Exception):
    """``what`` the model wrote that it may not, in both languages."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


@dataclass(frozen=True, slots=True)
class ModelSelect:
    """A tool's ``views``: their statements by name."""

    views: Mapping[str, str]

    @classmethod
    def of(cls, tool: Tool) -> ModelSelect:
        """From the declaration; raises ``ConfigError`` where it cannot work."""
        views = tool.operation["views"]
        if not isinstance(views, Mapping) or not views:
            raise misdeclared(tool, "views 要写成 名字: SELECT 语句", "views are NAME: SELECT ...")
        for name, statement in views.items():
            if not str(name).isidentifier() or not str(statement).strip():
                zh, en = f"views 里的 {name} 不对", f"the view {name} is not right"
                raise misdeclared(tool, zh, en)
        query = tool.parameter(PARAMETER)
        if query is None or query.type != "string" or tool.effect != "read":
            zh = f"用 views 的工具要有文本参数 {PARAMETER},effect 为 read"
            en = f"a tool with views has a string parameter {PARAMETER} and effect: read"
            raise misdeclared(tool, zh, en)
        return cls({str(k).lower(): str(v) for k, v in views.items()})

    def statement(self, query: str, dialect: str) -> str:
        """SQL text for SQLAlchemy's ``text``: the views, then what the model asked of them.

        Raises ``NotAllowed``.
        """
        parsed = _one(query, dialect)
        _check(parsed, frozenset(self.views))
        used = {t.name.lower() for t in parsed.find_all(exp.Table)} & set(self.views)
        asked = parsed.sql(dialect=dialect, comments=False).replace("\\", "\\\\")
        # A colon in the model's text is no placeholder of ours.
        asked = asked.replace(":", "\\:")
        head = ", ".join(
            f'"{name}" AS ({self.views[name].strip().rstrip(";")})' for name in sorted(used)
        )
        inner = f"SELECT * FROM ({asked}) AS answer LIMIT {MAX_ROWS + 1}"
        return f"WITH {head} {inner}" if head else inner

    async def run(
        self,
        connection: AsyncConnection,
        invocation: Invocation,
        values: Mapping[str, object],
        types: Mapping[str, TypeEngine[Any]],
    ) -> list[dict[str, Any]]:
        """Rows of the answer; ``values`` and ``types`` are of all names that views may bind.

        Raises ``ConnectorError("invalid")`` for what the model can mend.
        """
        tool = invocation.tool
        dialect = DIALECTS[connection.dialect.name]
        try:
            made = self.statement(str(invocation.arguments[PARAMETER]), dialect)
        except NotAllowed as e:
            raise unusable(f"query 不能用:{e.zh}", f"query cannot be used: {e.en}") from None
        clause = text(made)
        names = list(clause.compile().params)
        clause = clause.bindparams(*(bindparam(n, type_=types[n]) for n in names))
        known = {n: values[n] for n in names}
        try:
            async with connection.stream(clause, known) as result:
                return [dict(row) for row in await result.mappings().fetchmany(MAX_ROWS + 1)]
        except (OperationalError, ProgrammingError) as e:
            raise self._mendable(e, tool) from e

    def _mendable(self, error: SQLAlchemyError, tool: Tool) -> ConnectorError | SQLAlchemyError:
        """A column that is not there is the model's to mend, a database that is down is not."""
        said = str(getattr(error, "orig", error)).splitlines()[0][:200]
        known = ("no such column", "does not exist", "ambiguous", "misuse of", "must appear in",
                 "no such function", "operator does not exist")  # fmt: skip
        if not any(k in said for k in known):
            return error
        views = ", ".join(sorted(self.views))
        return unusable(
            f"query 有误:{said}。可用的表:{views}", f"query is wrong: {said}. Tables: {views}"
        )


def _one(query: str, dialect: str) -> exp.Expression:
    if "\x00" in query:
        raise NotAllowed("含有空字符", "it holds a NUL character")
    try:
        if len(sqlglot.tokenize(query, read=dialect)) > MAX_TOKENS:
            raise NotAllowed("太长", "it is too long")  # to parse it takes up to a second
        parsed = [p for p in sqlglot.parse(query, read=dialect) if p is not None]
    except (SqlglotError, RecursionError, ValueError) as e:
        said = str(e).splitlines()[0][:150]
        raise NotAllowed(f"不是合法的 SELECT:{said}", f"not a valid SELECT: {said}") from None
    if len(parsed) != 1:
        raise NotAllowed("只能是一条 SELECT", "it must be one SELECT")
    if not isinstance(parsed[0], exp.Select | exp.Union | exp.Intersect | exp.Except):
        raise NotAllowed("只能是 SELECT", "it must be a SELECT")
    return parsed[0]


def _check(parsed: exp.Expression, views: frozenset[str]) -> None:
    """Raises ``NotAllowed`` for anything that is not listed."""
    own = {cte.alias.lower() for cte in parsed.find_all(exp.CTE)}
    if own & views:
        name = sorted(own & views)[0]
        raise NotAllowed(f"WITH 不能叫 {name}", f"a WITH cannot be called {name}")
    for count, node in enumerate(_walk(parsed)):
        if count >= MAX_NODES:
            raise NotAllowed("太长", "it is too long")
        if type(node) not in _ALLOWED:
            name = node.name if isinstance(node, exp.Anonymous) else type(node).__name__
            raise NotAllowed(f"不能用 {name}", f"{name} cannot be used")
        if isinstance(node, exp.Table):
            _table(node, views | own)
        elif isinstance(node, exp.With) and node.args.get("recursive"):
            raise NotAllowed("不能递归", "WITH RECURSIVE cannot be used")
        elif isinstance(node, exp.DataType) and node.this.name not in _CASTS:
            raise NotAllowed(f"不能转换成 {node.sql()}", f"it cannot cast to {node.sql()}")
        elif isinstance(node, exp.Select) and (node.args.get("into") or node.args.get("locks")):
            raise NotAllowed("不能用 INTO 或 FOR UPDATE", "INTO and FOR UPDATE cannot be used")


def _walk(parsed: exp.Expression) -> Iterator[exp.Expression]:
    for node in parsed.walk():
        if isinstance(node, exp.Expression):
            yield node


def _table(node: exp.Table, known: frozenset[str] | set[str]) -> None:
    plain = isinstance(node.this, exp.Identifier) and not node.args.get("db")
    if not plain or node.args.get("catalog") or node.name.lower() not in known:
        views = ", ".join(sorted(known))
        said = node.sql()[:80]
        raise NotAllowed(f"没有表 {said},可用:{views}", f"there is no table {said}; known: {views}")
