"""SQL databases: declared statements with bound parameters, never text made from arguments."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Boolean, Float, Integer, String, TextClause, bindparam, text
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import TypeEngine

from dazi.connectors.database import Database, within
from dazi.connectors.failures import misdeclared, refused, time_left, timed_out, unavailable
from dazi.connectors.results import MAX_ROWS, MONEY_DECIMALS, checked, listing
from dazi.connectors.search import NameSearch
from dazi.core.errors import ConnectorError
from dazi.core.language import Text
from dazi.core.tools import Invocation, Tool

if TYPE_CHECKING:
    from dazi.connectors.model_sql import ModelSelect

STATEMENTS = ("sql", "totals", "returning")
HOST_BINDS = ("idempotency_key", "today")
_TYPES: Mapping[str, type[TypeEngine[Any]]] = {
    "integer": Integer,
    "number": Float,
    "boolean": Boolean,
}


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement and the names it binds."""

    clause: TextClause
    names: frozenset[str]

    @classmethod
    def of(cls, tool: Tool, key: str) -> Statement:
        """``tool``'s statement ``key``; raises ``ConfigError`` for a name nobody gives."""
        clause = text(str(tool.operation[key]))
        names = frozenset(clause.compile().params)
        types = _known(tool, key, names)
        return cls(clause.bindparams(*(bindparam(n, type_=types[n]) for n in names)), names)


class SqlConnector:
    """Runs a tool's ``sql``, its ``search``, or a SELECT over its ``views``, on one database.

    Reads (``totals`` too) share one read-only snapshot. With ``write: true`` the statement and
    its ``returning`` run in one transaction; when it changes no row the answer is ``None``, or
    the tool's ``refused`` text as a refusal.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._statements: dict[tuple[str, str], Statement] = {}

    def check(self, tool: Tool) -> None:
        """Raise ``ConfigError`` unless ``tool`` can be run by this connector."""
        operation = tool.operation
        if sum(key in operation for key in ("sql", "search", "views")) != 1:
            zh, en = "需要 sql、search 或 views 之一", "needs one of sql, search and views"
            raise misdeclared(tool, zh, en)
        if bool(operation.get("write")) != (tool.effect != "read"):
            zh = "effect 为 read 时不能有 write: true,否则必须有"
            raise misdeclared(tool, zh, "write: true belongs to tools whose effect is not read")
        if "search" in operation:
            NameSearch.of(tool)
        if "views" in operation:
            for name, statement in _model_select(tool).views.items():
                _known(tool, f"views.{name}", frozenset(text(statement).compile().params))
        for key in STATEMENTS:
            if key in operation:
                Statement.of(tool, key)

    async def execute(self, invocation: Invocation) -> Any:
        tool = invocation.tool
        for name, binding in tool.bind.items():
            owned = not binding.required_for or invocation.principal.has_role(*binding.required_for)
            if owned and invocation.bound.get(name) is None:
                raise refused(tool)
        if tool.operation.get("write"):
            return await self._write(invocation)
        try:
            return await within(
                self._database.reader,
                time_left(invocation),
                lambda connection: self._read(connection, invocation),
            )
        except ConnectorError:
            raise
        except TimeoutError as error:
            raise timed_out(tool) from error
        except Exception as error:  # drivers raise more than SQLAlchemy wraps
            raise unavailable(tool) from error

    async def close(self) -> None:
        await self._database.close()

    async def _read(self, connection: AsyncConnection, invocation: Invocation) -> Any:
        tool = invocation.tool
        if "search" in tool.operation:
            rows = await NameSearch.of(tool).run(connection, invocation)
        elif "views" in tool.operation:
            rows = await _model_select(tool).run(
                connection, invocation, _values(invocation), _binds(tool)
            )
        else:
            rows = await self._rows(connection, invocation, "sql", MAX_ROWS + 1)
        rows = checked(invocation, rows, MONEY_DECIMALS)
        match tool.result.shape:
            case "one":
                return rows[0] if rows else None
            case "value":
                return next(iter(rows[0].values())) if rows else None
        totals: Mapping[str, Any] = {}
        if rows and "totals" in tool.operation:
            first = await self._rows(connection, invocation, "totals", 1)
            totals = checked(invocation, first[0] if first else {}, MONEY_DECIMALS)
        return listing(tool, rows, totals)

    async def _write(self, invocation: Invocation) -> Any:
        tool = invocation.tool
        committing = False

        async def work(connection: AsyncConnection) -> Any:
            nonlocal committing
            statement, values = self._statement(invocation, "sql")
            try:
                changed = (await connection.execute(statement.clause, values)).rowcount
            except IntegrityError:
                await connection.rollback()
                earlier = await self._earlier(connection, invocation)
                if earlier is None:
                    raise
                return earlier
            if not changed:
                return await self._earlier(connection, invocation)
            row = await self._returning(connection, invocation)
            committing = True
            await connection.commit()
            return row or {"count": changed}

        try:
            done = await within(self._database.writer, time_left(invocation), work)
        except ConnectorError:
            raise
        except TimeoutError as error:
            raise timed_out(tool, effect_possible=committing) from error
        except IntegrityError as error:
            raise refused(tool, _refusal(tool)) from error
        except Exception as error:  # drivers raise more than SQLAlchemy wraps
            lost = committing and not _undone(error)
            raise unavailable(tool, effect_possible=lost) from error
        if done is None and (refusal := _refusal(tool)) is not None:
            raise refused(tool, refusal)
        return done

    async def _earlier(self, connection: AsyncConnection, invocation: Invocation) -> Any:
        """What the same intent did before, when nothing was changed this time."""
        if "returning" not in invocation.tool.operation:
            return None
        statement, _ = self._statement(invocation, "returning")
        if "idempotency_key" not in statement.names:
            return None
        return await self._returning(connection, invocation)

    async def _returning(
        self, connection: AsyncConnection, invocation: Invocation
    ) -> dict[str, Any] | None:
        if "returning" not in invocation.tool.operation:
            return None
        rows = await self._rows(connection, invocation, "returning", 1)
        row: dict[str, Any] | None
        row = checked(invocation, rows[0], MONEY_DECIMALS) if rows else None
        return row

    async def _rows(
        self, connection: AsyncConnection, invocation: Invocation, key: str, limit: int
    ) -> list[dict[str, Any]]:
        """At most ``limit`` rows; the rest is never fetched."""
        statement, values = self._statement(invocation, key)
        async with connection.stream(statement.clause, values) as result:
            return [dict(row) for row in await result.mappings().fetchmany(limit)]

    def _statement(self, invocation: Invocation, key: str) -> tuple[Statement, dict[str, Any]]:
        tool = invocation.tool
        known = (tool.name, str(tool.operation[key]))
        statement = self._statements.get(known)
        if statement is None:
            statement = self._statements[known] = Statement.of(tool, key)
        values = _values(invocation)
        return statement, {name: values[name] for name in statement.names}


def _model_select(tool: Tool) -> ModelSelect:
    """The parser takes 0.2 s to load: only where a tool has views."""
    from dazi.connectors.model_sql import ModelSelect

    return ModelSelect.of(tool)


def _known(tool: Tool, key: str, names: frozenset[str]) -> dict[str, TypeEngine[Any]]:
    """The types of what a statement may bind; raises ``ConfigError`` for a name nobody gives."""
    types = _binds(tool)
    unknown = ", ".join(f":{name}" for name in sorted(names - types.keys()))
    if unknown:
        zh, en = f"{key} 用了没有声明的 {unknown}", f"{key} uses undeclared {unknown}"
        raise misdeclared(tool, zh, en)
    return types


def _binds(tool: Tool) -> dict[str, TypeEngine[Any]]:
    """Every name a statement may use, with its type (databases cannot guess that of a NULL)."""
    types = {p.name: _TYPES.get(p.type, String)() for p in tool.parameters}
    return types | {name: String() for name in (*tool.bind, *HOST_BINDS)}


def _values(invocation: Invocation) -> dict[str, Any]:
    """Arguments first, then what no argument may replace. Absent ones are NULL, lists JSON."""
    values: dict[str, Any] = {}
    for parameter in invocation.tool.parameters:
        value = invocation.arguments.get(parameter.name)
        is_list = isinstance(value, (list, tuple))
        values[parameter.name] = json.dumps(value, ensure_ascii=False) if is_list else value
    values.update((name, invocation.bound.get(name)) for name in invocation.tool.bind)
    return values | {"idempotency_key": invocation.idempotency_key, "today": invocation.today}


def _refusal(tool: Tool) -> Text | None:
    return Text.of(tool.operation["refused"]) if "refused" in tool.operation else None


def _undone(error: Exception) -> bool:
    """A database that answers a commit with an error has undone it; a lost connection tells
    nothing."""
    lost = getattr(error, "connection_invalidated", False)
    return isinstance(error, SQLAlchemyError) and not lost
