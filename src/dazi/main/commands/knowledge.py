"""``dazi knowledge``: the company's documents."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from dazi.main.commands.options import Json, language

group = typer.Typer(no_args_is_help=True, help="公司文档。The company's documents.")


@group.callback()
def _knowledge() -> None: ...


@group.command("eval")
def knowledge_eval(
    file: Annotated[Path, typer.Argument(help="有问题和段落的文件。Questions and passages.")],
    format: Annotated[str, typer.Option(help="文件格式:squad。The file's form: squad.")] = "squad",
    json_out: Json = False,
) -> None:
    """量检索:每个问题自己的段落排第几。Measure search: where each question's own passage stands."""
    from dazi.main.searching import evaluate

    typer.echo(asyncio.run(evaluate(file, format, language(), json_out=json_out)))
