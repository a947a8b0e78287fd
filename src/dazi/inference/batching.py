"""Requests that come at about the same time, worked on together (dynamic batching).

For models that take many texts at once and are asked for one at a time: embeddings of what people
ask. Who asks while nothing is under way does not wait: the batch is what has come in the same moment.
While one is worked on, the next collects, until it is full or the oldest in it has waited long enough.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from dazi.core.engine import Embedded, Embedder
from dazi.core.errors import CallerError, OverloadError

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class BatchRules:
    """``most`` of one batch; ``wait_s``: the longest that one waits for others while a batch is worked
    on; ``at_once`` batches at most; ``deadline_s``: what a request may take in all."""

    most: int = 32
    wait_s: float = 0.05
    at_once: int = 2
    deadline_s: float = 60.0


@dataclass(eq=False, slots=True)
class _Waiting(Generic[T, R]):
    item: T
    at: float
    given: asyncio.Future[R] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Batcher(Generic[T, R]):
    """``work`` answers a batch, in its order. One event loop."""

    def __init__(
        self, work: Callable[[Sequence[T]], Awaitable[Sequence[R]]], rules: BatchRules | None = None
    ) -> None:
        self._work = work
        self._rules = rules or BatchRules()
        self._waiting: list[_Waiting[T, R]] = []
        self._running: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def ask(self, item: T) -> R:
        """What ``work`` answers for ``item``, or raises. Raises ``OverloadError`` after the deadline."""
        loop = asyncio.get_running_loop()
        waiting: _Waiting[T, R] = _Waiting(item, loop.time())
        self._waiting.append(waiting)
        if len(self._waiting) == 1 or len(self._waiting) >= self._rules.most:
            loop.call_soon(self._look)
        try:
            async with asyncio.timeout(self._rules.deadline_s):
                return await waiting.given
        except TimeoutError:
            raise OverloadError(
                "model_busy",
                f"模型忙,{self._rules.deadline_s:g} 秒内没有轮到;请稍后再试",
                f"the model is busy, and this was not its turn within {self._rules.deadline_s:g} s; "
                "try again later",
            ) from None
        finally:
            if waiting in self._waiting:  # nobody waits for it any more
                self._waiting.remove(waiting)

    async def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _look(self) -> None:
        """Begin what can be begun now, and come back when more can."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        loop, rules = asyncio.get_running_loop(), self._rules
        while self._waiting and len(self._running) < rules.at_once:
            late = self._waiting[0].at + rules.wait_s
            if self._running and len(self._waiting) < rules.most and loop.time() < late:
                self._timer = loop.call_at(late, self._look)
                return
            batch, self._waiting = self._waiting[: rules.most], self._waiting[rules.most :]
            task = asyncio.create_task(self._do(batch))
            self._running.add(task)
            task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._look()

    async def _do(self, batch: Sequence[_Waiting[T, R]]) -> None:
        try:
            await self._answer(batch)
        except CallerError as e:
            # One of them may be wrong: the others shall not be refused for it.
            if len(batch) == 1:
                _fail(batch, e)
                return
            for one in batch:
                await self._do([one])
        except asyncio.CancelledError:
            for one in batch:
                one.given.cancel()
            raise
        except Exception as e:
            _fail(batch, e)

    async def _answer(self, batch: Sequence[_Waiting[T, R]]) -> None:
        answers = await self._work([one.item for one in batch])
        for one, answer in zip(batch, answers, strict=True):
            if not one.given.done():
                one.given.set_result(answer)


def _fail(batch: Sequence[_Waiting[T, R]], error: Exception) -> None:
    for one in batch:
        if not one.given.done():
            one.given.set_exception(error)


class BatchingEmbedder:
    """Implements ``core.engine.Embedder``: single texts of different requests go together; several
    of one request are a batch already."""

    def __init__(self, embedder: Embedder, rules: BatchRules | None = None) -> None:
        self._embedder = embedder
        self._asked = Batcher(self._embed_asked, rules)
        self._read = Batcher(self._embed_read, rules)

    @property
    def name(self) -> str:
        return self._embedder.name

    @property
    def version(self) -> str:
        return self._embedder.version

    async def embed(self, texts: Sequence[str], *, asked: bool = False) -> Embedded:
        if len(texts) != 1:
            return await self._embedder.embed(texts, asked=asked)
        return await (self._asked if asked else self._read).ask(texts[0])

    async def close(self) -> None:
        await self._asked.close()
        await self._read.close()
        await self._embedder.close()

    async def _embed_asked(self, texts: Sequence[str]) -> Sequence[Embedded]:
        return _each(await self._embedder.embed(texts, asked=True))

    async def _embed_read(self, texts: Sequence[str]) -> Sequence[Embedded]:
        return _each(await self._embedder.embed(texts))


def _each(made: Embedded) -> list[Embedded]:
    """One for each text; what they took together is shared out, the rest to the first."""
    share, rest = divmod(made.tokens, len(made.vectors))
    return [Embedded([v], share + (rest if i == 0 else 0)) for i, v in enumerate(made.vectors)]
