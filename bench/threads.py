"""What a search of one's own conversations costs: they are sealed, so each message is opened.

    .venv/bin/python bench/threads.py [messages]

Ten searches for a word that only the oldest thread has; how long they take, and the longest time in
which nothing else could run meanwhile.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from dazi.audit.keys import SubjectKeys
from dazi.audit.private import Private
from dazi.core.messages import Message
from dazi.core.principal import Principal
from dazi.memory import thread_search
from dazi.memory.threads import Kept, ThreadStore
from dazi.store.database import Database

WHO = Principal("li", frozenset())
IN_A_THREAD, SEARCHES = 40, 10
SAID = "客户问订单的物流到哪一步了，仓库说昨天下午已经出库，承运商还没有更新轨迹。"


async def fill(store: ThreadStore, messages: int) -> None:
    for n in range(0, messages, IN_A_THREAD):
        word = "蓝莓" if n == 0 else ""
        said = [Kept(Message("user", f"{word}{SAID * 3}{n + i}")) for i in range(IN_A_THREAD)]
        await store.append(f"t{n}", WHO, said)


async def stalled(worst: list[float]) -> None:
    while True:
        began = time.perf_counter()
        await asyncio.sleep(0.001)
        worst[0] = max(worst[0], time.perf_counter() - began)


async def measure(folder: Path, messages: int) -> None:
    keys = SubjectKeys(folder / "audit")
    database = Database(f"sqlite+aiosqlite:///{folder / 'd.sqlite'}")
    await database.create()
    store = ThreadStore(database, Private(keys))
    await fill(store, messages)
    worst, took = [0.0], []
    watching = asyncio.create_task(stalled(worst))
    for _ in range(SEARCHES):
        began, found, after = time.perf_counter(), 0, ""
        while True:
            page = await thread_search.search(store, WHO, "蓝莓", after=after)
            found, after = found + len(page.hits), page.next
            if not after:
                break
        assert found == 1, found
        took.append(time.perf_counter() - began)
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
    per = statistics.median(took) / messages * 1e6
    print(f"{messages} messages: {statistics.median(took) * 1e3:.0f} ms ({per:.0f} us a message)")
    print(f"longest wait of others: {worst[0] * 1e3:.1f} ms")
    await database.close()
    keys.close()


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    with tempfile.TemporaryDirectory() as made:
        asyncio.run(measure(Path(made), count))
