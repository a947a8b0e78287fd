"""``dazi plan``: what a model needs and costs."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from dazi.core.errors import CallerError
from dazi.main.commands.options import Json, language
from dazi.ops.plan.accelerators import accelerator_of
from dazi.ops.plan.cost import Load, Prices
from dazi.ops.plan.memory import PRECISIONS
from dazi.ops.plan.models import shape_of
from dazi.ops.plan.planning import Wanted, as_plain
from dazi.ops.plan.planning import plan as planned
from dazi.ops.plan.telling import told


def plan(
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
    gpu_hour: Annotated[float, typer.Option(help="租一小时多少元;0 为买。Yuan an hour; 0 if bought.")] = Prices.hour,
    kwh: Annotated[float, typer.Option(help="一度电多少元。Yuan for a kWh.")] = Prices.kwh,
    pue: Annotated[float, typer.Option(help="机器一度电,机房几度。Of the house.")] = Prices.pue,
    staff: Annotated[float, typer.Option(help="运维的人一年多少元。Yuan a year for people.")] = Prices.staff,
    api_read: Annotated[float, typer.Option(help="API 读一百万词元多少元。Yuan for a million read.")] = Prices.api_read,
    api_written: Annotated[float, typer.Option(help="API 写一百万多少元。A million written.")] = Prices.api_written,
    json_out: Json = False,
) -> None:  # fmt: skip
    """算一算:显存、几块卡、最快多快、三年多少钱。Memory, cards, speed and three years' cost."""
    exact = next((p for p in PRECISIONS if p == precision.lower()), None)
    if exact is None:
        names = ", ".join(PRECISIONS)
        raise CallerError(
            "precision", f"精度应是 {names} 之一", f"the precision must be one of {names}"
        )
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
