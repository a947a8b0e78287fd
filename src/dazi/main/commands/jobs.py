"""``dazi jobs``: what is done in the background, once or again and again."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from dazi.main.commands.options import Company, Json, Model, Today, User, language, settings

group = typer.Typer(
    no_args_is_help=True,
    help="后台任务:列出、开始、取消、重试、定时。Background jobs: list, begin, cancel, retry, schedule.",
)
Id = Annotated[str, typer.Argument(help="编号,见 list。Its id, from list.")]
ScheduleId = Annotated[str, typer.Argument(help="编号,见 schedules。Its id, from schedules.")]
Kind = Annotated[str, typer.Argument(help="哪种任务,如 ask、export。Which kind, such as ask.")]
Given = Annotated[
    list[str] | None,
    typer.Option("--set", help="参数,名=值,可写多次。An argument, name=value, repeatable."),
]


class State(StrEnum):
    queued = "queued"
    running = "running"
    done = "done"
    failed = "failed"
    cancelled = "cancelled"


@group.command("list")
def jobs_list(
    state: Annotated[State | None, typer.Option(help="只要这一种。Only those.")] = None,
    batch: Annotated[str, typer.Option(help="哪一批的。Of which batch.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="最多几个。How many at most.")] = 50,
    user: User = "",
    json_out: Json = False,
    company: Company = None,
) -> None:
    """列出自己的任务,最近的在前。List your jobs, the latest first."""
    from dazi.main.working import list_jobs

    asyncio.run(
        list_jobs(
            settings(company),
            user,
            language(),
            states=(state.value,) if state else (),
            batch=batch,
            limit=limit,
            json_out=json_out,
        )
    )


@group.command("show")
def jobs_show(
    job: Id,
    follow: Annotated[
        bool, typer.Option("--follow", help="一直看到结束。Until it is over.")
    ] = False,
    user: User = "",
    json_out: Json = False,
    company: Company = None,
) -> None:
    """看一个任务:到哪一步了,结果,文件。A job: how far it is, its result, its files."""
    from dazi.main.working import show_job

    chosen = settings(company)
    asyncio.run(show_job(chosen, user, job, language(), follow=follow, json_out=json_out))


@group.command("begin")
def jobs_begin(
    kind: Kind,
    given: Given = None,
    work: Annotated[bool, typer.Option("--work", help="就在这里做完。Do it here and now.")] = False,
    user: User = "",
    json_out: Json = False,
    company: Company = None,
    today: Today = None,
    model: Model = "",
) -> None:
    """开始一个任务。Begin a job."""
    from dazi.main.working import begin_job, settings_of

    chosen = settings(company, today, model)
    arguments = settings_of(given or [])
    asyncio.run(begin_job(chosen, user, kind, arguments, language(), work=work, json_out=json_out))


@group.command("work")
def jobs_work(
    until_done: Annotated[
        bool, typer.Option("--until-done", help="没有要做的了就结束。End when nothing is left.")
    ] = False,
    at_once: Annotated[
        int | None, typer.Option(min=1, max=64, help="同时做几个。How many at once.")
    ] = None,
    company: Company = None,
    today: Today = None,
    model: Model = "",
) -> None:
    """处理所有人的任务:除 dazi serve 之外再加人手。Work on everybody's jobs, beside dazi serve."""
    from dazi.main.working import work_on_jobs

    chosen = settings(company, today, model, jobs_at_once=at_once)
    asyncio.run(work_on_jobs(chosen, language(), until_done=until_done))


@group.command("cancel")
def jobs_cancel(job: Id, user: User = "", company: Company = None) -> None:
    """取消。Cancel a job."""
    from dazi.main.working import cancel_job

    asyncio.run(cancel_job(settings(company), user, job, language()))


@group.command("retry")
def jobs_retry(job: Id, user: User = "", company: Company = None) -> None:
    """失败或取消了的,从断开的地方再来。Once more, from where it broke off."""
    from dazi.main.working import retry_job

    asyncio.run(retry_job(settings(company), user, job, language()))


@group.command("save")
def jobs_save(
    job: Id,
    name: Annotated[str, typer.Argument(help="文件名;只有一个就不用写。Which file.")] = "",
    out: Annotated[
        Path | None, typer.Option("--out", help="写到哪个文件。The file to write.")
    ] = None,
    user: User = "",
    company: Company = None,
) -> None:
    """取出任务的文件。Save a file of a job."""
    from dazi.main.working import save_file

    asyncio.run(save_file(settings(company), user, job, name, out))


@group.command("rm")
def jobs_rm(job: Id, user: User = "", company: Company = None) -> None:
    """删除结束了的任务和它的结果。Delete a job that is over, with its results."""
    from dazi.main.working import remove_job

    asyncio.run(remove_job(settings(company), user, job, language()))


@group.command("schedules")
def jobs_schedules(user: User = "", json_out: Json = False, company: Company = None) -> None:
    """列出定时任务。List your schedules."""
    from dazi.main.working import list_schedules

    asyncio.run(list_schedules(settings(company), user, language(), json_out=json_out))


@group.command("schedule")
def jobs_schedule(
    kind: Kind,
    cron: Annotated[
        str, typer.Argument(help="分 时 日 月 周,如 “0 8 * * 1”。Minute hour day month weekday.")
    ],
    given: Given = None,
    title: Annotated[str, typer.Option(help="叫什么。What to call it.")] = "",
    user: User = "",
    company: Company = None,
    model: Model = "",
) -> None:
    """定时做一件事。Do something again and again."""
    from dazi.main.working import add_schedule, settings_of

    chosen = settings(company, None, model)
    arguments = settings_of(given or [])
    asyncio.run(add_schedule(chosen, user, kind, arguments, cron, language(), title))


@group.command("pause")
def jobs_pause(schedule: ScheduleId, user: User = "", company: Company = None) -> None:
    """停用一个定时任务。Switch a schedule off."""
    from dazi.main.working import switch_schedule

    asyncio.run(switch_schedule(settings(company), user, schedule, language(), on=False))


@group.command("resume")
def jobs_resume(schedule: ScheduleId, user: User = "", company: Company = None) -> None:
    """重新启用;错过的不补。Switch it on again; what it missed is not made up for."""
    from dazi.main.working import switch_schedule

    asyncio.run(switch_schedule(settings(company), user, schedule, language(), on=True))


@group.command("unschedule")
def jobs_unschedule(schedule: ScheduleId, user: User = "", company: Company = None) -> None:
    """删除一个定时任务。Delete a schedule."""
    from dazi.main.working import remove_schedule

    asyncio.run(remove_schedule(settings(company), user, schedule, language()))
