"""Those who work on jobs: claim one, keep it while it runs, take up what others left behind."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, ParamSpec, TypeVar

import msgspec

from dazi.core.errors import ConnectorError, DaziError, OverloadError
from dazi.core.language import Text
from dazi.core.principal import Principal
from dazi.store.jobs.model import Claim, Failure, Job, Lost
from dazi.store.jobs.records import JobStore

Told = Callable[[Job, str], Awaitable[None]]
P = ParamSpec("P")
T = TypeVar("T")

LEASE_S = 30.0
"""A worker that is silent for so long has lost its job."""
POLL_S = 1.0
"""How often to look for jobs that other processes have put."""
FIRST_RETRY_S, LONGEST_RETRY_S = 5.0, 600.0
LOOK_S = 0.5
"""How often progress is written, and a cancelled job noticed."""
TASKS_A_PROCESS = 20
"""After so many calculations a process is replaced, with what memory it held."""
TOO_LONG = Text("超过了时限 {s} 秒", "it took longer than the {s} s it may take")
UNEXPECTED = Text(
    "出了意外的错误,已记录;可以重试,再出现请联系管理员",
    "something unexpected went wrong and was logged; try again, and tell the administrator if it "
    "goes on",
)

log = logging.getLogger("dazi.jobs")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of job. ``check`` refuses, before it is put, what its work could not begin with or the
    principal may not have done, and gives the arguments as they are kept. ``work`` gives the result,
    which is kept as JSON. ``attempts``: how often it is tried at the most; ``seconds``: how long one
    try may take."""

    name: str
    title: Text
    check: Callable[[Principal, Any], Awaitable[Any]]
    work: Callable[[Run], Awaitable[Any]]
    attempts: int = 3
    seconds: float = 3_600.0


class Kinds(Mapping[str, Kind]):
    """Kinds by their names, made when the first is looked for: what they work with takes long to load,
    and most processes never have a job."""

    def __init__(self, make: Callable[[], Mapping[str, Kind]]) -> None:
        self._make = make

    @cached_property
    def _made(self) -> Mapping[str, Kind]:
        return self._make()

    def __getitem__(self, name: str) -> Kind:
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)


class Run:
    """One try of a job, as its work sees it."""

    def __init__(self, claim: Claim, store: JobStore, pool: Pool, principal: Principal) -> None:
        self._claim, self._store, self._pool = claim, store, pool
        self.principal = principal
        self.told: Text | None = None
        self.fraction = 0.0

    @property
    def job(self) -> Job:
        return self._claim.job

    @property
    def arguments(self) -> Any:
        return self._claim.job.arguments

    async def step(self, name: str, work: Callable[[], Awaitable[T]], type: type[T]) -> T:
        """What ``work`` gives, kept: a later try of the job does not do it again. A step that broke
        off before it was kept is done again, so what it does must bear that."""
        done = await self._store.step(self._claim, name)
        if done is not None:
            return msgspec.convert(done[0], type)
        result = await work()
        await self._store.put_step(self._claim, name, msgspec.to_builtins(result))
        return result

    def report(self, step: Text, fraction: float) -> None:
        """How far it is, 0 to 1. Costs nothing: it is written now and then."""
        self.told, self.fraction = step, min(max(fraction, 0.0), 1.0)

    async def file(self, name: str) -> bytes:
        """What the job was put with, or an earlier step kept. Raises ``NotFound``."""
        return await self._store.given_file(self._claim, name)

    async def put_file(self, name: str, type: str, data: bytes) -> None:
        await self._store.put_file(self._claim, name, type, data)

    async def compute(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run what keeps a processor busy in another process, so that nobody waits for it here.
        ``work`` is a function of a module; it and all it is given can be pickled."""
        return await self._pool.run(work, *args, **kwargs)


class Pool:
    """Processes for calculations, begun when the first is wanted. They run at a low priority."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._executor: ProcessPoolExecutor | None = None

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Raises ``ConnectorError`` where the process died (of too little memory, for one)."""
        loop = asyncio.get_running_loop()
        if self._executor is None:
            self._executor = ProcessPoolExecutor(
                self._places,
                # Not forked: this process has threads, an engine and databases open.
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_begin,
                max_tasks_per_child=TASKS_A_PROCESS,
            )
        executor = self._executor
        try:
            return await loop.run_in_executor(executor, partial(work, *args, **kwargs))
        except BrokenProcessPool as e:
            if self._executor is executor:
                self._executor = None
                executor.shutdown(wait=False, cancel_futures=True)
            raise ConnectorError(
                "unavailable",
                "计算进程中断了(可能内存不足)",
                "the calculating process broke off (out of memory, perhaps)",
            ) from e

    def close(self) -> None:
        if self._executor is not None:
            for process in list((self._executor._processes or {}).values()):
                process.terminate()
            self._executor.shutdown(wait=False, cancel_futures=True)
            self._executor = None


class Workers:
    """``places`` jobs at once in this process. ``who`` gives the person a job is done for, with the
    rights of this moment, and raises ``AccessError`` where there is nobody any more. ``told`` is
    called when a job begins and when it has ended."""

    def __init__(
        self,
        store: JobStore,
        kinds: Mapping[str, Kind],
        who: Callable[[Job], Principal],
        *,
        places: int = 1,
        lease_s: float = LEASE_S,
        poll_s: float = POLL_S,
        told: Told | None = None,
    ) -> None:
        self._store, self._kinds, self._who = store, kinds, who
        self._places, self._lease_s, self._poll_s = places, lease_s, poll_s
        self._told = told
        self._pool = Pool(places)
        self._woken = asyncio.Event()

    @cached_property
    def _attempts(self) -> dict[str, int]:
        return {name: kind.attempts for name, kind in self._kinds.items()}

    def wake(self) -> None:
        """Something was put: look now."""
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled; what runs then is given back for others to go on with. Raises
        ``ConfigError`` for a kind that is declared wrong."""
        _ = self._attempts  # before anything begins
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._places):
                    group.create_task(self._place())
        finally:
            self._pool.close()

    async def drain(self) -> int:
        """Work until nothing is due any more; how many jobs were taken."""
        taken = 0

        async def place() -> None:
            nonlocal taken
            while (claim := await self._store.claim(self._attempts, self._lease_s)) is not None:
                taken += 1
                await self._do(claim)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._places):
                    group.create_task(place())
        finally:
            self._pool.close()
        return taken

    async def _place(self) -> None:
        while True:
            try:
                claim = await self._store.claim(self._attempts, self._lease_s)
            except DaziError:  # the database may come back
                log.exception("no job could be claimed")
                claim = None
            if claim is not None:
                await self._do(claim)
                continue
            self._woken.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._poll_s):
                    await self._woken.wait()

    async def _do(self, claim: Claim) -> None:
        """One try. Never raises but when cancelled."""
        try:
            await self._tell(claim.job, "begun")
            how = await self._tried(claim)
            await self._tell(claim.job, how)
        except Lost:
            log.warning("job %s was taken over by another worker", claim.job.id)
        except asyncio.CancelledError:
            with suppress(Lost, DaziError):
                await asyncio.shield(self._store.give_back(claim))
            raise
        except DaziError:
            log.exception(
                "what became of job %s could not be kept; it is taken up again", claim.job.id
            )

    async def _tried(self, claim: Claim) -> str:
        """How it ended. Raises ``Lost``."""
        kind, store = self._kinds[claim.job.kind], self._store
        try:
            run = Run(claim, store, self._pool, self._who(claim.job))
            result = await self._kept_alive(run, claim, kind)
        except _Stopped:
            await store.cancelled(claim)
            return "cancelled"
        except TimeoutError:
            why = Failure("timeout", _filled(TOO_LONG, s=f"{kind.seconds:g}"))
            await store.fail(claim, why)
            return "failed"
        except Lost:
            raise
        except DaziError as e:
            return await self._failed(claim, Failure(e.code, e.text), passing=is_passing(e))
        except Exception:
            log.exception("job %s (%s) failed", claim.job.id, kind.name)
            return await self._failed(claim, Failure("unexpected", UNEXPECTED), passing=True)
        await store.finish(claim, msgspec.to_builtins(result))
        return "done"

    async def _failed(self, claim: Claim, why: Failure, *, passing: bool) -> str:
        tries = claim.job.attempts
        if not passing or tries >= self._attempts[claim.job.kind]:
            await self._store.fail(claim, why)
            return "failed"
        wait = min(FIRST_RETRY_S * 2 ** (tries - 1), LONGEST_RETRY_S)
        await self._store.fail(claim, why, time.time() + wait)
        return "put off"

    async def _kept_alive(self, run: Run, claim: Claim, kind: Kind) -> Any:
        """The result of the work, while the lease is renewed and progress is written. Raises
        ``_Stopped`` when its owner cancelled it, ``TimeoutError``, ``Lost``, and what the work
        raises."""
        work = asyncio.ensure_future(kind.work(run))
        ends = time.monotonic() + kind.seconds
        keeping = _Keeping(self._store, claim, self._lease_s)
        try:
            while True:
                done, _ = await asyncio.wait([work], timeout=min(LOOK_S, self._lease_s / 6))
                if done:
                    return work.result()
                if time.monotonic() > ends:
                    raise TimeoutError
                if not await keeping.go_on(run):
                    raise _Stopped
        finally:
            if not work.done():
                work.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await work

    async def _tell(self, job: Job, how: str) -> None:
        if self._told is not None:
            await self._told(job, how)


class _Keeping:
    """Renews a lease and writes progress, no oftener than there is something to write."""

    def __init__(self, store: JobStore, claim: Claim, lease_s: float) -> None:
        self._store, self._claim, self._lease_s = store, claim, lease_s
        self._shown: tuple[Text | None, float] = (None, 0.0)
        self._beaten = time.monotonic()

    async def go_on(self, run: Run) -> bool:
        """Raises ``Lost``, also where the database was away for longer than the lease."""
        told, now = (run.told, run.fraction), time.monotonic()
        try:
            if told == self._shown and now - self._beaten < self._lease_s / 3:
                return not await self._store.stopping(self._claim)
            going = await self._store.beat(self._claim, self._lease_s, *told)
        except DaziError:
            if now - self._beaten > self._lease_s:
                raise Lost from None
            return True
        self._shown, self._beaten = told, now
        return going


class _Stopped(Exception):
    """Its owner cancelled the job."""


def is_passing(e: DaziError) -> bool:
    """Whether the same may well go right a little later."""
    return isinstance(e, OverloadError) or (
        isinstance(e, ConnectorError)
        and e.code in ("timeout", "unavailable")
        and not e.effect_possible
    )


def _begin() -> None:
    with suppress(OSError):
        os.nice(10)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Whoever is killed cannot end its processes, and these would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _filled(text: Text, **values: str) -> Text:
    return Text(text.zh.format(**values), text.en.format(**values))
