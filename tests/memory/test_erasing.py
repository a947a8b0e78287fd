"""Whoever is erased leaves no digest and no fact behind."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import func, select

from dazi.core.messages import Message
from dazi.main.accounts import desk
from dazi.main.erasing import erase
from dazi.main.settings import Settings, demo_folder
from dazi.memory.digests import Digest, DigestStore
from dazi.memory.events import Event
from dazi.memory.facts import FactStore, memory_facts
from dazi.memory.threads import Kept, ThreadStore, thread_digests


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
