"""Older turns are folded into a digest, and nothing falls out between the two."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select

from dazi.audit.keys import SubjectKeys
from dazi.audit.private import Private
from dazi.core.errors import NotFound
from dazi.core.messages import Message
from dazi.core.principal import Principal
from dazi.memory.digests import NOTHING, Digest, DigestStore
from dazi.memory.events import Event, events_of, merged
from dazi.memory.recall import FOLD_AT, RECENT, Recall
from dazi.memory.tables import thread_digests
from dazi.memory.threads import Kept, ThreadStore
from dazi.store.database import Database

LI, WANG = (Principal(user, frozenset({"employee"})) for user in ("li", "wang"))
TURNS = 3


class Memory:
    def __init__(self, folder: Path, database: Database) -> None:
        self.folder = folder
        self.database = database
        self.keys = SubjectKeys(folder / "audit")
        self.threads = ThreadStore(database, Private(self.keys))
        self.digests = DigestStore(database, Private(self.keys))
        self.recall = Recall(self.threads, self.digests, {}, TURNS)

    async def say(self, *numbers: int, thread: str = "t") -> None:
        for n in numbers:
            turn = [Kept(Message("user", f"单号 ORD{n:05}")), Kept(Message("assistant", "好"))]
            await self.threads.append(thread, LI, turn)

    async def fold(self, thread: str = "t") -> bool:
        older = await self.recall.older(thread, LI)
        if older is None:
            return False
        events = merged(
            [*older.digest.events, *events_of([n.kept.message for n in older.messages], {})]
        )
        last = older.messages[-1]
        digest = Digest(last.seq, "", tuple(events))
        return await self.digests.save(thread, LI, digest, older.digest.through, last)

    async def rows(self) -> list[tuple[str, int]]:
        async with self.database.read() as connection:
            found = await connection.execute(
                select(thread_digests.c.thread, thread_digests.c.through)
            )
            return [tuple(r) for r in found]


@pytest.fixture
async def memory(tmp_path: Path) -> AsyncIterator[Memory]:
    database = Database.at(tmp_path / "d.sqlite")
    await database.create()
    yield Memory(tmp_path, database)
    await database.close()


def texts(events: tuple[Event, ...]) -> list[str]:
    return [e.text for e in events]


async def test_a_short_thread_is_all_word_for_word(memory: Memory) -> None:
    assert (await memory.recall.of("t", LI)).history == ()
    await memory.say(1, 2, 3)
    found = await memory.recall.of("t", LI)
    assert (len(found.history), found.short, found.events, found.unfolded) == (6, 0, (), 0)


async def test_nothing_falls_out_before_it_is_folded(memory: Memory) -> None:
    numbers = range(1, 60)
    await memory.say(*numbers)
    found = await memory.recall.of("t", LI)
    short = [k.message.content for k in found.history[found.short :] if k.message.role == "user"]
    assert short == [f"单号 ORD{n:05}" for n in (57, 58, 59)]
    assert texts(found.events) == [f"单号 ORD{n:05}" for n in range(1, 57)]
    assert len(found.history) == RECENT and found.unfolded == 56


async def test_folded_or_not_the_same_is_known(memory: Memory) -> None:
    said: list[str] = []
    for n in range(1, 40):
        await memory.say(n)
        said.append(f"单号 ORD{n:05}")
        found = await memory.recall.of("t", LI)
        assert texts(found.events) == said[:-TURNS]
        assert found.unfolded <= FOLD_AT
        await memory.fold()
    ((_, through),) = await memory.rows()
    assert through >= 2 * (39 - TURNS - FOLD_AT)


async def test_only_enough_is_folded_at_a_time(memory: Memory) -> None:
    await memory.say(*range(TURNS + FOLD_AT - 1))
    assert not await memory.fold()
    await memory.say(9)
    assert await memory.fold() and not await memory.fold()


async def test_a_long_thread_of_before_is_folded_piece_by_piece(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dazi.memory.recall.MOST_UNFOLDED", 20)
    await memory.say(*range(1, 60))
    while await memory.fold():
        pass
    found = await memory.recall.of("t", LI)
    assert texts(found.events) == [f"单号 ORD{n:05}" for n in range(1, 57)]


async def test_a_thread_is_its_owners(memory: Memory) -> None:
    await memory.say(*range(10))
    for read in (memory.recall.of, memory.recall.older):
        with pytest.raises(NotFound):
            await read("t", WANG)
    older = await memory.recall.older("t", LI)
    assert older is not None
    last = older.messages[-1]
    assert not await memory.digests.save("t", WANG, Digest(last.seq), 0, last)
    assert await memory.rows() == []


@pytest.mark.parametrize("how", ["delete", "forget", "prune", "replace"])
async def test_a_digest_goes_with_its_thread(memory: Memory, how: str) -> None:
    await memory.say(*range(10))
    await memory.say(*range(10), thread="u")
    assert await memory.fold() and await memory.fold("u")
    gone = {
        "delete": lambda: memory.threads.delete("t", LI),
        "forget": lambda: memory.threads.forget("li"),
        "prune": lambda: memory.threads.prune(9e9),
        "replace": lambda: memory.threads.replace("t", LI, [Kept(Message("user", "新的"))]),
    }
    await gone[how]()
    left = {"delete": 1, "replace": 1}.get(how, 0)
    assert len(await memory.rows()) == left
    assert (await memory.recall.of("t", LI)).events == ()


@pytest.mark.parametrize("how", ["deleted", "replaced", "folded"])
async def test_what_was_folded_too_late_is_not_kept(memory: Memory, how: str) -> None:
    await memory.say(*range(10))
    older = await memory.recall.older("t", LI)
    assert older is not None
    if how == "folded":
        assert await memory.fold()
    elif how == "deleted":
        await memory.threads.delete("t", LI)
    else:
        await memory.threads.replace("t", LI, [n.kept for n in older.messages])
    before = await memory.rows()
    last = older.messages[-1]
    stale = Digest(last.seq, "陈旧", ())
    assert not await memory.digests.save("t", LI, stale, older.digest.through, last)
    assert await memory.rows() == before


async def test_a_digest_is_sealed_and_erased_with_the_person(memory: Memory) -> None:
    await memory.say(*range(10))
    assert await memory.fold()
    with closing(sqlite3.connect(memory.folder / "d.sqlite")) as connection:
        (content,) = connection.execute("SELECT content FROM thread_digests").fetchone()
    assert "ORD00001" not in content
    memory.keys.destroy("li")
    assert await memory.digests.get("t") == NOTHING
