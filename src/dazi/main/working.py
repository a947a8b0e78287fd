"""``dazi jobs``: a person's own jobs and schedules in the terminal, and working on them here."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import typer

from dazi.console.job_texts import STATES
from dazi.core.errors import CallerError, OperatorError
from dazi.core.language import Language, Text
from dazi.core.principal import Principal
from dazi.main import collecting
from dazi.main.accounts import desk
from dazi.main.company import load_company
from dazi.main.jobs import stores_of
from dazi.main.logs import keep_logs
from dazi.main.model_health import looking
from dazi.main.runtime import open_runtime
from dazi.main.settings import Settings
from dazi.main.terminal import principal_of
from dazi.store.jobs.model import OVER, Job, State
from dazi.store.jobs.records import JobStore
from dazi.store.jobs.schedules import Schedule, ScheduleStore
from dazi.store.jobs.service import JobService

NONE = Text("没有任务。", "No jobs.")
NO_SCHEDULES = Text("没有定时任务。", "No schedules.")
LEFT = Text("约剩 {s} 秒", "about {s} s left")
NEXT = Text("下次 {when}", "next {when}")
OFF = Text("已停用", "off")
DELETED = Text("已删除", "deleted")
TAKEN = Text("做了 {n} 个任务。", "{n} jobs were worked on.")
WORKING = Text("正在处理任务;Ctrl+C 停止。", "Working on jobs; Ctrl+C stops.")
LATER = Text(
    "已放入;正在运行的 dazi serve 会处理它,或者 dazi jobs work --until-done",
    "put; a running dazi serve works on it, or dazi jobs work --until-done",
)
EVERY_S = 0.5


@dataclass(frozen=True, slots=True)
class Bench:
    """Somebody's jobs."""

    jobs: JobStore
    schedules: ScheduleStore
    by: Principal


@asynccontextmanager
async def bench(settings: Settings, user: str) -> AsyncIterator[Bench]:
    """Of ``user``, or of the company's first one. Needs no model."""
    company = load_company(settings.company_folder())
    first = next((u.user for u in company.users), "")
    async with desk(settings, user or first) as d:
        jobs, schedules = stores_of(settings, d.database, d.private)
        yield Bench(jobs, schedules, d.by)


async def list_jobs(
    settings: Settings,
    user: str,
    language: Language,
    *,
    states: Sequence[State] = (),
    batch: str = "",
    limit: int = 50,
    json_out: bool = False,
) -> None:
    async with bench(settings, user) as b:
        found = await b.jobs.list(b.by, states, batch=batch, limit=limit)
    if json_out:
        print_json([as_dict(j, language) for j in found])
        return
    for job in found:
        typer.echo(line(job, language))
    if not found:
        typer.echo(NONE(language))


async def show_job(
    settings: Settings, user: str, id: str, language: Language, *, follow: bool, json_out: bool
) -> None:
    """``follow``: until it is over, a line whenever something changes."""
    async with bench(settings, user) as b:
        shown = ""
        while True:
            job = await b.jobs.get(id, b.by)
            told = line(job, language)
            if follow and not json_out and told != shown:
                typer.echo(told)
                shown = told
            if not follow or job.state in OVER:
                break
            await asyncio.sleep(EVERY_S)
    if json_out:
        print_json(as_dict(job, language))
    else:
        tell_end(job, language, head=not follow)


async def begin_job(
    settings: Settings,
    user: str,
    kind: str,
    given: Mapping[str, Any],
    language: Language,
    *,
    work: bool,
    json_out: bool,
) -> None:
    """``work``: do it here, and show how far it is."""
    async with _running(settings, user) as (service, by):
        job = await service.begin(by, kind, given, language=language)
        if work:
            job = await worked(service, by, job, language, quiet=json_out)
    if json_out:
        print_json(as_dict(job, language))
    elif work:
        tell_end(job, language, head=False)
    else:
        typer.echo(line(job, language))
        typer.echo(LATER(language))


async def worked(
    service: JobService, by: Principal, job: Job, language: Language, *, quiet: bool = False
) -> Job:
    """``job`` once it is over, done by the workers of this process."""
    assert service.workers is not None
    working = asyncio.create_task(service.workers.run())
    shown = ""
    try:
        while (job := await service.store.get(job.id, by)).state not in OVER:
            told = line(job, language)
            if not quiet and told != shown:
                typer.echo(told, err=True)
                shown = told
            await asyncio.wait([working], timeout=EVERY_S)
            if working.done():
                working.result()
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    return job


async def work_on_jobs(settings: Settings, language: Language, *, until_done: bool) -> None:
    """Everybody's jobs, those that are due by their schedules as well."""
    runtime = await open_runtime(settings)
    keep_logs(runtime)
    try:
        assert runtime.jobs is not None and runtime.jobs.workers is not None
        if until_done:
            await runtime.jobs.schedules.put_due(runtime.jobs.store)
            typer.echo(TAKEN(language).format(n=await runtime.jobs.workers.drain()))
            return
        typer.echo(WORKING(language), err=True)
        collecting.lasting()
        works = [runtime.jobs.keep_scheduled(), runtime.jobs.workers.run()]
        works += looking(runtime)
        await _until_stopped(*works)
    finally:
        await runtime.close()


async def _until_stopped(*works: Coroutine[Any, Any, None]) -> None:
    """Until SIGTERM, at which jobs under way are given back for others to go on with. The first
    process of a container would not even end by it if nobody listened."""

    async def all_of_them() -> None:
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(work)

    working = asyncio.create_task(all_of_them())
    told = False

    def stop() -> None:
        nonlocal told
        told = True
        working.cancel()

    with suppress(NotImplementedError):  # Windows
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop)
    try:
        await working
    except asyncio.CancelledError:
        if not told:
            raise


async def cancel_job(settings: Settings, user: str, id: str, language: Language) -> None:
    async with bench(settings, user) as b:
        typer.echo(line(await b.jobs.cancel(id, b.by), language))


async def retry_job(settings: Settings, user: str, id: str, language: Language) -> None:
    async with bench(settings, user) as b:
        typer.echo(line(await b.jobs.retry(id, b.by), language))


async def remove_job(settings: Settings, user: str, id: str, language: Language) -> None:
    async with bench(settings, user) as b:
        await b.jobs.delete(id, b.by)
    typer.echo(f"{id}  {DELETED(language)}")


async def save_file(settings: Settings, user: str, id: str, name: str, out: Path | None) -> None:
    """To ``out``, to standard output without. Without ``name`` the job's only file. Raises
    ``CallerError`` where there are several."""
    async with bench(settings, user) as b:
        if not name:
            files = (await b.jobs.get(id, b.by)).files
            if len(files) != 1:
                names = ", ".join(f.name for f in files)
                raise CallerError(
                    "which_file",
                    f"有 {len(files)} 个文件,要说哪一个:{names}" if files else "这个任务没有文件",
                    f"there are {len(files)} files, say which: {names}"
                    if files
                    else "the job has no files",
                )
            name = files[0].name
        _, data = await b.jobs.file(id, name, b.by)
    if out is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    try:
        await asyncio.to_thread(out.write_bytes, data)
    except OSError as e:
        raise OperatorError(
            "unwritable",
            f"{out} 写不进去:{e.strerror};请换个位置",
            f"{out} cannot be written: {e.strerror}; choose another place",
        ) from None


async def list_schedules(
    settings: Settings, user: str, language: Language, *, json_out: bool
) -> None:
    async with bench(settings, user) as b:
        found = await b.schedules.list(b.by)
    if json_out:
        print_json([asdict(s) for s in found])
        return
    for rule in found:
        typer.echo(schedule_line(rule, language))
    if not found:
        typer.echo(NO_SCHEDULES(language))


async def add_schedule(
    settings: Settings,
    user: str,
    kind: str,
    given: Mapping[str, Any],
    cron: str,
    language: Language,
    title: str = "",
) -> None:
    async with _running(settings, user) as (service, by):
        made = await service.schedule(by, kind, given, cron, title, language=language)
    typer.echo(schedule_line(made, language))


async def switch_schedule(
    settings: Settings, user: str, id: str, language: Language, *, on: bool
) -> None:
    async with bench(settings, user) as b:
        typer.echo(schedule_line(await b.schedules.change(id, b.by, enabled=on), language))


async def remove_schedule(settings: Settings, user: str, id: str, language: Language) -> None:
    async with bench(settings, user) as b:
        await b.schedules.remove(id, b.by)
    typer.echo(f"{id}  {DELETED(language)}")


@asynccontextmanager
async def _running(settings: Settings, user: str) -> AsyncIterator[tuple[JobService, Principal]]:
    runtime = await open_runtime(settings)
    try:
        assert runtime.jobs is not None
        yield runtime.jobs, principal_of(runtime, user)
    finally:
        await runtime.close()


def settings_of(given: Sequence[str]) -> dict[str, str]:
    """``name=value`` pairs. Raises ``CallerError``."""
    out = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise CallerError(
                "argument",
                f"应为 名=值,不是“{pair[:60]}”",
                f"must be name=value, not “{pair[:60]}”",
            )
        out[name.strip()] = value
    return out


def line(job: Job, language: Language) -> str:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(job.created))
    out = [job.id, when, STATES[job.state](language), job.title]
    if job.state == "running":
        out.append(f"{job.fraction:.0%}")
        if step := job.step(language):
            out.append(step)
        if (left := job.left_s()) is not None:
            out.append(LEFT(language).format(s=round(left)))
    if job.error is not None and job.state in ("failed", "queued"):
        out.append(job.error.text(language))
    return "  ".join(out)


def tell_end(job: Job, language: Language, *, head: bool) -> None:
    """What it came to."""
    if head:
        typer.echo(line(job, language))
    if job.result is not None:
        print_json(job.result)
    for file in job.files:
        typer.echo(f"  {file.name}  {file.size:,} B")


def schedule_line(s: Schedule, language: Language) -> str:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(s.due))
    last = NEXT(language).format(when=when) if s.enabled else OFF(language)
    return "  ".join([s.id, s.cron, s.title, last])


def as_dict(job: Job, language: Language) -> dict[str, Any]:
    left = job.left_s()
    error = job.error
    return {
        "id": job.id,
        "kind": job.kind,
        "title": job.title,
        "state": job.state,
        "step": job.step(language),
        "fraction": job.fraction,
        "left": left,
        "created": job.created,
        "started": job.started,
        "ended": job.ended,
        "attempts": job.attempts,
        "batch": job.batch,
        "error": {"code": error.code, "message": error.text(language)} if error else None,
        "result": job.result,
        "files": [asdict(f) for f in job.files],
    }


def print_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=1))
