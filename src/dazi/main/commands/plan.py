"""``dazi plan``: what a model needs and costs, and how a day of so many people would go."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from dazi.core.errors import CallerError
from dazi.core.language import Text
from dazi.main.commands.options import Company, Json, language, settings
from dazi.ops.plan.accelerators import accelerator_of
from dazi.ops.plan.cost import Load, Prices
from dazi.ops.plan.memory import PRECISIONS, Precision
from dazi.ops.plan.models import shape_of
from dazi.ops.plan.planning import Wanted, as_plain
from dazi.ops.plan.planning import plan as planned
from dazi.ops.plan.simulate.outcome import Wanted as Promised
from dazi.ops.plan.simulate.scenario import Scaling, Scenario, Servers
from dazi.ops.plan.simulate.scenario import simulate as simulated
from dazi.ops.plan.simulate.telling import as_plain as simulated_plain
from dazi.ops.plan.simulate.telling import told as simulated_told
from dazi.ops.plan.simulate.trace import read as read_trace
from dazi.ops.plan.simulate.traffic import Traffic
from dazi.ops.plan.telling import told

group = typer.Typer(
    invoke_without_command=True,
    help="算一算:显存、几块卡、三年多少钱;一天会怎样。Memory, cards, cost; and how a day would go.",
)
_TIMES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]


@group.callback()
def plan(
    context_of: typer.Context,
    model: Annotated[str, typer.Option(help="Qwen3 家族里的一个。One of the Qwen3 family.")] = "Qwen/Qwen3-14B",
    precision: Annotated[str, typer.Option(help="bf16、fp8 或 awq(4 位)。bf16, fp8 or awq (4 bits).")] = "bf16",
    context: Annotated[int, typer.Option(help="每个请求多少词元。Tokens of a request.")] = 30_720,
    concurrency: Annotated[int, typer.Option(help="同时多少个请求。Requests at once.")] = 1,
    gpu: Annotated[str, typer.Option(help="显卡。The accelerator.")] = "A100-80GB",
    half_cache: Annotated[bool, typer.Option(help="缓存用 8 位,一半大。A cache in 8 bits.")] = False,
    requests: Annotated[int, typer.Option(help="一天多少次。Requests a day.")] = Load.requests,
    read: Annotated[int, typer.Option(help="一次读多少词元。Tokens read by one.")] = Load.read,
    written: Annotated[int, typer.Option(help="一次写多少词元。Tokens written by one.")] = Load.written,
    gpu_price: Annotated[float, typer.Option(help="买一块多少元(含机器的一份)。Yuan to buy one.")] = Prices.gpu,
    gpu_hour: Annotated[
        float, typer.Option(help="租一小时多少元;0 为买。Yuan an hour; 0 if bought.")
    ] = Prices.hour,
    kwh: Annotated[float, typer.Option(help="一度电多少元。Yuan for a kWh.")] = Prices.kwh,
    pue: Annotated[float, typer.Option(help="机器一度电,机房几度。Of the house.")] = Prices.pue,
    staff: Annotated[float, typer.Option(help="运维的人一年多少元。Yuan a year for people.")] = Prices.staff,
    api_read: Annotated[
        float, typer.Option(help="API 读一百万词元多少元。Yuan for a million read.")
    ] = Prices.api_read,
    api_written: Annotated[float, typer.Option(help="API 写一百万多少元。A million written.")] = Prices.api_written,
    json_out: Json = False,
) -> None:  # fmt: skip
    """算一算:显存、几块卡、最快多快、三年多少钱。Memory, cards, speed and three years' cost."""
    if context_of.invoked_subcommand is not None:
        return
    exact = _precision(precision)
    prices = Prices(gpu_price, gpu_hour, kwh, pue, staff, api_read, api_written)
    made = planned(
        Wanted(
            shape_of(model), exact, context, concurrency, accelerator_of(gpu),
            Load(requests, read, written), prices, half_cache,
        )
    )  # fmt: skip
    if json_out:
        typer.echo(json.dumps(as_plain(made), ensure_ascii=False, indent=1))
        return
    for line in told(made, language()):
        typer.echo(line)


def _precision(given: str) -> Precision:
    exact = next((p for p in PRECISIONS if p == given.lower()), None)
    if exact is None:
        names = ", ".join(PRECISIONS)
        raise CallerError(
            "precision", f"精度应是 {names} 之一", f"the precision must be one of {names}"
        )
    return exact


@group.command("simulate")
def plan_simulate(
    users: Annotated[int, typer.Option(help="多少人用,到一百万。People, up to a million.")] = Traffic.users,
    turns: Annotated[float, typer.Option(help="每人每个工作日几轮。Turns of one on a workday.")] = Traffic.turns,
    days: Annotated[float, typer.Option(help="几天。Days.")] = Traffic.days,
    weekday: Annotated[
        int, typer.Option(help="从星期几起,0 是星期一。From which day on; 0 is Monday.")
    ] = Traffic.weekday,
    bursts: Annotated[
        float, typer.Option(help="由别的会话引起的占几成。Share that others bring about.")
    ] = Traffic.bursts,
    read: Annotated[int, typer.Option(help="一轮读多少词元,中位数。Tokens read, median.")] = Traffic.read,
    written: Annotated[int, typer.Option(help="一轮写多少词元,中位数。Tokens written, median.")] = Traffic.written,
    calls: Annotated[float, typer.Option(help="一轮平均调几次工具。Tool calls of a turn.")] = Traffic.calls,
    seed: Annotated[
        int, typer.Option(help="同一个数,同样的结果。The same number, the same result.")
    ] = Traffic.seed,
    trace: Annotated[Path | None, typer.Option(help="录下来的轨迹,代替上面的。A recorded trace instead.")] = None,
    kind: Annotated[
        str, typer.Option(help="server(vLLM)或 embedded(进程里)。vLLM servers, or the engine inside.")
    ] = Servers.kind,
    model: Annotated[str, typer.Option(help="vLLM 上的模型。The model on vLLM.")] = Servers.model,
    precision: Annotated[str, typer.Option(help="bf16、fp8 或 awq。bf16, fp8 or awq.")] = Servers.precision,
    gpu: Annotated[str, typer.Option(help="显卡。The accelerator.")] = Servers.gpu,
    cards: Annotated[int, typer.Option(help="一份几块卡。Cards of a replica.")] = Servers.cards,
    cores: Annotated[int, typer.Option(help="embedded 一份几个核。Cores of an embedded one.")] = Servers.cores,
    at_once: Annotated[
        int, typer.Option(help="同时给一台服务几个请求。Requests given to a server at once.")
    ] = Servers.at_once,
    start: Annotated[
        float, typer.Option(help="新的一份多少秒后能用,0 为通常的。Seconds to start; 0: as usual.")
    ] = Servers.start,
    price: Annotated[
        float, typer.Option(help="一份一小时多少元,0 按买卡折算。Yuan an hour; 0: as if bought.")
    ] = Servers.price,
    policy: Annotated[
        str, typer.Option(help="fixed、utilisation、queue、schedule 或 oracle。One of these.")
    ] = Scaling.policy,
    replicas: Annotated[
        int, typer.Option(help="开始几份(fixed:一直),0 自动。At first; fixed: always; 0: by load.")
    ] = Scaling.replicas,
    least: Annotated[int, typer.Option(help="至少几份。Replicas at least.")] = Scaling.least,
    most: Annotated[int, typer.Option(help="至多几份,0 自动。Replicas at most; 0: by load.")] = Scaling.most,
    target: Annotated[float, typer.Option(help="想用到几成。The share that is to be taken.")] = Scaling.target,
    up: Annotated[float, typer.Option(help="连着多少秒需要才加。Needed for so long before more.")] = Scaling.up,
    down: Annotated[
        float, typer.Option(help="连着多少秒用不着才减。Spare for so long before fewer.")
    ] = Scaling.down,
    schedule: Annotated[
        str, typer.Option(help="时间表,如 0=1,8.5=4,19=2。From which hour how many.")
    ] = Scaling.schedule,
    first: Annotated[
        float, typer.Option(help="首字应在几秒内。Promised: seconds to the first token.")
    ] = Promised.first,
    whole: Annotated[float, typer.Option(help="整轮应在几秒内。Promised: seconds to the end.")] = Promised.whole,
    json_out: Json = False,
) -> None:  # fmt: skip
    """模拟一天:这么多人、这样的服务、这样伸缩,会怎样。How a day would go with so many people."""
    scenario = Scenario(
        Traffic(users, turns, days, weekday, bursts, read=read, written=written, calls=calls, seed=seed),
        Servers(kind, cores, model, _precision(precision), gpu, cards, start, price, at_once),
        Scaling(policy, replicas, least, most, target, up, down, schedule),
        Promised(first, whole),
        read_trace(trace) if trace is not None else None,
    )  # fmt: skip
    made = simulated(scenario, _progress if sys.stderr.isatty() else None)
    if sys.stderr.isatty():
        typer.echo("\r\x1b[K", err=True, nl=False)
    if json_out:
        typer.echo(json.dumps(simulated_plain(made), ensure_ascii=False, indent=1))
    else:
        for line in simulated_told(made, language()):
            typer.echo(line)
    if made.summary.stopped:
        raise typer.Exit(130)


def _progress(simulated: float, wall: float) -> None:
    hours, speed = simulated / 3600, simulated / wall if wall else 0.0
    told_ = Text(
        f"已模拟 {hours:.1f} 小时,每秒 {speed:,.0f} 秒;Ctrl-C 到此为止",
        f"{hours:.1f} hours simulated, {speed:,.0f} s a second; Ctrl-C ends here",
    )
    typer.echo(f"\r\x1b[K{told_(language())}", err=True, nl=False)


@group.command("record")
def plan_record(
    out: Annotated[Path, typer.Argument(help="写到哪个文件(JSONL)。The file to write.")],
    since: Annotated[datetime | None, typer.Option(formats=_TIMES, help="从何时起(含)。From then on.")] = None,
    until: Annotated[datetime | None, typer.Option(formats=_TIMES, help="到何时止(不含)。Up to then.")] = None,
    company: Company = None,
) -> None:  # fmt: skip
    """从审计账本录一份轨迹:只有时刻和数量,没有内容和姓名。A trace out of the ledger: no text, no names."""
    from dazi.main.recording import record

    began = since.timestamp() if since else None
    count = asyncio.run(record(settings(company), out, began, until.timestamp() if until else None))
    typer.echo(Text(f"{count} 轮,写在 {out}", f"{count} turns in {out}")(language()))
