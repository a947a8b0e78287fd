"""A thousand people at once: each message answered once, each person's in the order they wrote."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from pathlib import Path

import aiohttp
from sqlalchemy import insert

from dazi.access.accounts import Account, _row, accounts
from dazi.core.engine import GenerateRequest
from dazi.core.language import Text
from tests.gateway.channels.conftest import CALLBACK, Both, working

PEOPLE, TALKATIVE = 1000, 25


async def known(both: Both) -> list[str]:
    """A thousand employees, entered at once; what WeCom calls them is their number."""
    numbers = [f"N{i:04}" for i in range(PEOPLE)]
    staff = frozenset({"staff"})
    made = [Account(n.lower(), Text(n, n), staff, attributes={"employee_id": n}) for n in numbers]
    async with both.site.runtime.access.changes.write() as change:
        rows = [_row(account) | {"version": change.version} for account in made]
        await change.connection.execute(insert(accounts), rows)
    return numbers


def echo(request: GenerateRequest) -> str:
    said = next(m.content for m in reversed(request.messages) if m.role == "user")
    return f"收到:{said}。"


async def test_each_message_is_answered_once_and_in_order(tmp_path: Path, seeded: Path) -> None:
    chance = random.Random(7)
    async with working(tmp_path, seeded, wait=1500) as both:
        both.site.engine.script, both.site.engine._replies = echo, None
        people = await known(both)
        now, began = time.time(), time.process_time()
        said = {p: [f"第一件事{p}"] for p in people}
        for p in people[:TALKATIVE]:
            said[p] += [f"第二件事{p}", f"第三件事{p}"]
        calls: list[tuple[str, bytes]] = []
        for person, lines in said.items():
            own = [
                both.wecom.callback(both.wecom.said(person, line, now - 10 + i))
                for i, line in enumerate(lines)
            ]
            chance.shuffle(own)  # out of order, but near each other
            for one in own:
                calls += [one] * chance.choice((1, 1, 1, 2))
        gate = asyncio.Semaphore(64)
        url = both.site.url + CALLBACK.format("wecom")

        async def deliver(session: aiohttp.ClientSession, query: str, body: bytes) -> int:
            """As the vendor does: again, where it was not acknowledged."""
            for again in range(20):
                async with gate, session.post(f"{url}?{query}", data=body) as answer:
                    if answer.status == 200:
                        return again
                await asyncio.sleep(0.2)
            raise AssertionError("never acknowledged")

        async with aiohttp.ClientSession() as session:
            refused = Counter(await asyncio.gather(*(deliver(session, q, b) for q, b in calls)))
        wanted = PEOPLE + 2 * TALKATIVE
        await both.wecom.until(lambda: len(both.wecom.sent) >= wanted, 300)
        await both.quiet()
        print(f"{time.process_time() - began:.1f} s of processor")
        assert len(both.wecom.sent) == wanted
        assert len(both.site.engine.requests) == wanted
        late = 0
        for person, lines in said.items():
            heard = [t.split("。")[0] for t in both.wecom.texts(person)]
            assert sorted(heard) == sorted(f"收到:{line}" for line in lines)
            late += heard != [f"收到:{line}" for line in lines]
        # A message that comes later than the bounded wait is answered after the others.
        assert late <= refused.total() - refused[0]
