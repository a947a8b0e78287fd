"""``dazi eval``: evaluations."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dazi.main.commands.options import Company, Json, Model, language, settings

if TYPE_CHECKING:
    from dazi.lab.evals.runs import RunStore

group = typer.Typer(no_args_is_help=True, help="评测。Evaluations.")

Run = Annotated[str, typer.Argument(help="评测的编号、开头几位、latest 或目录。A run.")]


@group.command("calls")
def eval_calls(
    file: Annotated[Path, typer.Argument(help="JSON Lines 用例。Cases.")],
    json_out: Json = False,
    format: Annotated[str, typer.Option(help="dazi、bfcl 或 acebench。")] = "dazi",
    limit: Annotated[int, typer.Option(min=0, help="只跑前 N 条。Only the first N.")] = 0,
    concurrency: Annotated[int, typer.Option(min=1, help="同时跑几条。Cases at once.")] = 4,
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


@group.command("run")
def eval_run(
    suite: Annotated[str, typer.Argument(help="评测名,见 dazi eval list。A suite.")],
    limit: Annotated[int, typer.Option(min=0, help="只跑 N 题,各组均匀抽。At most N items.")] = 0,
    without: Annotated[
        list[str] | None,
        typer.Option(
            help="去掉 calls、grammar、grounding、confidence 或 retrieval。Leave an aid out."
        ),
    ] = None,
    with_: Annotated[
        list[str] | None,
        typer.Option("--with", help="打开 thinking,或 precision=f32|bf16|f16。Turn on."),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="数据在哪里,默认 DAZI_EVALDATA。Where the data lies.")
    ] = None,
    seed: Annotated[int, typer.Option(help="抽题的种子。Seed of the drawing.")] = 0,
    concurrency: Annotated[int, typer.Option(min=1, help="同时问几题。Items at once.")] = 4,
    again: Annotated[
        bool, typer.Option("--again", help="跑过同样的也重跑。Even if the same was run.")
    ] = False,
    json_out: Json = False,
    company: Company = None,
    model: Model = "",
) -> None:
    """跑一个评测;停下后再执行就接着跑。Run a suite; stopped, it goes on the next time."""
    from dazi.lab.evals.switches import switches_of
    from dazi.main.eval_runs import WantedRun, run_suite
    from dazi.main.eval_telling import report_run

    switches = switches_of(without or (), with_ or ())
    wanted = WantedRun(suite, limit, seed, data, switches, concurrency, again)
    try:
        folder = asyncio.run(run_suite(settings(company, None, model), wanted, language()))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    report_run(folder, language(), json_out=json_out, page=None, item="")


@group.command("list")
def eval_list(json_out: Json = False, company: Company = None) -> None:
    """有哪些评测,跑过哪些。Suites, and runs."""
    from dazi.main.eval_telling import list_runs

    list_runs(_store(company), language(), json_out=json_out)


@group.command("report")
def eval_report(
    run: Run,
    html: Annotated[
        Path | None, typer.Option(help="写成一个网页,每题可展开。Write a page.")
    ] = None,
    item: Annotated[str, typer.Option(help="只看一题,连同过程。One item with its trace.")] = "",
    json_out: Json = False,
    company: Company = None,
) -> None:
    """一次评测的结果,每个判定都能展开看。What a run came to; every verdict with its trace."""
    from dazi.main.eval_telling import report_run

    folder = _store(company).find(run)
    report_run(folder, language(), json_out=json_out, page=html, item=item)


@group.command("compare")
def eval_compare(first: Run, second: Run, json_out: Json = False, company: Company = None) -> None:
    """两次评测逐题比较。Two runs, item by item."""
    from dazi.main.eval_telling import compare_runs

    store = _store(company)
    compare_runs(store.find(first), store.find(second), language(), json_out=json_out)


@group.command("gate")
def eval_gate(
    gates: Annotated[Path, typer.Argument(help="门槛文件(YAML)。Gates.")],
    first: Run,
    second: Run,
    json_out: Json = False,
    company: Company = None,
) -> None:
    """第二次有没有变差;有就退出码 1。Exit code 1 if the second lost more than the gates allow."""
    from dazi.main.eval_telling import hold_gates

    store = _store(company)
    passed = hold_gates(gates, store.find(first), store.find(second), language(), json_out=json_out)
    raise typer.Exit(0 if passed else 1)


def _store(company: Path | None) -> RunStore:
    from dazi.lab.evals.runs import RunStore

    given = settings(company)
    return RunStore(given.data_folder(given.company_folder()))
