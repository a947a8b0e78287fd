"""The thread that drives a continuous-batching pipeline for many asyncio streams."""

from __future__ import annotations

import asyncio
import atexit
import itertools
import queue
import threading
from collections import defaultdict, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from dazi.core.errors import OperatorError

Ending = Literal["stop", "length"]
Order = Literal["add", "drop", "end"]


@dataclass(frozen=True, slots=True)
class Step:
    """What one step of the pipeline gave one request; ``ending`` or ``error`` with the last.
    ``logs``: the natural logarithm of each id's probability, where the request asked for it."""

    ids: list[int]
    ending: Ending | None = None
    error: Exception | None = None
    logs: tuple[float, ...] = ()


@dataclass(eq=False, slots=True)
class Job:
    """One request. One task of the loop that made it reads its steps."""

    input_ids: Any
    config: Any
    handle: Any = None
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    _arrived: deque[Step] = field(default_factory=deque)
    _waiter: asyncio.Future[None] | None = None

    async def next(self) -> Step:
        """The next step. Raises the error that ended the request, if one did."""
        if not self._arrived:
            self._waiter = self.loop.create_future()
            await self._waiter
        step = self._arrived.popleft()
        if step.error:
            raise step.error
        return step

    def arrive(self, step: Step) -> None:
        """Hand over a step; to be called on ``loop``."""
        self._arrived.append(step)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class StepLoop:
    """Owns the pipeline: nothing else may touch it.

    An exception inside a step leaves the pipeline unusable for every request in it (seen with
    openvino-genai 2026.4), so all of them fail, and ``open_pipeline`` makes a new one for the next.
    """

    def __init__(self, pipeline: Any, open_pipeline: Callable[[], Any]) -> None:
        self._pipeline = pipeline
        self._open = open_pipeline
        self._inbox: queue.SimpleQueue[tuple[Order, Job | None]] = queue.SimpleQueue()
        self._live: set[Job] = set()
        self._numbers = itertools.count()
        self._closed = False
        self._outbox: queue.SimpleQueue[dict[Job, Step] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="dazi-engine", daemon=True)
        self._courier = threading.Thread(target=self._deliver, name="dazi-engine-out", daemon=True)
        self._thread.start()
        self._courier.start()
        atexit.register(self.close)

    @property
    def running(self) -> int:
        """How many requests are being worked on."""
        return len(self._live)

    def add(self, job: Job) -> None:
        """Begin to work on ``job``. Raises ``OperatorError`` after ``close``."""
        if self._closed:
            raise _closed()
        self._inbox.put(("add", job))

    def drop(self, job: Job) -> None:
        """Stop working on ``job``; what has been computed for it is forgotten."""
        self._inbox.put(("drop", job))

    def close(self) -> None:
        """End the thread; live requests end with an error. Blocks for the current step."""
        self._closed = True
        self._inbox.put(("end", None))
        self._thread.join()
        self._courier.join()
        atexit.unregister(self.close)

    def _run(self) -> None:
        while self._take_orders():
            if not self._busy():
                continue
            try:
                self._pipeline.step()
                self._collect()
            except Exception as e:  # the edge of a foreign library: anything may come out
                self._fail_all(_failed(e))
                self._pipeline = None
        self._fail_all(_closed())
        while not self._inbox.empty():
            order, job = self._inbox.get()
            if order == "add" and job is not None:
                self._outbox.put({job: Step([], error=_closed())})
        with suppress(Exception):  # forget the cancelled requests, so that it can be taken down
            while self._busy():
                self._pipeline.step()
        self._pipeline = None
        self._outbox.put(None)

    def _busy(self) -> bool:
        return self._pipeline is not None and bool(self._pipeline.has_non_finished_requests())

    def _take_orders(self) -> bool:
        """Do what was asked since the last step; sleep when there is nothing to work on."""
        wait = not self._busy()
        while True:
            try:
                order, job = self._inbox.get(block=wait)
            except queue.Empty:
                return True
            wait = False
            if order == "end" or job is None:
                return False
            if order == "add":
                self._add(job)
            elif job in self._live:
                self._live.discard(job)
                job.handle.cancel()

    def _add(self, job: Job) -> None:
        try:
            if self._pipeline is None:
                self._pipeline = self._open()
            job.handle = self._pipeline.add_request(next(self._numbers), job.input_ids, job.config)
        except Exception as e:  # the edge of a foreign library
            self._outbox.put({job: Step([], error=_failed(e))})
            return
        self._live.add(job)

    def _collect(self) -> None:
        steps = {job: step for job in self._live if (step := _read(job.handle))}
        self._live -= {job for job, step in steps.items() if step.ending or step.error}
        self._outbox.put(steps)

    def _deliver(self) -> None:
        """A thread of its own, because waking a loop gives the interpreter away: the next step
        would wait until every stream has dealt with this one (a tenth of the throughput)."""
        while (steps := self._outbox.get()) is not None:
            by_loop: defaultdict[asyncio.AbstractEventLoop, dict[Job, Step]] = defaultdict(dict)
            for job, step in steps.items():
                by_loop[job.loop][job] = step
            for loop, batch in by_loop.items():
                try:
                    loop.call_soon_threadsafe(_hand_over, batch)
                except RuntimeError:  # that loop is closed: nobody is waiting any more
                    for job in batch:
                        self.drop(job)

    def _fail_all(self, error: OperatorError) -> None:
        for job in self._live:
            job.handle.cancel()
        steps = {job: Step([], error=error) for job in self._live}
        self._live.clear()
        self._outbox.put(steps)


def _read(handle: Any) -> Step | None:
    """What a step brought for one request, or ``None``."""
    ids: list[int] = []
    logs: list[float] = []
    reason = "NONE"
    while handle.can_read():
        for output in handle.read().values():
            ids += output.generated_ids
            logs += output.generated_log_probs
            reason = output.finish_reason.name
    if reason != "NONE":
        return Step(ids, ending="length" if reason == "LENGTH" else "stop", logs=tuple(logs))
    status = handle.get_status().name
    if status == "RUNNING":
        return Step(ids, logs=tuple(logs)) if ids else None
    return Step(ids, error=_no_room()) if status == "IGNORED" else Step(ids, ending="stop")


def _hand_over(batch: dict[Job, Step]) -> None:
    for job, step in batch.items():
        job.arrive(step)


def _failed(e: Exception) -> OperatorError:
    return OperatorError(
        "engine_failed",
        f"推理引擎在运行中出错，会为下一个请求重新载入模型：{e}",
        f"The inference engine failed; it loads its model again for the next request: {e}",
    )


def _closed() -> OperatorError:
    return OperatorError(
        "engine_closed", "推理引擎已关闭。", "The inference engine has been closed."
    )


def _no_room() -> OperatorError:
    return OperatorError(
        "engine_cache_full",
        "这个请求放不进 KV 缓存；请调大 cache_gb，或换用更短的上下文。",
        "The request does not fit into the KV cache; raise cache_gb, or use a shorter context.",
    )
