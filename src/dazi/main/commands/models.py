"""``dazi model``: add, list, use."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from dazi.main.commands.options import Company, settings
from dazi.main.commands.pool import model_pool

group = typer.Typer(no_args_is_help=True, help="模型:添加、列出、选用。Models: add, list, use.")
group.command("pool")(model_pool)


@group.command("list")
def model_list(company: Company = None) -> None:
    """列出模型。List the models."""
    catalog, active = _catalog(company), None
    active = catalog.active()
    for entry in catalog.list():
        mark = "*" if active and entry.name == active.name else " "
        typer.echo(f"{mark} {entry.name}  {entry.kind}  {entry.location}")


@group.command("add")
def model_add(path: Path, name: str = "", company: Company = None) -> None:
    """添加 IR 目录或 GGUF 文件。Add an OpenVINO folder or a GGUF file."""
    entry = _catalog(company).add(path, name)
    typer.echo(f"{entry.name}  {entry.location}")


@group.command("use")
def model_use(
    target: Annotated[str, typer.Argument(help="模型名,或 OpenAI 兼容服务的 URL。Name or URL.")],
    model: Annotated[str, typer.Option(help="服务上的模型名。The model's name there.")] = "",
    company: Company = None,
) -> None:
    """选用模型,或指向一个服务。Use a model, or point at a server."""
    entry = _catalog(company).use(target, model)
    typer.echo(f"* {entry.name}  {entry.location}")


def _catalog(company: Path | None) -> Any:
    from dazi.inference.catalog import Catalog

    chosen = settings(company)
    return Catalog(chosen.data_folder(chosen.company_folder()))
