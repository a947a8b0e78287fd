"""``dazi experiments``, in the terminal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import typer

from dazi.core.engine import Engine
from dazi.core.errors import CallerError
from dazi.core.language import Language, Text
from dazi.main.prompts import bench, print_json, read_yaml
from dazi.main.settings import Settings
from dazi.ops.experiments.deciding import shown
from dazi.ops.experiments.model import STATES, Experiment, State
from dazi.ops.experiments.plan import Plan
from dazi.ops.experiments.service import Looked
from dazi.ops.experiments.simulating import METRICS_TRIED, Trial, table, tried

NONE = Text("没有实验。", "There are no experiments.")
MADE = Text("已建:{name},还没开始", "made: {name}, not begun yet")
NAMES: dict[State, Text] = {
    "draft": Text("草稿", "draft"),
    "running": Text("进行中", "running"),
    "paused": Text("暂停", "paused"),
    "stopped": Text("已停", "stopped"),
    "promoted": Text("已推广", "promoted"),
}
assert tuple(NAMES) == STATES
NOW = Text("{name}:{state}", "{name}: {state}")
ARM = Text(
    "{name}  份额 {share:.0%}  对象 {subjects}  计入 {counted}  回合 {turns}",
    "{name}  share {share:.0%}  subjects {subjects}  counted {counted}  turns {turns}",
)
BETWEEN = Text(
    "{arm}  {metric}  {estimate}  [{lower}, {upper}]",
    "{arm}  {metric}  {estimate}  [{lower}, {upper}]",
)
UNKNOWN = Text("还不知道", "not known yet")


async def list_experiments(
    settings: Settings, by: str, language: Language, *, json_out: bool
) -> None:
    async with bench(settings, by) as b:
        found = await b.made.service.all(b.by)
    if json_out:
        print_json(msgspec.to_builtins(found))
        return
    for e in found:
        arms = " / ".join(a.name for a in e.plan.arms)
        typer.echo(f"{e.name}  {NAMES[e.state](language)}  {arms}  {e.plan.why}".rstrip())
    if not found:
        typer.echo(NONE(language))


async def show_experiment(
    settings: Settings, by: str, name: str, language: Language, *, json_out: bool
) -> None:
    async with bench(settings, by) as b:
        looked = await b.made.service.look(b.by, name)
    if json_out:
        found = looked.analysis
        print_json(
            {
                "experiment": msgspec.to_builtins(looked.experiment),
                "arms": msgspec.to_builtins(found.arms),
                "comparisons": [
                    {
                        **msgspec.to_builtins(c),
                        "metric": c.metric.name,
                        "says": c.says,
                        "path": None,
                    }
                    for c in found.comparisons
                ],
                "mismatch": found.mismatch,
                "decision": [line(language) for line in looked.decision],
            }
        )
        return
    for line in told(looked, language):
        typer.echo(line)


def told(looked: Looked, language: Language) -> Iterator[str]:
    yield _now(looked.experiment, language)
    for line in looked.decision:
        yield f"  {line(language)}"
    for a in looked.analysis.arms:
        yield ARM(language).format(
            name=a.name, share=a.share, subjects=a.subjects, counted=a.counted, turns=a.turns
        )
    for c in looked.analysis.comparisons:
        if c.subjects:
            lower, upper = (
                UNKNOWN(language) if v is None else shown(c.metric, v)(language)
                for v in (c.lower, c.upper)
            )
            yield BETWEEN(language).format(
                arm=c.arm,
                metric=c.metric.label(language),
                estimate=shown(c.metric, c.estimate)(language),
                lower=lower,
                upper=upper,
            )


async def create_experiment(settings: Settings, by: str, path: Path, language: Language) -> None:
    plan = read_yaml(path, Plan)
    async with bench(settings, by) as b:
        await b.made.service.create(b.by, plan)
    typer.echo(MADE(language).format(name=plan.name))


async def act(
    settings: Settings, by: str, name: str, what: str, language: Language, argument: str = ""
) -> None:
    """``argument``: an arm, or shares as ``ARM=0.2``."""
    async with _engine(settings, what == "start") as engine, bench(settings, by, engine) as b:
        service = b.made.service
        said = ""
        match what:
            case "start":
                await service.start(b.by, name)
            case "pause":
                await service.pause(b.by, name)
            case "resume":
                await service.resume(b.by, name)
            case "shares":
                await service.set_shares(b.by, name, _shares(argument))
            case "stop" if argument:
                await service.stop_arm(b.by, name, argument)
            case "stop":
                await service.stop(b.by, name)
            case _:
                said = (await service.promote(b.by, name, argument))(language)
        typer.echo(_now(await service.store.get(name), language))
        if said:
            typer.echo(said)


@asynccontextmanager
async def _engine(settings: Settings, wanted: bool) -> AsyncIterator[Engine | None]:
    """The company's, where it is wanted: what it serves has to be known before anybody is sent to it."""
    if not wanted:
        yield None
        return
    from dazi.main.engines import load_engine

    data = settings.data_folder(settings.company_folder())
    engine = await asyncio.to_thread(load_engine, settings, data)
    try:
        yield engine
    finally:
        await engine.close()


def simulate(metric_name: str, runs: int, horizon: int, effect: float, share: float) -> list[str]:
    """Lines of a table. Raises ``CallerError`` for a metric that is not simulated."""
    if metric_name not in METRICS_TRIED:
        known = ", ".join(METRICS_TRIED)
        raise CallerError("metric", f"能模拟的有:{known}", f"what can be simulated: {known}")
    return list(table([tried(Trial(metric_name, effect, share, runs, horizon))]))


def _shares(text: str) -> dict[str, float]:
    out = {}
    for part in text.split(","):
        name, _, share = part.partition("=")
        try:
            out[name.strip()] = float(share)
        except ValueError:
            raise CallerError(
                "shares",
                "份额写成 ARM=0.2,几个用逗号隔开",
                "write shares as ARM=0.2, with commas between",
            ) from None
    return out


def _now(e: Experiment, language: Language) -> str:
    return NOW(language).format(name=e.name, state=NAMES[e.state](language))
