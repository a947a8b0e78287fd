"""``dazi tune data``: datasets out of threads, tickets, tool logs, documents and files."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from dazi.main.commands.options import Company, Json, language, settings

group = typer.Typer(
    no_args_is_help=True,
    help="数据集:按配方制作、列出、查看、追查来源。Datasets: make, list, show, trace.",
)
Name = Annotated[str, typer.Argument(help="数据集名。The dataset's name.")]
Number = Annotated[
    int, typer.Option("--version", min=0, help="第几版,默认最新。Which version; the latest.")
]


@group.command("make")
def data_make(
    recipe: Annotated[Path, typer.Argument(help="配方,YAML。The recipe.")],
    json_out: Json = False,
    company: Company = None,
) -> None:
    """按配方做出下一版;中断后用同样的命令接着做。Make the next version; goes on where it was stopped."""
    from dazi.main.tuning_data import make_data

    asyncio.run(make_data(settings(company), recipe, language(), json_out=json_out))


@group.command("list")
def data_list(json_out: Json = False, company: Company = None) -> None:
    """列出数据集和各版。List datasets with their versions."""
    from dazi.main.tuning_data import list_data

    list_data(settings(company), language(), json_out=json_out)


@group.command("show")
def data_show(
    name: Name, version: Number = 0, json_out: Json = False, company: Company = None
) -> None:
    """看一版的卡片:样本、来源、每步拒了什么。Show a version's card."""
    from dazi.main.tuning_data import show_data

    show_data(settings(company), name, version, language(), json_out=json_out)


@group.command("why")
def data_why(
    name: Name,
    ref: Annotated[
        str, typer.Argument(help="来源或样本的编号。A source's reference or a sample's id.")
    ],
    version: Number = 0,
    json_out: Json = False,
    company: Company = None,
) -> None:
    """样本从哪里来,来源为什么没有用上。Where a sample comes from; why a source was not used."""
    from dazi.main.tuning_data import why_data

    raise typer.Exit(
        why_data(settings(company), (name, version), ref, language(), json_out=json_out)
    )
