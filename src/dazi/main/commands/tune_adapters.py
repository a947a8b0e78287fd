"""``dazi tune run`` and what becomes of its adapters."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from dazi.main.commands.options import Company, Json, language, settings

Adapter = Annotated[str, typer.Argument(help="适配器的名字,可加 @版本。NAME or NAME@VERSION.")]


def tune_run(
    file: Annotated[Path, typer.Argument(help="配方,YAML。The recipe, YAML.")],
    anew: Annotated[
        bool, typer.Option("--anew", help="不接着上次没做完的。Do not go on from a stopped one.")
    ] = False,
    skip_gate: Annotated[
        bool, typer.Option("--skip-gate", help="不评测。Without the evaluation.")
    ] = False,
    company: Company = None,
) -> None:
    """照配方训练一个适配器,并评测它。Train an adapter by a recipe, and evaluate it."""
    from dazi.main.tuning_terminal import run_it

    code = run_it(settings(company), file, language(), anew=anew, skip_gate=skip_gate)
    raise typer.Exit(code)


def tune_evaluate(
    name: Adapter,
    file: Annotated[Path, typer.Argument(help="配方,用它的 gate。A recipe, for its gate.")],
    company: Company = None,
) -> None:
    """照配方里的 gate 再评测一次。Evaluate it once more, by the gate of a recipe."""
    from dazi.main.tuning_terminal import evaluate_it

    raise typer.Exit(evaluate_it(settings(company), name, file, language()))


def tune_list(json_out: Json = False, company: Company = None) -> None:
    """列出适配器。List adapters."""
    from dazi.main.tuning_terminal import list_adapters

    list_adapters(settings(company), language(), json_out=json_out)


def tune_show(name: Adapter, json_out: Json = False, company: Company = None) -> None:
    """一个适配器怎样来的、评测如何。Where an adapter came from and what its evaluation said."""
    from dazi.main.tuning_terminal import show_adapter

    show_adapter(settings(company), name, language(), json_out=json_out)


def tune_deploy(
    name: Adapter,
    anyway: Annotated[
        bool,
        typer.Option(
            "--anyway",
            help="没通过评测或数据已撤回也用。Though it failed or its data is withdrawn.",
        ),
    ] = False,
    company: Company = None,
) -> None:
    """从现在起用这个适配器。Use this adapter from now on."""
    from dazi.main.tuning_terminal import deploy_adapter

    deploy_adapter(settings(company), name, language(), anyway=anyway)


def tune_rollback(company: Company = None) -> None:
    """退回到上一次部署之前。Back to what was in use before the last deployment."""
    from dazi.main.tuning_terminal import rollback_adapter

    rollback_adapter(settings(company), language())


COMMANDS: dict[str, Callable[..., None]] = {
    "run": tune_run,
    "evaluate": tune_evaluate,
    "list": tune_list,
    "show": tune_show,
    "deploy": tune_deploy,
    "rollback": tune_rollback,
}
