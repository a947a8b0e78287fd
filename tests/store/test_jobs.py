"""Jobs outlive whoever works on them, are done once, and are their owners' alone."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text, update

from dazi.audit.keys import SubjectKeys
from dazi.audit.private import Private
from dazi.core.errors import AccessError, CallerError, ConnectorError, NotFound
from dazi.core.language import Text
from dazi.core.principal import Principal
from dazi.main.database import declare_tables
from dazi.store.database import Database
from dazi.store.jobs import schedules as schedules_module
from dazi.store.jobs import work as work_module
from dazi.store.jobs.model import Claim, Job, JobLimits, Lost, NewJob
from dazi.store.jobs.records import JobStore
from dazi.store.jobs.schedules import ScheduleStore
from dazi.store.jobs.service import JobService
from dazi.store.jobs.tables import job_schedules, jobs
from dazi.store.jobs.work import Kind, Run, Workers

LI, WANG = (Principal(user, frozenset({"staff"}), channel="web") for user in ("li", "wang"))
ELSEWHERE = Principal("li", frozenset({"staff"}), tenant="other")
KINDS = {"k": 3, "other": 3}
Work = Callable[[Run], Awaitable[Any]]


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    declare_tables()
    made = Database(url)
    await made.create()
    yield made
    await made.close()


@pytest.fixture
async def store(database: Database, tmp_path: Path) -> AsyncIterator[JobStore]:
    keys = SubjectKeys(tmp_path / "audit")
    yield JobStore(database, Private(keys))
    keys.close()


async def put(store: JobStore, who: Principal = LI, kind: str = "k", **more: Any) -> Job:
    return await store.put(who, NewJob(kind, "合同 蓝莓", {"file": "机密.pdf"}, **more))


async def claim(store: JobStore, lease_s: float = 30.0) -> Claim:
    found = await store.claim(KINDS, lease_s)
    assert found is not None
    return found


async def passed(arguments: Any) -> Any:
    return arguments


def kind(work: Work, **more: Any) -> dict[str, Kind]:
    async def check(_: Principal, arguments: Any) -> Any:
        return arguments

    return {"k": Kind("k", Text("活", "work"), check, work, **more)}


def workers(store: JobStore, work: Work, *, lease_s: float = 30.0, **more: Any) -> Workers:
    given = {"who": lambda job: LI, "poll_s": 0.05}
    given |= {k: more.pop(k) for k in ("who", "poll_s", "places", "told") if k in more}
    return Workers(store, kind(work, **more), lease_s=lease_s, **given)


async def until(store: JobStore, id: str, *states: str) -> Job:
    for _ in range(1_500):
        job = await store.get(id, LI)
        if job.state in states:
            return job
        await asyncio.sleep(0.02)
    raise AssertionError(f"{job.state}: {job.error}")


# --- whose it is ---------------------------------------------------------------------------------


async def test_a_job_is_its_owners(store: JobStore) -> None:
    job = await put(store, batch="b")
    for who in (WANG, ELSEWHERE):
        for asked in (
            store.get(job.id, who), store.cancel(job.id, who), store.retry(job.id, who),
            store.delete(job.id, who), store.file(job.id, "f", who), store.list(who, after=job.id),
        ):  # fmt: skip
            with pytest.raises(NotFound):
                await asked
        assert await store.list(who) == [] and await store.counts(who, "b") == {}
    assert [j.id for j in await store.list(LI)] == [job.id]


async def test_what_is_personal_is_sealed(store: JobStore, database: Database) -> None:
    await put(store)
    held = await claim(store)
    await store.put_step(held, "s", {"found": "机密"})
    await store.put_file(held, "机密.txt", "text/plain", "机密".encode())
    await store.fail(held, work_module.Failure("x", Text("机密", "机密")))
    async with database.read() as connection:
        for table in ("jobs", "job_steps", "job_files"):
            for row in (await connection.execute(text(f"SELECT * FROM {table}"))).mappings():
                shown = {k: v for k, v in row.items() if (table, k) != ("job_files", "name")}
                assert "机密" not in repr(shown) and "蓝莓" not in repr(shown), table
    job = await store.get(held.job.id, LI)
    assert job.title == "合同 蓝莓" and job.error is not None and job.error.text.zh == "机密"
    assert (await store.file(job.id, "机密.txt", LI))[1].decode() == "机密"


async def test_pages_and_filters(store: JobStore) -> None:
    made = [(await put(store, batch=f"b{n % 2}")).id for n in range(5)]
    seen: list[str] = []
    while page := await store.list(LI, limit=2, after=seen[-1] if seen else ""):
        seen += [j.id for j in page]
    assert sorted(seen) == sorted(made)
    assert len(await store.list(LI, batch="b0")) == 3
    assert await store.counts(LI, "b0") == {"queued": 3}
    assert await store.list(LI, ("running",)) == []
    await claim(store)
    assert len(await store.list(LI, ("running",))) == 1
    assert await store.list(LI, kind="other") == []


async def test_the_same_key_is_the_same_job(store: JobStore) -> None:
    first = await put(store, key="a")
    assert (await put(store, key="a")).id == first.id
    assert (await put(store, WANG, key="a")).id != first.id
    assert (await put(store, kind="other", key="a")).id != first.id
    held = await claim(store)
    await store.fail(held, work_module.Failure("x", Text("x", "x")))
    again = await put(store, key="a")
    assert (again.id, again.state, again.attempts) == (first.id, "queued", 0)
    several = await asyncio.gather(*(put(store, key="b") for _ in range(5)))
    assert len({j.id for j in several}) == 1


async def test_cancel_retry_and_delete(store: JobStore) -> None:
    job = await put(store)
    with pytest.raises(CallerError, match="not over"):
        await store.delete(job.id, LI)
    assert (await store.cancel(job.id, LI)).state == "cancelled"
    with pytest.raises(CallerError, match="over"):
        await store.cancel(job.id, LI)
    assert await store.claim(KINDS, 30.0) is None
    assert (await store.retry(job.id, LI)).state == "queued"
    held = await claim(store)
    assert (await store.cancel(job.id, LI)).stopping
    assert not await store.beat(held, 30.0) and await store.stopping(held)
    await store.cancelled(held)
    await store.delete(job.id, LI)
    assert await store.list(LI) == []


# --- who works on it -----------------------------------------------------------------------------


async def test_one_worker_at_a_time(store: JobStore) -> None:
    await put(store)
    found = await asyncio.gather(*(store.claim(KINDS, 30.0) for _ in range(6)))
    assert len([f for f in found if f is not None]) == 1


async def test_a_silent_worker_loses_its_job_and_can_write_nothing(store: JobStore) -> None:
    job = await put(store)
    first = await claim(store, lease_s=0.0)
    await store.put_step(first, "s", 1)
    second = await claim(store)
    assert second.job.id == job.id and second.job.attempts == 2
    assert await store.step(second, "s") == (1,)
    for late in (
        store.beat(first, 30.0), store.stopping(first), store.put_step(first, "s", 2),
        store.put_file(first, "f", "t", b""), store.finish(first, 1), store.give_back(first),
        store.fail(first, work_module.Failure("x", Text("x", "x"))), store.cancelled(first),
    ):  # fmt: skip
        with pytest.raises(Lost):
            await late
    await store.finish(second, "done")
    assert (await store.get(job.id, LI)).result == "done"


async def test_what_kills_its_workers_is_not_tried_for_ever(store: JobStore) -> None:
    job = await put(store)
    for _ in range(3):
        assert await store.claim(KINDS, 0.0) is not None
    assert await store.claim(KINDS, 0.0) is None
    failed = await store.get(job.id, LI)
    assert failed.state == "failed" and failed.error is not None and failed.error.code == "lost"


async def test_nobodys_hundreds_hold_up_another(store: JobStore) -> None:
    for _ in range(20):
        await put(store)
    late = await put(store, WANG)
    await claim(store)
    assert (await claim(store)).job.id == late.id


async def test_what_is_due_later_waits(store: JobStore) -> None:
    await put(store, due=time.time() + 60)
    assert await store.claim(KINDS, 30.0) is None


async def test_progress_is_seen_and_a_step_is_done_once(store: JobStore) -> None:
    done: list[str] = []
    seen: list[tuple[str, float]] = []

    async def work(run: Run) -> Any:
        async def parse() -> list[int]:
            done.append("parse")
            return [1, 2]

        pages = await run.step("parse", parse, list[int])
        run.report(Text("核对", "Checking"), 0.5)
        await asyncio.sleep(0.8)
        if run.job.attempts == 1:
            raise ConnectorError("unavailable", "系统不可用", "unavailable")
        await run.put_file("a.txt", "text/plain", b"12")
        return {"pages": pages, "who": run.principal.user, "given": run.arguments}

    job = await put(store)
    group = workers(store, work)
    working = asyncio.create_task(group.run())
    for _ in range(300):
        now = await store.get(job.id, LI)
        if now.fraction:
            seen.append((now.step.en, now.fraction))
            assert now.left_s() is not None
            break
        await asyncio.sleep(0.02)
    assert seen == [("Checking", 0.5)]
    waiting = await until(store, job.id, "queued")
    assert waiting.error is not None and waiting.due > time.time()
    async with store._database.write() as connection:
        await connection.execute(update(jobs).values(due=0.0))
    over = await until(store, job.id, "done", "failed")
    working.cancel()
    assert over.result == {"pages": [1, 2], "who": "li", "given": {"file": "机密.pdf"}}
    assert done == ["parse"] and over.fraction == 1.0 and over.attempts == 2
    assert [(f.name, f.size) for f in over.files] == [("a.txt", 2)]
    assert await store.step(Claim(over, ""), "parse") is None  # nothing is left of it


@pytest.mark.parametrize(
    ("raised", "tries", "code"),
    [
        (CallerError("bad_file", "坏的", "broken"), 1, "bad_file"),
        (
            ConnectorError("unavailable", "不可用", "unavailable", effect_possible=True),
            1,
            "unavailable",
        ),
        (ConnectorError("unavailable", "不可用", "unavailable"), 3, "unavailable"),
        (ValueError("bug"), 3, "unexpected"),
    ],
)
async def test_only_what_may_pass_is_tried_again(
    store: JobStore, monkeypatch: pytest.MonkeyPatch, raised: Exception, tries: int, code: str
) -> None:
    monkeypatch.setattr(work_module, "FIRST_RETRY_S", 0.0)

    async def work(run: Run) -> None:
        raise raised

    job = await put(store)
    await workers(store, work).drain()
    over = await store.get(job.id, LI)
    assert (over.state, over.attempts) == ("failed", tries)
    assert over.error is not None and over.error.code == code
    assert "bug" not in over.error.text.en


async def test_who_is_gone_has_nothing_done_for_them(store: JobStore) -> None:
    began: list[str] = []

    async def work(run: Run) -> None:
        began.append(run.job.id)

    def nobody(job: Job) -> Principal:
        raise AccessError("unknown_user", "没有用户", "no user")

    job = await put(store)
    await workers(store, work, who=nobody).drain()
    over = await store.get(job.id, LI)
    assert over.state == "failed" and not began and over.error is not None
    assert over.error.code == "unknown_user"


async def test_a_cancelled_job_ends_and_cleans_up(store: JobStore) -> None:
    cleaned: list[bool] = []

    async def work(run: Run) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            cleaned.append(True)

    job = await put(store)
    working = asyncio.create_task(workers(store, work).run())
    await until(store, job.id, "running")
    await store.cancel(job.id, LI)
    await until(store, job.id, "cancelled")
    working.cancel()
    assert cleaned == [True]


async def test_what_takes_too_long_ends(store: JobStore) -> None:
    async def work(run: Run) -> None:
        await asyncio.sleep(60)

    job = await put(store)
    await workers(store, work, seconds=0.3).drain()
    over = await store.get(job.id, LI)
    assert over.state == "failed" and over.error is not None and over.error.code == "timeout"


async def test_a_worker_that_goes_gives_its_job_back(store: JobStore) -> None:
    async def work(run: Run) -> None:
        await asyncio.sleep(60)

    job = await put(store)
    working = asyncio.create_task(workers(store, work).run())
    await until(store, job.id, "running")
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    back = await store.get(job.id, LI)
    assert (back.state, back.attempts) == ("queued", 0)


async def test_calculations_run_in_another_process_and_may_die_there(
    store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work_module, "FIRST_RETRY_S", 0.0)

    async def work(run: Run) -> Any:
        if run.job.attempts == 1:
            await run.compute(os._exit, 3)
        return [await run.compute(os.getpid), await run.compute(divmod, 7, 2)]

    job = await put(store)
    await workers(store, work).drain()
    over = await store.get(job.id, LI)
    assert over.state == "done" and over.attempts == 2
    assert over.result[0] != os.getpid() and over.result[1] == [3, 1]


WORKER = """
import asyncio, sys
from pathlib import Path
from dazi.audit.keys import SubjectKeys
from dazi.audit.private import Private
from dazi.core.language import Text
from dazi.core.principal import Principal
from dazi.main.database import declare_tables
from dazi.store.database import Database
from dazi.store.jobs.records import JobStore
from dazi.store.jobs.work import Kind, Workers

url, folder, done = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
declare_tables()

async def check(principal, arguments):
    return arguments

async def work(run):
    async def line(n):
        with done.open("a") as file:
            file.write(f"{run.job.id} {n}\\n")
        await asyncio.sleep(0.02)
    for n in range(10):
        await run.step(f"s{n}", lambda: line(n), object)
    return "all"

async def main():
    store = JobStore(Database(url), Private(SubjectKeys(folder)))
    kinds = {"k": Kind("k", Text("k", "k"), check, work, attempts=50)}
    who = Principal("li", frozenset())
    await Workers(store, kinds, lambda job: who, places=2, lease_s=1.0, poll_s=0.1).run()

asyncio.run(main())
"""


async def test_killed_again_and_again_every_job_is_done_and_no_kept_step_twice(
    store: JobStore, url: str, tmp_path: Path
) -> None:
    count, done = 12, tmp_path / "done.txt"
    done.touch()
    made = [(await put(store, batch="b")).id for _ in range(count)]
    arguments = [sys.executable, "-c", WORKER, url, str(tmp_path / "audit"), str(done)]
    kills = 0
    try:
        while (await store.counts(LI, "b")).get("done", 0) < count:
            before = len(done.read_text().splitlines())
            process = await asyncio.create_subprocess_exec(*arguments)
            ends = time.monotonic() + 30
            while len(done.read_text().splitlines()) < before + 25 and time.monotonic() < ends:
                await asyncio.sleep(0.02)
                if (await store.counts(LI, "b")).get("done", 0) == count:
                    break
            process.kill()
            await process.wait()
            kills += 1
            assert kills < 30
    finally:
        if process.returncode is None:
            process.kill()
    lines = done.read_text().splitlines()
    wanted = {f"{id} {n}" for id in made for n in range(10)}
    assert set(lines) == wanted and kills >= 3
    # Only what was under way when it was killed is done again: two places, so two a kill.
    assert len(lines) - len(wanted) <= 2 * kills
    for id in made:
        assert (await store.get(id, LI)).result == "all"


# --- coming again --------------------------------------------------------------------------------


@pytest.fixture
def schedules(database: Database, store: JobStore) -> ScheduleStore:
    return ScheduleStore(database, store._sealer)


async def test_a_schedule_puts_one_job_an_hour_whoever_looks(
    store: JobStore, schedules: ScheduleStore
) -> None:
    made = await schedules.put(LI, "k", "周报", {"a": 1}, "0 8 * * 1")
    assert made.due > time.time() and await schedules.put_due(store) == 0
    async with store._database.write() as connection:  # three weeks without anybody looking
        past = made.due - 3 * 7 * 86_400
        await connection.execute(update(job_schedules).values(due=past))
    await asyncio.gather(*(schedules.put_due(store) for _ in range(4)))
    (job,) = await store.list(LI)
    now = await schedules.get(made.id, LI)
    assert (job.title, now.last, now.due) == ("周报", job.id, made.due)
    held = await claim(store)
    assert held.job.arguments == {"a": 1}


async def test_whose_jobs_are_full_holds_up_nobody_elses_schedule(
    store: JobStore, schedules: ScheduleStore
) -> None:
    small = JobStore(store._database, store._sealer, JobLimits(waiting=1))
    await put(small, LI)
    mine = await schedules.put(LI, "k", "满了", {}, "0 8 * * 1")
    theirs = await schedules.put(WANG, "k", "周报", {}, "0 8 * * 1")
    async with store._database.write() as connection:
        await connection.execute(update(job_schedules).values(due=1.0))
    assert await schedules.put_due(small) == 2
    assert [j.title for j in await store.list(WANG)] == ["周报"]
    assert len(await store.list(LI)) == 1
    assert (await schedules.get(mine.id, LI)).due > time.time()
    assert (await schedules.get(theirs.id, WANG)).last


async def test_a_schedule_is_its_owners_to_change(
    store: JobStore, schedules: ScheduleStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await schedules.put(LI, "k", "周报", {}, "0 8 * * 1")
    for asked in (
        schedules.get(made.id, WANG), schedules.change(made.id, WANG, enabled=False),
        schedules.remove(made.id, WANG), schedules.get(made.id, ELSEWHERE),
    ):  # fmt: skip
        with pytest.raises(NotFound):
            await asked
    off = await schedules.change(made.id, LI, enabled=False, cron="30 9 1 * *")
    assert not off.enabled and off.cron == "30 9 1 * *"
    async with store._database.write() as connection:
        await connection.execute(update(job_schedules).values(due=1.0))
    assert await schedules.put_due(store) == 0
    assert (await schedules.change(made.id, LI, enabled=True)).due > time.time()
    for wrong in ("", "every monday", "61 8 * * 1", "* * * *"):
        with pytest.raises(CallerError, match="cron"):
            await schedules.put(LI, "k", "x", {}, wrong)
    monkeypatch.setattr(schedules_module, "MOST", 1)
    with pytest.raises(CallerError, match="which is all"):
        await schedules.put(LI, "k", "x", {}, "0 8 * * 1")
    await schedules.remove(made.id, LI)
    assert await schedules.list(LI) == []


# --- the service ---------------------------------------------------------------------------------


async def test_what_is_begun_is_checked_first(store: JobStore, schedules: ScheduleStore) -> None:
    async def work(run: Run) -> Any:
        return run.arguments

    async def check(principal: Principal, arguments: Any) -> Any:
        if "file" not in arguments:
            raise CallerError("file", "没有文件", "there is no file")
        return {"file": arguments["file"]}

    kinds = {"k": Kind("k", Text("活", "work"), check, work)}
    group = Workers(store, kinds, lambda job: LI)
    service = JobService(store, schedules, kinds, group)
    with pytest.raises(NotFound, match="there are: k"):
        await service.begin(LI, "other", {})
    with pytest.raises(CallerError, match="no file"):
        await service.begin(LI, "k", {})
    with pytest.raises(CallerError, match="no file"):
        await service.schedule(LI, "k", {}, "0 8 * * 1")
    working = asyncio.create_task(group.run())
    job = await service.begin(LI, "k", {"file": "a", "more": 1}, language="en")
    over = await until(store, job.id, "done")
    working.cancel()
    assert over.title == "work" and over.result == {"file": "a"}


async def test_erasing_and_keeping_for_so_long(store: JobStore, schedules: ScheduleStore) -> None:
    old, new = await put(store), await put(store)
    theirs = await put(store, WANG)
    await schedules.put(LI, "k", "x", {}, "0 8 * * 1")
    for _ in (old, new):
        held = await claim(store)
        await store.put_file(held, "f", "t", b"x")
        await store.finish(held, 1)
    async with store._database.write() as connection:
        await connection.execute(update(jobs).where(jobs.c.id == old.id).values(ended=5.0))
    assert await store.prune(10.0) == 1
    assert [j.id for j in await store.list(LI)] == [new.id]
    assert await store.forget("li") == 1 and await schedules.forget("li") == 1
    assert [j.id for j in await store.list(WANG)] == [theirs.id]
    async with store._database.read() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM job_files"))).scalar() == 0
