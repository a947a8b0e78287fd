"""What is personal outside the ledger: sealed in its place, gone with its subject's key."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, text, update

from dazi.audit.keys import SubjectKeys
from dazi.audit.private import Private, is_sealed
from dazi.core.errors import NotFound, OperatorError
from dazi.core.messages import CallText, Message
from dazi.core.principal import Principal
from dazi.memory.tables import thread_messages, threads
from dazi.memory.threads import Kept, ThreadStore
from dazi.router.approval import Asked
from dazi.router.intents import IntentStore, intents
from dazi.router.tickets import TicketStore, tickets
from dazi.store.database import Database

LI, WANG = (Principal(user, frozenset({"employee"})) for user in ("li", "wang"))
SECRET = "身份证 11010119900307461X"
CALL = CallText("c1", "look_up", '{"id": "11010119900307461X"}')
SAID = [
    Kept(Message("user", SECRET)),
    Kept(Message("assistant", "", (CALL,))),
    Kept(Message("tool", SECRET, (), "c1"), "look_up", {"name": SECRET}),
]


@pytest.fixture
def keys(tmp_path: Path) -> SubjectKeys:
    return SubjectKeys(tmp_path / "audit")


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    made = Database.at(tmp_path / "d.sqlite")
    await made.create()
    yield made
    await made.close()


def asked(user: str = "li") -> Asked:
    arguments = {"order_id": "ORD12345", "reason": SECRET}
    sources = {"reason": ("person",)}
    return Asked(user, "default", "web", "t", "turn", "c", "refund", arguments, sources, "p")


def test_it_opens_in_its_own_place_only(keys: SubjectKeys) -> None:
    private = Private(keys)
    sealed = private.seal("li", "a:1", {"said": SECRET})
    assert is_sealed(sealed) and SECRET not in sealed
    assert private.open("a:1", sealed).content == {"said": SECRET}
    assert private.open("a:1", sealed) != private.seal("li", "a:1", {"said": SECRET})
    for place, given in (("a:2", sealed), ("a:1", sealed[:-8] + "AAAAAAA="), ("a:1", "{}")):
        opened = private.open(place, given)
        assert (opened.state, opened.content) == ("damaged", {"damaged": True})
    keys.destroy("li")
    assert private.open("a:1", sealed).content == {"erased": True}


def test_without_the_folder_of_keys(keys: SubjectKeys, tmp_path: Path) -> None:
    sealed = Private(keys).seal("li", "a:1", SECRET)
    assert Private.at(tmp_path / "other").open("a:1", sealed).state == "missing"


def test_a_digest_is_of_one_person_until_they_are_erased(keys: SubjectKeys) -> None:
    private = Private(keys)
    first = private.digest("li", [SECRET])
    assert first == Private(keys).digest("li", [SECRET])
    assert len({first, private.digest("li", [SECRET, ""]), private.digest("wang", [SECRET])}) == 3
    keys.destroy("li")
    assert private.digest("li", [SECRET]) != first


async def _everything(database: Database, keys: SubjectKeys) -> None:
    private = Private(keys)
    await ThreadStore(database, private).append("t", LI, SAID)
    store = TicketStore(database, private, 60.0)
    ticket = await store.issue(asked())
    await store.decide(ticket.id, LI, False, SECRET)
    of = IntentStore(database, private)
    key = of.key(LI, "turn", "refund", {"reason": SECRET}, "")
    assert await of.begin(key, "li", "turn", "refund", {"reason": SECRET}) is None
    await of.settle(key, "li", "unknown", {"answer": SECRET})
    await of.resolve(key, "done", "boss", SECRET)


async def test_nothing_that_was_said_is_in_the_file(
    database: Database, keys: SubjectKeys, tmp_path: Path
) -> None:
    await _everything(database, keys)
    await database.close()
    with closing(sqlite3.connect(tmp_path / "d.sqlite")) as connection:
        dumped = "\n".join(connection.iterdump())
    assert "INSERT INTO" in dumped
    assert "11010119900307461X" not in dumped and "ORD12345" not in dumped


async def test_what_is_sealed_comes_back_as_it_was(database: Database, keys: SubjectKeys) -> None:
    await _everything(database, keys)
    private = Private(keys)
    store = ThreadStore(database, private)
    assert await store.load("t", LI) == SAID
    assert [t.title for t in await store.list(LI)] == [SECRET]
    async with database.read() as connection:
        number = (await connection.execute(select(tickets.c.id))).scalar_one()
        key = (await connection.execute(select(intents.c.key))).scalar_one()
    ticket = await TicketStore(database, private, 60.0).get(number)
    assert ticket.asked == asked() and ticket.genuine and ticket.reason == SECRET
    intent = await IntentStore(database, private).get(key)
    assert intent.arguments == {"reason": SECRET} and intent.note == SECRET
    assert intent.result == {"answer": SECRET}


async def test_whoever_is_erased_can_be_read_nowhere(database: Database, keys: SubjectKeys) -> None:
    """As after an old backup of the database has come back: the rows are there, the key is not."""
    await _everything(database, keys)
    keys.destroy("li")
    private = Private(keys)
    assert await ThreadStore(database, private).load("t", LI) == []
    assert [t.title for t in await ThreadStore(database, private).list(LI)] == [""]
    async with database.read() as connection:
        number = (await connection.execute(select(tickets.c.id))).scalar_one()
        key = (await connection.execute(select(intents.c.key))).scalar_one()
    ticket = await TicketStore(database, private, 60.0).get(number)
    assert ticket.arguments == {"erased": True} and not ticket.genuine and ticket.reason == ""
    intent = await IntentStore(database, private).get(key)
    assert intent.arguments == {"erased": True} and intent.result is None and intent.note == ""


async def test_what_was_altered_is_told(database: Database, keys: SubjectKeys) -> None:
    await _everything(database, keys)
    store = ThreadStore(database, Private(keys))
    async with database.write() as connection:
        moved = select(thread_messages.c.content).where(thread_messages.c.seq == 1)
        await connection.execute(
            update(thread_messages)
            .where(thread_messages.c.seq == 3)
            .values(content=moved.scalar_subquery())
        )
    with pytest.raises(OperatorError, match="altered"):
        await store.load("t", LI)
    lost = ThreadStore(database, Private.at(Path(str(keys._path.parent) + "-elsewhere")))
    with pytest.raises(OperatorError, match="no key"):
        await lost.load("t", LI)


PLAIN: dict[Any, dict[str, Any]] = {
    threads: {"id": "old", "tenant": "default", "user": "li", "title": SECRET, "at": 5.0},
    thread_messages: {
        "thread": "old", "seq": 1, "at": 5.0, "role": "user", "content": SECRET, "calls": "[]",
        "call": "", "tool": "", "result": "null",
    },
    tickets: {
        "id": "old", "at": 5.0, "expires": 9e9, "user": "li", "tenant": "default", "thread": "old",
        "turn": "turn", "call": "c", "tool": "refund", "arguments": f'{{"reason": "{SECRET}"}}',
        "digest": "d" * 64, "policy": "p", "state": "pending", "sources": '{"reason": ["person"]}',
    },
    intents: {
        "key": "old", "at": 5.0, "user": "li", "turn": "turn", "tool": "refund",
        "arguments": f'{{"reason": "{SECRET}"}}', "state": "unknown", "result": f'"{SECRET}"',
        "settled_by": "boss", "note": SECRET,
    },
}  # fmt: skip
"""Rows as an earlier version wrote them."""


async def test_rows_from_before_can_be_read_and_are_taken_out(
    database: Database, keys: SubjectKeys
) -> None:
    async with database.write() as connection:
        for table, row in PLAIN.items():
            await connection.execute(insert(table).values(row))
    private = Private(keys)
    of_threads = ThreadStore(database, private)
    of_tickets = TicketStore(database, private, 60.0)
    of_intents = IntentStore(database, private)
    assert await of_threads.load("old", LI) == SAID[:1]
    assert [t.title for t in await of_threads.list(LI)] == [SECRET]
    ticket = await of_tickets.get("old")
    assert ticket.arguments == {"reason": SECRET}
    assert ticket.asked.sources == {"reason": ("person",)}
    assert not ticket.genuine, "whatever digest it has: it is bound to nothing that is sealed"
    (intent,) = await of_intents.unsettled()
    assert intent.arguments == {"reason": SECRET} and intent.result == intent.note == SECRET

    assert (await of_threads.forget("li"), await of_tickets.forget("li")) == (1, 1)
    assert await of_intents.forget("li") == 1
    async with database.read() as connection:
        for name in ("threads", "thread_messages", "tickets"):
            assert (await connection.execute(text(f"SELECT * FROM {name}"))).all() == []
        (row,) = (await connection.execute(select(intents))).mappings()
    assert SECRET not in str(row) and (row["key"], row["state"]) == ("old", "unknown")
    assert (await of_intents.get("old")).arguments == {"erased": True}


async def test_forgetting_one_leaves_the_others(database: Database, keys: SubjectKeys) -> None:
    private = Private(keys)
    store = ThreadStore(database, private)
    await store.append("t", LI, SAID)
    await store.append("w", WANG, SAID)
    of_tickets = TicketStore(database, private, 60.0)
    kept = await of_tickets.issue(asked("wang"))
    await of_tickets.issue(asked())
    assert (await store.forget("li"), await of_tickets.forget("li")) == (1, 1)
    assert await store.load("w", WANG) == SAID
    assert (await of_tickets.get(kept.id)).genuine


async def test_a_thread_is_deleted_by_its_owner_alone(
    database: Database, keys: SubjectKeys
) -> None:
    store = ThreadStore(database, Private(keys))
    await store.append("t", LI, SAID)
    with pytest.raises(NotFound):
        await store.delete("t", WANG)
    with pytest.raises(NotFound):
        await store.delete("none", LI)
    await store.delete("t", LI)
    assert await store.load("t", LI) == [] and await store.list(LI) == []
    async with database.read() as connection:
        assert (await connection.execute(select(thread_messages))).all() == []


async def test_what_is_too_old_goes_and_what_waits_stays(
    database: Database, keys: SubjectKeys
) -> None:
    private = Private(keys)
    await _everything(database, keys)
    of_tickets, of_intents = TicketStore(database, private, 60.0), IntentStore(database, private)
    done, pending = await of_tickets.issue(asked()), await of_tickets.issue(asked())
    await of_tickets.decide(done.id, LI, True)
    await of_tickets.finish(done.id)
    begun = of_intents.key(LI, "turn2", "refund", {}, "")
    await of_intents.begin(begun, "li", "turn2", "refund", {})
    store = ThreadStore(database, private)
    assert await store.prune(5.0) == await of_tickets.prune(5.0) == await of_intents.prune(5.0) == 0
    later = pending.expires - 1
    assert (await store.prune(later), await of_intents.prune(later)) == (1, 1)
    assert await of_tickets.prune(later) == 1
    assert (await of_tickets.get(pending.id)).genuine
    assert [i.key for i in await of_intents.unsettled()] == [begun]
    assert await of_tickets.prune(pending.expires + 1) == 1
