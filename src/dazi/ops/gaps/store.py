"""Unanswered questions and closed gaps in the database. Knows no rights: ``service`` does."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import msgspec
from sqlalchemy import RowMapping, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from dazi.audit.private import Private
from dazi.core.language import Language
from dazi.core.principal import Principal
from dazi.ops.gaps.noticing import Seen, Why
from dazi.ops.gaps.tables import closed_gaps, gap_questions
from dazi.store.database import Database

ERASED = "-"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, as it was asked. ``gap``: the closed one that it belongs to, else empty."""

    id: str
    tenant: str
    user: str
    channel: str
    why: Why
    turn: str
    source: str
    near: tuple[str, ...]
    gap: str
    at: float
    text: str
    language: Language


@dataclass(frozen=True, slots=True)
class Closed:
    """A gap that a document closed. ``answered`` of ``asked`` questions, when that was ``measured``."""

    id: str
    tenant: str
    by: str
    at: float
    document: str
    asked: int
    answered: int
    measured: float


class GapStore:
    def __init__(self, database: Database, private: Private) -> None:
        self._database = database
        self._private = private

    async def put(
        self, by: Principal, seen: Seen, source: str, near: Sequence[str], at: float = 0.0
    ) -> bool:
        """Once for each turn, or for each text of a conversation; whether it is new."""
        id = _id(by, seen)
        row = {
            "id": id,
            "tenant": by.tenant,
            "user": by.user,
            "channel": by.channel,
            "why": seen.why,
            "turn": seen.turn,
            "source": source,
            "near": msgspec.json.encode(list(near)).decode(),
            "gap": "",
            "at": at or time.time(),
            "content": self._private.seal(
                by.user, _place(id), {"text": seen.text, "language": seen.language}
            ),
        }
        try:
            async with self._database.write() as connection:
                await connection.execute(insert(gap_questions).values(row))
        except IntegrityError:
            return False
        return True

    async def questions(self, tenant: str, since: float, limit: int) -> list[Asked]:
        """The latest, oldest first, without what cannot be opened any more."""
        c = gap_questions.c
        query = select(gap_questions).where(c.tenant == tenant, c.at >= since)
        query = query.order_by(c.at.desc(), c.id).limit(limit)
        return await self._asked(query)

    async def of_gap(self, gap: str, tenant: str) -> list[Asked]:
        c = gap_questions.c
        query = select(gap_questions).where(c.gap == gap, c.tenant == tenant)
        return await self._asked(query.order_by(c.at.desc(), c.id))

    async def of_user(self, user: str, tenant: str, since: float) -> list[Asked]:
        c = gap_questions.c
        query = select(gap_questions).where(c.user == user, c.tenant == tenant, c.at >= since)
        return await self._asked(query.order_by(c.at.desc(), c.id))

    async def closed(self, tenant: str) -> list[Closed]:
        """The latest first."""
        c = closed_gaps.c
        query = select(closed_gaps).where(c.tenant == tenant).order_by(c.at.desc(), c.id)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [Closed(**row) for row in rows]

    async def close(self, gap: Closed, questions: Sequence[str]) -> None:
        """These questions now belong to ``gap``; said again, it is measured anew."""
        async with self._database.write() as connection:
            await connection.execute(delete(closed_gaps).where(closed_gaps.c.id == gap.id))
            row = {name: getattr(gap, name) for name in Closed.__slots__}
            await connection.execute(insert(closed_gaps).values(row))
            change = update(gap_questions).where(gap_questions.c.id.in_(questions))
            await connection.execute(change.values(gap=gap.id))

    async def reopen(self, gap: str, tenant: str) -> None:
        c = closed_gaps.c
        async with self._database.write() as connection:
            await connection.execute(delete(closed_gaps).where(c.id == gap, c.tenant == tenant))
            change = update(gap_questions).where(gap_questions.c.gap == gap)
            await connection.execute(change.values(gap=""))

    async def forget(self, user: str) -> int:
        """Delete the questions of somebody who is erased; how many."""
        async with self._database.write() as connection:
            done = await connection.execute(
                delete(gap_questions).where(gap_questions.c.user == user)
            )
            theirs = update(closed_gaps).where(closed_gaps.c.by == user)
            await connection.execute(theirs.values(by=ERASED))
        return done.rowcount

    async def prune(self, before: float) -> int:
        """Delete what was asked before then, in seconds since the epoch; how many."""
        async with self._database.write() as connection:
            done = await connection.execute(
                delete(gap_questions).where(gap_questions.c.at < before)
            )
        return done.rowcount

    async def _asked(self, query: Any) -> list[Asked]:
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [a for a in map(self._opened, reversed(rows)) if a is not None]

    def _opened(self, row: RowMapping) -> Asked | None:
        opened = self._private.open(_place(row["id"]), row["content"])
        if opened.state != "open":
            return None
        names = [n for n in Asked.__slots__ if n not in ("near", "text", "language", "why")]
        return Asked(
            **{n: row[n] for n in names},
            why=cast(Why, row["why"]),
            near=tuple(msgspec.json.decode(row["near"])),
            text=opened.content["text"],
            language=opened.content["language"],
        )


def _id(by: Principal, seen: Seen) -> str:
    what = seen.turn or f"{seen.thread}\n{seen.text}"
    told = json.dumps([by.tenant, by.user, what])
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def _place(id: str) -> str:
    return f"gap_questions.content:{id}"
