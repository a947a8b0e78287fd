"""Feedback in the database. Knows no rights: ``service`` does."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import msgspec
from sqlalchemy import RowMapping, and_, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from dazi.audit.private import Private
from dazi.core.errors import CallerError, NotFound
from dazi.ops.feedback.model import Content, Entry, Kind, State, Thumb, Wanted
from dazi.ops.feedback.tables import feedback
from dazi.store.database import Database

ERASED = "-"
"""In the place of the name of a giver or reviewer who is erased."""
AT_ONCE = 500
"""Ids of one statement: databases take some tens of thousands of parameters at the most."""
OPEN_DAYS_S = 14 * 86_400.0
"""A draft that was not sent so long is forgotten."""


class FeedbackStore:
    def __init__(self, database: Database, private: Private) -> None:
        self._database = database
        self._private = private

    async def put(self, entry: Entry) -> Entry:
        """A new entry, or what the same person said anew of the same thing: it is to be reviewed again."""
        for _ in range(2):
            found = await self.of_item(entry.tenant, entry.giver, entry.kind, entry.item)
            if found is None:
                made = replace(entry, id=secrets.token_hex(6), at=entry.at or time.time())
                try:
                    async with self._database.write() as connection:
                        await connection.execute(insert(feedback).values(self._row(made)))
                except IntegrityError:  # the same was said twice at once
                    continue
                return made
            again = replace(entry, id=found.id, at=entry.at or time.time(), revision=found.revision)
            return await self.change(again)
        raise AssertionError("unreachable")

    async def change(self, entry: Entry) -> Entry:
        """``entry`` in the place of what it was made from. Raises ``CallerError`` where somebody else was
        faster."""
        c = feedback.c
        new = replace(entry, revision=entry.revision + 1)
        there = and_(c.id == entry.id, c.revision == entry.revision)
        async with self._database.write() as connection:
            done = await connection.execute(update(feedback).where(there).values(self._row(new)))
        if done.rowcount != 1:
            raise CallerError(
                "changed_meanwhile",
                "这一条刚被别人改过,请看过再定",
                "somebody else has just changed this; look at it again",
            )
        return new

    async def get(self, id: str, tenant: str) -> Entry:
        """Raises ``NotFound``."""
        c = feedback.c
        query = select(feedback).where(c.id == id, c.tenant == tenant)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        found = self._entry(row) if row is not None else None
        if found is None:
            raise unknown()
        return found

    async def of_item(self, tenant: str, giver: str, kind: Kind, item: str) -> Entry | None:
        c = feedback.c
        query = select(feedback).where(
            c.tenant == tenant, c.giver == giver, c.kind == kind, c.item == item
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return self._entry(row) if row is not None else None

    async def find(self, tenant: str, wanted: Wanted) -> list[Entry]:
        """The latest first, without what cannot be opened any more."""
        c = feedback.c
        query = select(feedback).where(c.tenant == tenant)
        if wanted.states:
            query = query.where(c.state.in_(wanted.states))
        if wanted.state:
            query = query.where(c.state == wanted.state)
        if wanted.kind:
            query = query.where(c.kind == wanted.kind)
        if wanted.since:
            query = query.where(c.at >= wanted.since)
        query = query.order_by(c.at.desc(), c.id).limit(wanted.limit)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [e for e in map(self._entry, rows) if e is not None]

    async def remove(self, id: str) -> None:
        async with self._database.write() as connection:
            await connection.execute(delete(feedback).where(feedback.c.id == id))

    async def exported(self, ids: Sequence[str], dataset: str) -> None:
        """Note which dataset these went into."""
        async with self._database.write() as connection:
            for first in range(0, len(ids), AT_ONCE):
                change = update(feedback).where(feedback.c.id.in_(ids[first : first + AT_ONCE]))
                await connection.execute(change.values(dataset=dataset))

    async def about(self, user: str) -> list[str]:
        """Ids of what is about somebody, whether it can be opened or not."""
        query = select(feedback.c.id).where(feedback.c.user == user)
        async with self._database.read() as connection:
            return list((await connection.execute(query)).scalars())

    async def forget(self, user: str) -> int:
        """Delete what is about somebody who is erased, and their name from what they said of others;
        how many."""
        c = feedback.c
        async with self._database.write() as connection:
            done = await connection.execute(delete(feedback).where(c.user == user))
            for row in (
                await connection.execute(select(c.id).where(c.giver == user))
            ).scalars().all():  # fmt: skip
                # The item stays unique: whose it was is what goes.
                nobody = {"giver": f"{ERASED}{row}"}
                await connection.execute(update(feedback).where(c.id == row).values(nobody))
            theirs = update(feedback).where(c.decided_by == user)
            await connection.execute(theirs.values(decided_by=ERASED))
        return done.rowcount

    async def prune(self, before: float) -> int:
        """Delete what was said before then, in seconds since the epoch, and old drafts that were not
        sent; how many."""
        c = feedback.c
        drafts = and_(c.state == "open", c.at < time.time() - OPEN_DAYS_S)
        async with self._database.write() as connection:
            done = await connection.execute(delete(feedback).where(or_(c.at < before, drafts)))
        return done.rowcount

    def _row(self, e: Entry) -> dict[str, Any]:
        seal = self._private.seal
        return {
            "id": e.id,
            "tenant": e.tenant,
            "user": e.user,
            "giver": e.giver,
            "kind": e.kind,
            "item": e.item,
            "turn": e.turn,
            "thumb": e.thumb,
            "reason": e.reason,
            "consent": e.consent,
            "state": e.state,
            "revision": e.revision,
            "at": e.at,
            "decided": e.decided,
            "decided_by": e.decided_by,
            "dataset": e.dataset,
            "content": seal(e.user, _place("content", e.id), msgspec.to_builtins(e.content)),
            "sample": seal(e.user, _place("sample", e.id), e.sample) if e.sample else "",
            "why": seal(e.user, _place("why", e.id), e.why) if e.why else "",
        }

    def _entry(self, row: RowMapping) -> Entry | None:
        """``None`` where it cannot be opened: whom it is about is erased."""
        opened = self._private.open(_place("content", row["id"]), row["content"])
        if opened.state != "open":
            return None
        return Entry(
            row["id"],
            row["tenant"],
            row["user"],
            row["giver"],
            cast(Kind, row["kind"]),
            row["item"],
            row["turn"],
            msgspec.convert(opened.content, Content),
            row["at"],
            cast(Thumb, row["thumb"]),
            row["reason"],
            bool(row["consent"]),
            cast(State, row["state"]),
            row["revision"],
            row["decided"],
            row["decided_by"],
            row["dataset"],
            self._opened("sample", row, None),
            self._opened("why", row, ""),
        )

    def _opened(self, name: str, row: RowMapping, otherwise: Any) -> Any:
        if not row[name]:
            return otherwise
        opened = self._private.open(_place(name, row["id"]), row[name])
        return opened.content if opened.state == "open" else otherwise


def unknown() -> NotFound:
    return NotFound("feedback", "没有这条反馈", "no such feedback")


def _place(column: str, id: str) -> str:
    return f"feedback.{column}:{id}"
