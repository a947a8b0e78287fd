"""The engine thread, against a scripted pipeline."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from dazi.core.errors import OperatorError
from dazi.inference.steploop import Job, Step, StepLoop


@dataclass
class Handle:
    """Gives out 1, 2, 3 ... until ``length``; ``config`` may also be ``fail`` or ``ignored``."""

    config: Any
    at: int = 0
    ready: list[Any] = field(default_factory=list)
    status: str = "RUNNING"

    def can_read(self) -> bool:
        return bool(self.ready)

    def read(self) -> dict[int, Any]:
        return {0: self.ready.pop(0)}

    def get_status(self) -> Any:
        return SimpleNamespace(name=self.status)

    def cancel(self) -> None:
        self.status = "CANCEL"


class Pipeline:
    def __init__(self) -> None:
        self.handles: list[Handle] = []
        self.broken = False
        self.threads: set[int] = set()

    def add_request(self, number: int, input_ids: Any, config: Any) -> Handle:
        self.threads.add(threading.get_ident())
        if config == "refuse":
            raise RuntimeError("bad config")
        self.handles.append(Handle(config))
        return self.handles[-1]

    def has_non_finished_requests(self) -> bool:
        return any(h.status == "RUNNING" for h in self.handles)

    def step(self) -> None:
        self.threads.add(threading.get_ident())
        time.sleep(0.001)
        if self.broken or any(h.config == "fail" for h in self.handles):
            self.broken = True
            raise RuntimeError("grammar error")
        for h in self.handles:
            if h.status != "RUNNING":
                continue
            if h.config == "ignored":
                h.status = "IGNORED"
                continue
            h.at += 1
            last = h.at == h.config
            reason = SimpleNamespace(name="LENGTH" if last else "NONE")
            h.ready.append(
                SimpleNamespace(generated_ids=[h.at], generated_log_probs=[], finish_reason=reason)
            )
            h.status = "FINISHED" if last else "RUNNING"


class Opened:
    """Makes pipelines and remembers them."""

    def __init__(self) -> None:
        self.pipelines: list[Pipeline] = []

    def __call__(self) -> Pipeline:
        self.pipelines.append(Pipeline())
        return self.pipelines[-1]


@pytest.fixture
def opened() -> Opened:
    return Opened()


@pytest.fixture
def steps(opened: Opened) -> Any:
    loop = StepLoop(opened(), opened)
    yield loop
    loop.close()


async def collect(job: Job) -> list[Step]:
    out: list[Step] = []
    while not out or not (out[-1].ending or out[-1].error):
        try:
            out.append(await asyncio.wait_for(job.next(), 5))
        except OperatorError as e:
            out.append(Step([], error=e))
    return out


async def test_many_streams_end_with_their_own_tokens(steps: StepLoop, opened: Opened) -> None:
    jobs = [Job(None, n) for n in range(1, 30)]
    for job in jobs:
        steps.add(job)
    for job, got in zip(jobs, await asyncio.gather(*map(collect, jobs)), strict=True):
        assert [i for s in got for i in s.ids] == list(range(1, job.config + 1))
        assert got[-1].ending == "length"
    assert steps.running == 0
    assert opened.pipelines[0].threads.isdisjoint({threading.get_ident()})
    assert len(opened.pipelines[0].threads) == 1


async def test_dropping_cancels_the_request_and_leaves_the_others(
    steps: StepLoop, opened: Opened
) -> None:
    endless, short = Job(None, 10**9), Job(None, 20)
    steps.add(endless)
    steps.add(short)
    await endless.next()
    steps.drop(endless)
    assert (await collect(short))[-1].ending == "length"
    assert opened.pipelines[0].handles[0].status == "CANCEL"
    steps.drop(short)  # a finished one: nothing happens
    assert steps.running == 0


async def test_a_failing_step_fails_the_live_ones_and_the_next_gets_a_new_pipeline(
    steps: StepLoop, opened: Opened
) -> None:
    innocent, guilty = Job(None, 10**9), Job(None, "fail")
    steps.add(innocent)
    await innocent.next()
    steps.add(guilty)
    for job in (innocent, guilty):
        error = (await collect(job))[-1].error
        assert isinstance(error, OperatorError)
        assert error.code == "engine_failed"
    after = Job(None, 3)
    steps.add(after)
    assert (await collect(after))[-1].ending == "length"
    assert len(opened.pipelines) == 2


async def test_a_refused_and_an_ignored_request_end_with_errors(steps: StepLoop) -> None:
    refused, ignored = Job(None, "refuse"), Job(None, "ignored")
    steps.add(refused)
    steps.add(ignored)
    codes = [getattr((await collect(j))[-1].error, "code", "") for j in (refused, ignored)]
    assert codes == ["engine_failed", "engine_cache_full"]


async def test_close_ends_what_is_running_and_refuses_more(opened: Opened) -> None:
    steps = StepLoop(opened(), opened)
    job = Job(None, 10**9)
    steps.add(job)
    await job.next()
    await asyncio.to_thread(steps.close)
    assert getattr((await collect(job))[-1].error, "code", "") == "engine_closed"
    with pytest.raises(OperatorError):
        steps.add(Job(None, 1))
    steps.close()


def test_streams_of_a_loop_that_is_gone_are_dropped(steps: StepLoop) -> None:
    async def begin() -> None:
        job = Job(None, 10**9)
        steps.add(job)
        await job.next()

    asyncio.run(begin())
    deadline = time.monotonic() + 5
    while steps.running and time.monotonic() < deadline:
        time.sleep(0.01)
    assert steps.running == 0
