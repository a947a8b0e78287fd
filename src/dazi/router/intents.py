"""What is about to happen, and what came of it: a row that is durable before any side effect.

There is one row a key, and the key comes from the turn, the tool and the canonical arguments: the
same thing cannot begin twice. What was begun and never settled is for a person to look into; it is
never done again. Arguments, results and notes are sealed with the key of whoever asked.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from sqlalchemy import (
    Column,
    Float,
    String,
    Table,
    Text,
    bindparam,
    delete,
    insert,
    select,
    update,
)

from dazi.audit.private import READABLE, Private, Unsealed, is_sealed
from dazi.core.errors import CallerError, NotFound
from dazi.core.principal import Principal
from dazi.store.database import Conflict, Database, Statement, metadata

State = Literal["begun", "done", "failed", "unknown"]
Settled = Literal["done", "failed"]

intents = Table(
    "intents",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("at", Float, nullable=False),
    Column("user", String(200), nullable=False),
    Column("turn", String(40), nullable=False),
    Column("tool", String(100), nullable=False),
    Column("arguments", Text, nullable=False),
    Column("state", String(20), nullable=False),
    Column("settled_at", Float),
    Column("result", Text),
    Column("settled_by", String(200)),
    Column("note", Text),
)


_ERASED: Mapping[str, Any] = {"erased": True}
_BEGIN = Statement(insert(intents), "key", "at", "user", "turn", "tool", "arguments", "state")
_SETTLE = Statement(
    update(intents).where(intents.c.key == bindparam("of")), "state", "settled_at", "result"
)


@dataclass(frozen=True, slots=True)
class Intent:
    """``at`` in seconds since the epoch. ``result`` is what the system answered, if it is known.

    ``settled_by`` and ``note``: who looked into an outcome that nobody knew, and what they found.
    ``arguments`` that cannot be read say why, as ``{"erased": True}``.
    """

    key: str
    at: float
    user: str
    turn: str
    tool: str
    arguments: Mapping[str, Any]
    state: State
    result: Any = None
    settled_by: str = ""
    note: str = ""


class IntentStore:
    def __init__(self, database: Database, private: Private) -> None:
        self._database = database
        self._private = private

    def key(
        self, principal: Principal, turn: str, tool: str, arguments: Mapping[str, Any], ticket: str
    ) -> str:
        """The same for a repeat of the same call in the same turn; never the model's call id."""
        parts = [principal.tenant, turn, ticket, tool, arguments]
        return self._private.digest(principal.user, parts)[:40]

    async def begin(
        self, key: str, user: str, turn: str, tool: str, arguments: Mapping[str, Any]
    ) -> Intent | None:
        """Write the intent down. The earlier one if this has begun before: then do nothing."""
        row = {
            "key": key,
            "at": time.time(),
            "user": user,
            "turn": turn,
            "tool": tool,
            "arguments": self._private.seal(user, _place("arguments", key), arguments),
            "state": "begun",
        }
        try:
            await self._database.run(_BEGIN, row, sync=True)
        except Conflict:
            return await self.get(key)
        return None

    async def get(self, key: str) -> Intent:
        async with self._database.read() as connection:
            found = await connection.execute(select(intents).where(intents.c.key == key))
            row = found.mappings().one_or_none()
        if row is None:
            raise NotFound("intent", f"没有操作 {key}", f"there is no effect {key}")
        return self._intent(row)

    async def settle(self, key: str, user: str, state: State, result: Any = None) -> None:
        text = None
        if result is not None:
            text = self._private.seal(user, _place("result", key), result)
        row = {"of": key, "state": state, "settled_at": time.time(), "result": text}
        await self._database.run(_SETTLE, row)

    async def resolve(self, key: str, state: Settled, person: str, note: str) -> Intent:
        """A person found out what came of it. Raises ``CallerError`` where that is known already."""
        user = (await self.get(key)).user
        async with self._database.write() as connection:
            changed = await connection.execute(
                update(intents)
                .where(intents.c.key == key, intents.c.state.in_(("begun", "unknown")))
                .values(
                    state=state,
                    settled_at=time.time(),
                    settled_by=person,
                    note=self._private.seal(user, _place("note", key), note),
                )
            )
        intent = await self.get(key)
        if changed.rowcount != 1:
            raise CallerError(
                "settled",
                f"这个操作的结果已经清楚:{intent.state}",
                f"what came of this is known already: {intent.state}",
            )
        return intent

    async def unsettled(self) -> list[Intent]:
        """Those whose outcome nobody knows, oldest first: a person must look."""
        async with self._database.read() as connection:
            found = await connection.execute(
                select(intents)
                .where(intents.c.state.in_(("begun", "unknown")))
                .order_by(intents.c.at)
            )
            return [self._intent(row) for row in found.mappings()]

    async def forget(self, user: str) -> int:
        """Take out what is not sealed of somebody who is erased; the rows stay, so that nothing
        is done twice. How many there were."""
        c, blank = intents.c, {"arguments": msgspec.json.encode(_ERASED).decode()}
        plain = (c.user == user, c.arguments.not_like("~%"))
        async with self._database.write() as connection:
            done = await connection.execute(
                update(intents).where(*plain).values(result=None, note=None, **blank)
            )
        return done.rowcount

    async def prune(self, before: float) -> int:
        """Delete what was settled before then, in seconds since the epoch; how many."""
        async with self._database.write() as connection:
            done = await connection.execute(delete(intents).where(intents.c.settled_at < before))
        return done.rowcount

    def _intent(self, row: Any) -> Intent:
        result, note = self._opened(row, "result"), self._opened(row, "note")
        return Intent(
            row["key"],
            row["at"],
            row["user"],
            row["turn"],
            row["tool"],
            self._opened(row, "arguments").content,
            row["state"],
            result.content if result.state in READABLE else None,
            row["settled_by"] or "",
            note.content if note.state in READABLE else "",
        )

    def _opened(self, row: Any, name: str) -> Unsealed:
        text = row[name]
        if text is None:
            return Unsealed("" if name == "note" else None, "plain")
        if is_sealed(text):
            return self._private.open(_place(name, row["key"]), text)
        return Unsealed(text if name == "note" else msgspec.json.decode(text), "plain")


def _place(name: str, key: str) -> str:
    return f"intents.{name}:{key}"
