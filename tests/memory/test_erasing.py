"""Whoever is erased leaves no digest and no fact behind; what is old goes by itself."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from dazi.audit.keys import SubjectKeys
from dazi.audit.retention import DAY_S
from dazi.core.messages import Message
from dazi.core.principal import Principal
from dazi.gateway.channels.protocol import Incoming
from dazi.gateway.channels.tables import messages
from dazi.main.accounts import desk
from dazi.main.erasing import Ages, Stores, erase, keep_stores_pruned
from dazi.main.settings import Settings, demo_folder
from dazi.memory.digests import Digest, DigestStore
from dazi.memory.events import Event
from dazi.memory.facts import FactStore, memory_facts
from dazi.memory.tables import thread_digests, threads
from dazi.memory.threads import Kept, ThreadStore
from dazi.store.database import Database


async def test_digests_and_facts_go_with_the_person(tmp_path: Path) -> None:
    settings = Settings(company=demo_folder(), data=tmp_path / "d")
    for user in ("customer", "finance"):
        async with desk(settings, user) as d:
            threads = ThreadStore(d.database, d.private)
            await threads.append(user, d.by, [Kept(Message("user", "我叫小李"))])
            (last,) = await threads.latest(user, d.by, 1)
            digest = Digest(1, "", (Event("我叫小李", "", "person"),))
            assert await DigestStore(d.database, d.private).save(user, d.by, digest, 0, last)
            await FactStore(d.database, d.private).keep(d.by, "我叫小李")
    done = await erase(settings, "customer", "finance", "离职")
    assert "1 个会话" in done.zh and "1 条记住的事" in done.zh and "1 remembered facts" in done.en
    async with desk(settings, "finance") as d, d.database.read() as connection:
        for table in (thread_digests, memory_facts):
            assert await connection.scalar(select(func.count()).select_from(table)) == 1


@pytest.mark.parametrize(("archive_days", "listed"), [(10, ["new"]), (0, ["new", "month"])])
async def test_what_is_old_is_archived_and_what_is_older_deleted(
    tmp_path: Path, archive_days: int, listed: list[str]
) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'd.sqlite'}")
    await database.create()
    keys = SubjectKeys(tmp_path / "audit")
    stores = Stores.of(database, keys)
    who = Principal("li", frozenset())
    for thread, days in (("new", 1), ("month", 30), ("year", 400)):
        await stores.threads.append(thread, who, [Kept(Message("user", thread))])
        async with database.write() as connection:
            at = time.time() - days * DAY_S
            await connection.execute(update(threads).where(threads.c.id == thread).values(at=at))
    for channel in ("gone", "there"):
        await stores.messages.put(channel, Incoming("m", "li", 1.0, text="在吗"), "li", 0.0)
    async with database.write() as connection:
        await connection.execute(update(messages).values(received=time.time() - 400 * DAY_S))
    ages = Ages(365, archive_days)
    work = asyncio.create_task(keep_stores_pruned(stores, ages, ["there"], every_s=60.0))
    for _ in range(1_000):
        if list(await stores.messages.open()) == ["there"]:  # it is looked at last
            break
        await asyncio.sleep(0.02)
    assert list(await stores.messages.open()) == ["there"]
    work.cancel()
    assert [t.id for t in await stores.threads.list(who)] == listed
    archived = [t.id for t in await stores.threads.list(who, archived=True)]
    assert archived == (["month"] if archive_days else [])
    keys.close()
    await database.close()
