"""Requests that come together are worked on together, and none waits for nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from dazi.core.engine import Embedded
from dazi.core.errors import CallerError, OperatorError, OverloadError
from dazi.inference.batching import Batcher, BatchingEmbedder, BatchRules


class Work:
    """Doubles numbers; ``gate`` holds it up, ``bad`` numbers are refused."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate: asyncio.Event | None = None
        self.bad: set[int] = set()
        self.broken = False
        self.most = self.now = 0

    async def __call__(self, items: Sequence[int]) -> list[int]:
        self.batches.append(list(items))
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            if self.gate is not None:
                await self.gate.wait()
            await asyncio.sleep(0)
            if self.broken:
                raise OperatorError("embedding_server", "坏了", "broken")
            if wrong := self.bad.intersection(items):
                raise CallerError("model_refused", "不行", f"not {wrong}")
            return [2 * i for i in items]
        finally:
            self.now -= 1


async def test_what_comes_in_one_moment_is_one_batch_and_order_is_kept() -> None:
    work = Work()
    batcher: Batcher[int, int] = Batcher(work)
    assert await asyncio.gather(*(batcher.ask(i) for i in range(20))) == [2 * i for i in range(20)]
    assert work.batches == [list(range(20))]


async def test_who_comes_alone_does_not_wait() -> None:
    work = Work()
    batcher: Batcher[int, int] = Batcher(work, BatchRules(wait_s=3600))
    async with asyncio.timeout(20):
        assert await batcher.ask(1) == 2
        assert await batcher.ask(2) == 4
    assert work.batches == [[1], [2]]


async def test_a_batch_is_no_larger_than_it_may_be() -> None:
    work = Work()
    batcher: Batcher[int, int] = Batcher(work, BatchRules(most=8, at_once=1))
    await asyncio.gather(*(batcher.ask(i) for i in range(20)))
    assert [len(b) for b in work.batches] == [8, 8, 4] and work.most == 1


async def test_while_one_is_worked_on_the_next_collects_until_it_has_waited_enough() -> None:
    work = Work()
    work.gate = asyncio.Event()
    batcher: Batcher[int, int] = Batcher(work, BatchRules(most=32, wait_s=0.05, at_once=2))
    tasks = [asyncio.create_task(batcher.ask(0))]
    await asyncio.sleep(0.005)
    for i in range(1, 4):
        tasks.append(asyncio.create_task(batcher.ask(i)))
        await asyncio.sleep(0.001)
    assert work.batches == [[0]]
    async with asyncio.timeout(20):
        while len(work.batches) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    assert work.batches == [[0], [1, 2, 3]], "the wait was over before the first batch was"
    work.gate.set()
    assert await asyncio.gather(*tasks) == [0, 2, 4, 6]


async def test_one_wrong_item_is_refused_alone() -> None:
    work = Work()
    work.bad = {3}
    batcher: Batcher[int, int] = Batcher(work)
    found = await asyncio.gather(*(batcher.ask(i) for i in range(5)), return_exceptions=True)
    assert [f for f in found if not isinstance(f, CallerError)] == [0, 2, 4, 8]
    assert isinstance(found[3], CallerError)


async def test_a_broken_model_is_told_to_all_and_not_asked_again_for_each() -> None:
    work = Work()
    work.broken = True
    batcher: Batcher[int, int] = Batcher(work)
    found = await asyncio.gather(*(batcher.ask(i) for i in range(5)), return_exceptions=True)
    assert all(isinstance(f, OperatorError) for f in found) and len(work.batches) == 1
    work.broken = False
    assert await batcher.ask(1) == 2


async def test_who_leaves_is_left_out_of_the_batch_and_deadlines_hold() -> None:
    work = Work()
    work.gate = asyncio.Event()
    batcher: Batcher[int, int] = Batcher(work, BatchRules(at_once=1, deadline_s=0.05))
    first = asyncio.create_task(batcher.ask(0))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    gone = asyncio.create_task(batcher.ask(1))
    await asyncio.sleep(0)
    gone.cancel()
    with pytest.raises(OverloadError, match=r"0\.05 s"):
        await first
    work.gate.set()
    work.gate = None
    assert await batcher.ask(2) == 4
    assert [1] not in work.batches and all(1 not in b for b in work.batches)
    await batcher.close()


class Vectors:
    name, version = "m", "v1"

    def __init__(self) -> None:
        self.calls: list[tuple[list[str], bool]] = []

    async def embed(self, texts: Sequence[str], *, asked: bool = False) -> Embedded:
        self.calls.append((list(texts), asked))
        return Embedded([[float(len(t)), float(asked)] for t in texts], 10 * len(texts) + 1)

    async def close(self) -> None:
        self.calls.append(([], False))


async def test_questions_of_different_people_are_embedded_together() -> None:
    inner = Vectors()
    embedder = BatchingEmbedder(inner)
    asked = [embedder.embed(["问" * n], asked=True) for n in range(1, 5)]
    read = [embedder.embed(["读" * n]) for n in range(1, 3)]
    found = await asyncio.gather(*asked, *read)
    assert [f.vectors for f in found] == [
        [[1.0, 1.0]], [[2.0, 1.0]], [[3.0, 1.0]], [[4.0, 1.0]], [[1.0, 0.0]], [[2.0, 0.0]],
    ]  # fmt: skip
    assert sum(f.tokens for f in found) == 41 + 21
    assert sorted(len(texts) for texts, _ in inner.calls) == [2, 4]
    many = await embedder.embed(["a", "b"])
    assert len(many.vectors) == 2 and (embedder.name, embedder.version) == ("m", "v1")
    await embedder.close()
    assert inner.calls[-1] == ([], False)
