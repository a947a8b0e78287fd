"""Two replicas of the real server: one is killed under load; and who has which beginning in its cache."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from dataclasses import dataclass

from bench.production.pools import pooled
from bench.production.vllm import NAME, Replica
from bench.resilience.report import percentile
from bench.tables import Table
from dazi.core.engine import Done, GenerateRequest, Sampling, TextDelta
from dazi.core.errors import DaziError
from dazi.core.messages import Message
from dazi.inference.pool.config import Balance
from dazi.inference.pool.engine import PoolEngine

TOKENS = 48
AT_ONCE = 16


@dataclass(slots=True)
class Ended:
    """``began`` and ``first`` in seconds of the monotonic clock; ``first`` 0: nothing came."""

    began: float
    first: float = 0.0
    over: float = 0.0
    by: str = ""
    error: str = ""


async def killed(pair: list[Replica], scale: float) -> list[Table]:
    """``kill -9`` of one of two while both work. What had not begun to answer must be answered."""
    many = max(40, round(240 * scale))
    ended: list[Ended] = []
    left = iter(range(many))
    killed_at = 0.0
    async with pooled([r.url for r in pair], NAME, balance="least", failures=2) as pool:

        async def one() -> None:
            for n in left:
                ended.append(await _ask(pool, n))

        async def kill() -> None:
            nonlocal killed_at
            while len(ended) < many // 3 or not pool.backends[0].under_way:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            killed_at = time.monotonic()
            pair[0].process.signal(signal.SIGKILL)

        await asyncio.gather(kill(), *(one() for _ in range(AT_ONCE)))
        moved = pool.backends[0].counts.moved
    before = [e for e in ended if e.error and not e.first]
    cut = [e for e in ended if e.error and e.first]
    waiting = [e for e in ended if e.began < killed_at and not 0 < e.first < killed_at]
    again = [e.first - killed_at for e in waiting if not e.error]
    table = Table(
        "vllm_killed",
        "Two vLLM replicas, one killed (-9) under load",
        ("what", "measured"),
        [
            ("requests", len(ended)),
            ("answered whole", sum(not e.error for e in ended)),
            ("waiting for their first token at the kill", len(waiting)),
            ("lost before their first token (bar 0)", len(before)),
            ("moved to the other replica", moved),
            ("cut after their first token, told as an error", len(cut)),
            ("kill to first token of those that waited, p50 s", percentile(again, 0.5)),
            ("the same, worst, s", max(again, default=0.0)),
        ],
        [
            f"{AT_ONCE} at once, {TOKENS} tokens each; each replica has one of this machine's two "
            "cores, which the load shares."
        ],
    )
    assert not before, f"{len(before)} were lost: {before[0].error}"
    return [table]


async def _ask(pool: PoolEngine, n: int) -> Ended:
    request = GenerateRequest(
        (Message("user", f"第{n}个问题:今天怎么样,说说看"),),
        sampling=Sampling(max_tokens=TOKENS, temperature=1.0, seed=n),
    )
    ended = Ended(time.monotonic())
    try:
        async for event in pool.generate(request):
            if isinstance(event, TextDelta) and not ended.first:
                ended.first = time.monotonic()
            elif isinstance(event, Done):
                ended.first = ended.first or time.monotonic()
                ended.by = event.by.backend if event.by else ""
    except DaziError as e:
        ended.error = str(e)
    ended.over = time.monotonic()
    return ended


async def affinity(pair: list[Replica], scale: float) -> list[Table]:
    """Conversations in turn, each with a long beginning of its own. How much of what is sent does a
    replica know already?"""
    threads, turns = max(4, round(24 * scale)), 5
    table = Table(
        "vllm_affinity",
        "Prompt tokens found in a replica's cache: two replicas, conversations in turn",
        (
            "balance",
            "requests",
            "prompt tokens",
            "from the cache",
            "share",
            "replica's share of requests",
        ),
        notes=[
            f"{threads} conversations of {turns} turns, a turn of each in an order of chance, 4 at once; "
            "counts by vLLM's own usage, in blocks of 128 tokens. The first turn of each can find nothing."
        ],
    )
    balances: tuple[Balance, ...] = ("prefix", "least", "round-robin")
    for balance in balances:
        async with pooled([r.url for r in pair], NAME, balance=balance) as pool:
            talks = {n: [_opening(balance, n)] for n in range(threads)}
            draw = random.Random(3)
            for turn in range(turns):
                gate = asyncio.Semaphore(4)
                order = draw.sample(range(threads), threads)
                await asyncio.gather(*(_turn(pool, talks[n], turn, gate) for n in order))
            counts = [b.counts for b in pool.backends]
            prompt = sum(c.prompt_tokens for c in counts)
            cached = sum(c.cached_tokens for c in counts)
            served = [c.served for c in counts]
            spread = " : ".join(f"{s / sum(served):.0%}" for s in served)
            table.rows.append(
                (balance, sum(served), prompt, cached, f"{cached / prompt:.1%}", spread)
            )
    return [table]


def _opening(salt: str, n: int) -> Message:
    text = "。".join(
        f"{salt} 第{n}位客户的第{i}条备注:订单 ORD{n:02}{i:03} 已核对" for i in range(36)
    )
    return Message("user", f"{text}。请问进展如何?")


async def _turn(pool: PoolEngine, talk: list[Message], turn: int, gate: asyncio.Semaphore) -> None:
    said = ""
    request = GenerateRequest(tuple(talk), sampling=Sampling(max_tokens=16, seed=turn))
    async with gate:
        async for event in pool.generate(request):
            if isinstance(event, TextDelta):
                said += event.text
    talk += [Message("assistant", said or "好"), Message("user", f"第{turn}次追问:还有呢?")]
