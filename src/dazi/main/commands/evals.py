"""``dazi eval``: evaluations."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from dazi.main.commands.options import Company, Json, Model, language, settings

group = typer.Typer(no_args_is_help=True, help="评测。Evaluations.")


@group.command("calls")
def eval_calls(
    file: Annotated[Path, typer.Argument(help="JSON Lines 用例。Cases.")],
    json_out: Json = False,
    format: Annotated[str, typer.Option(help="dazi、bfcl 或 acebench。")] = "dazi",
    limit: Annotated[int, typer.Option(help="只跑前 N 条。Only the first N.")] = 0,
    concurrency: Annotated[int, typer.Option(help="同时跑几条。Cases at once.")] = 4,
    random: Annotated[
        bool, typer.Option("--random", help="随机对照:证明不是代码在选。The random control.")
    ] = False,
    without: Annotated[
        list[str] | None,
        typer.Option(help="去掉 grammar、grounding 或 confidence,看它们值多少。Leave an aid out."),
    ] = None,
    company: Company = None,
    model: Model = "",
) -> None:
    """函数调用评测,不产生任何副作用。Function-calling evaluation; no side effects."""
    from dazi.main.evaluating import Evaluation, evaluate_calls

    aids: frozenset[Any] = frozenset(without or ())
    wanted = Evaluation(file, json_out, limit, concurrency, random, format, aids)
    code = asyncio.run(evaluate_calls(settings(company, None, model), wanted, language()))
    raise typer.Exit(code)


@group.command("3c")
def eval_3c(
    file: Annotated[
        Path, typer.Argument(help="候选、指标和权重,YAML。Candidates, metrics, weights.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="把网页、PDF 和 JSON 写到这个目录。Write page, PDF and JSON here."),
    ] = None,
    weights: Annotated[
        str, typer.Option(help="代替文件里的,如 60,20,20:能力,成本,合规。In place of the file's.")
    ] = "",
    json_out: Json = False,
    company: Company = None,
) -> None:
    """3C 报告:能力、成本、合规,几个候选并排。Capability, cost, compliance, side by side."""
    from dazi.main.scorecard import show

    show(settings(company, None, ""), file, out, weights, json_out, language())
