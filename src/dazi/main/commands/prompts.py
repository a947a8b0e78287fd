"""``dazi prompts``: versions of what the assistant is told."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from dazi.main.commands.options import Company, Json, language, settings

group = typer.Typer(
    no_args_is_help=True,
    help="提示词的版本:列出、查看、比较、新增、启用。Prompt versions: list, show, compare, add, activate.",
)
By = Annotated[
    str,
    typer.Option(
        "--as",
        help="以哪个管理员的身份,默认公司的 admin。As which administrator; the company's admin.",
    ),
]
Number = Annotated[int, typer.Argument(min=0, help="版本号,0 是随产品的。0 is what ships.")]


@group.command("list")
def prompts_list(by: By = "", json_out: Json = False, company: Company = None) -> None:
    """列出版本,新的在前。List the versions, the latest first."""
    from dazi.main.prompts import list_prompts

    asyncio.run(list_prompts(settings(company), by, language(), json_out=json_out))


@group.command("show")
def prompts_show(
    number: Number, by: By = "", json_out: Json = False, company: Company = None
) -> None:
    """看一个版本的全文。Show the whole of a version."""
    from dazi.main.prompts import show_prompt

    asyncio.run(show_prompt(settings(company), by, number, language(), json_out=json_out))


@group.command("diff")
def prompts_diff(
    old: Number,
    new: Annotated[int, typer.Argument(min=0, help="另一个版本。Another version.")],
    by: By = "",
    company: Company = None,
) -> None:
    """比较两个版本。Compare two versions."""
    from dazi.main.prompts import differ

    asyncio.run(differ(settings(company), by, old, new, language()))


@group.command("add")
def prompts_add(
    file: Annotated[Path, typer.Argument(help="YAML:zh、en、tools、note。")],
    note: Annotated[str, typer.Option("--note", help="说明。What it is for.")] = "",
    by: By = "",
    company: Company = None,
) -> None:
    """存成新版本,还不启用。Save a new version, not in use yet."""
    from dazi.main.prompts import add_prompt

    asyncio.run(add_prompt(settings(company), by, file, note, language()))


@group.command("activate")
def prompts_activate(number: Number, by: By = "", company: Company = None) -> None:
    """启用一个版本;旧的也行。Use a version; an older one is a way back."""
    from dazi.main.prompts import activate

    asyncio.run(activate(settings(company), by, number, language()))
