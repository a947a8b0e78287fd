"""``dazi experiments``: what is tried on whom, and what it says."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from dazi.main.commands.options import Company, Json, Model, language, settings
from dazi.main.commands.prompts import By

group = typer.Typer(
    no_args_is_help=True,
    help="实验:提示词版本、模型、适配器之间比较。Experiments: compare prompt versions, models, adapters.",
)
Name = Annotated[str, typer.Argument(help="实验的名字。The experiment.")]
Arm = Annotated[str, typer.Option("--arm", help="哪一组。Which arm.")]


@group.command("list")
def experiments_list(by: By = "", json_out: Json = False, company: Company = None) -> None:
    """列出实验,新的在前。List experiments, the latest first."""
    from dazi.main.experiments_terminal import list_experiments

    asyncio.run(list_experiments(settings(company), by, language(), json_out=json_out))


@group.command("show")
def experiments_show(
    name: Name, by: By = "", json_out: Json = False, company: Company = None
) -> None:
    """看一个实验现在说明什么。What an experiment says so far."""
    from dazi.main.experiments_terminal import show_experiment

    asyncio.run(show_experiment(settings(company), by, name, language(), json_out=json_out))


@group.command("create")
def experiments_create(
    file: Annotated[Path, typer.Argument(help="YAML,见文档。YAML, see the documents.")],
    by: By = "",
    company: Company = None,
) -> None:
    """新建,还不开始。Make one, not begun yet."""
    from dazi.main.experiments_terminal import create_experiment

    asyncio.run(create_experiment(settings(company), by, file, language()))


@group.command("start")
def experiments_start(name: Name, by: By = "", company: Company = None, model: Model = "") -> None:
    """开始。Begin."""
    _act(company, by, name, "start", model=model)


@group.command("pause")
def experiments_pause(name: Name, by: By = "", company: Company = None) -> None:
    """暂停:大家照常,不计数。Pause: everybody as ever, nothing is counted."""
    _act(company, by, name, "pause")


@group.command("resume")
def experiments_resume(name: Name, by: By = "", company: Company = None) -> None:
    """继续。Go on."""
    _act(company, by, name, "resume")


@group.command("shares")
def experiments_shares(
    name: Name,
    shares: Annotated[str, typer.Argument(help="ARM=0.2,几个用逗号隔开。With commas between.")],
    by: By = "",
    company: Company = None,
) -> None:
    """改份额,只能变大。Set shares; they only grow."""
    _act(company, by, name, "shares", shares)


@group.command("stop")
def experiments_stop(name: Name, arm: Arm = "", by: By = "", company: Company = None) -> None:
    """停掉整个实验,或只停一组。Stop all of it, or one arm."""
    _act(company, by, name, "stop", arm)


@group.command("promote")
def experiments_promote(name: Name, arm: Arm, by: By = "", company: Company = None) -> None:
    """推广一组:启用它的提示词版本,或告诉您改哪个设置。Activate an arm's version, or tell the setting."""
    _act(company, by, name, "promote", arm)


@group.command("simulate")
def experiments_simulate(
    metric: Annotated[
        str, typer.Option("--metric", help="rate、rare 或 latency。rate, rare or latency.")
    ] = "rate",
    runs: Annotated[
        int, typer.Option("--runs", min=10, max=100_000, help="几次。How many.")
    ] = 2000,
    horizon: Annotated[
        int, typer.Option("--horizon", min=300, max=100_000, help="每次几个对象。Subjects of each.")
    ] = 5000,
    effect: Annotated[
        float,
        typer.Option(
            "--effect", help="处理组好多少,0 为一样;0.1 是一成。0: the arms are the same."
        ),
    ] = 0.0,
    share: Annotated[
        float, typer.Option("--share", min=0.01, max=0.99, help="处理组的份额。Of the treated.")
    ] = 0.5,
) -> None:
    """模拟:一直看着,多久误判一次。Simulate how often looking all the time is wrong."""
    from dazi.main.experiments_terminal import simulate

    for line in simulate(metric, runs, horizon, effect, share):
        typer.echo(line)


@group.command("replay")
def experiments_replay(
    name: Name,
    source: Annotated[
        Path,
        typer.Option(
            "--from", help="用例(JSON Lines)或自己的导出。Cases, or your own export of threads."
        ),
    ],
    days: Annotated[
        int,
        typer.Option("--days", min=0, help="导出里最近几天的,0 为全部。Of an export, days back."),
    ] = 0,
    role: Annotated[
        str, typer.Option("--role", help="导出里的话算谁说的。Whose role, for an export.")
    ] = "",
    concurrency: Annotated[int, typer.Option(help="同时跑几条。Cases at once.")] = 4,
    by: By = "",
    json_out: Json = False,
    company: Company = None,
    model: Model = "",
) -> None:
    """离线重放:每一组把同样的话答一遍,不产生副作用。Each arm answers the same, effects off."""
    from dazi.main.replaying import Replay, replay

    wanted = Replay(name, source, days, role, concurrency, json_out)
    asyncio.run(replay(settings(company, None, model), by, wanted, language()))


def _act(
    company: Path | None, by: str, name: str, what: str, argument: str = "", model: str = ""
) -> None:
    from dazi.main.experiments_terminal import act

    asyncio.run(act(settings(company, None, model), by, name, what, language(), argument))
