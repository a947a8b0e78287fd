"""``search:`` of a declared tool: find rows of one table by a name that people write freely."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from sqlalchemy import column, select, table
from sqlalchemy.ext.asyncio import AsyncConnection

from dazi.connectors.failures import misdeclared
from dazi.connectors.matching import best_matches
from dazi.core.tools import Invocation, Tool

MOST_ROWS = 5000


@dataclass(frozen=True, slots=True)
class NameSearch:
    """Rows of ``table`` whose ``match`` or ``also`` columns fit the argument ``parameter``
    (by default the one named like ``match``); of each the ``columns`` are returned."""

    table: str
    match: str
    also: tuple[str, ...]
    columns: tuple[str, ...]
    limit: int
    parameter: str

    @classmethod
    def of(cls, tool: Tool) -> NameSearch:
        """From the tool's declaration; raises ``ConfigError`` when it is incomplete."""
        entry = tool.operation["search"]
        try:
            match = str(entry["match"])
            search = cls(
                str(entry["table"]),
                match,
                tuple(map(str, entry.get("also", ()))),
                tuple(map(str, entry["columns"])),
                int(entry.get("limit", 5)),
                str(entry.get("parameter", match)),
            )
        except (KeyError, TypeError, ValueError) as error:
            zh, en = "search 需要 table、match 和 columns", "search needs table, match and columns"
            raise misdeclared(tool, zh, en) from error
        if tool.parameter(search.parameter) is None:
            zh, en = f"没有参数 {search.parameter}", f"has no parameter {search.parameter}"
            raise misdeclared(tool, zh, en)
        return search

    async def run(self, connection: AsyncConnection, invocation: Invocation) -> list[Any]:
        wanted = dict.fromkeys((self.match, *self.also, *self.columns))
        source = table(self.table, *(column(name) for name in wanted))
        result = await connection.execute(select(*source.c).limit(MOST_ROWS))
        rows = [dict(zip(wanted, row, strict=True)) for row in result]
        text = str(invocation.arguments.get(self.parameter) or "")
        found = await asyncio.to_thread(best_matches, text, rows, self.match, self.also, self.limit)
        return [{name: row[name] for name in self.columns} for row in found]
