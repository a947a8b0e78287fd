"""``dazi model pool``."""

from __future__ import annotations

import asyncio
import json

import typer

from dazi.core.errors import CallerError
from dazi.main.commands.options import Company, Json, language, settings


def model_pool(company: Company = None, as_json: Json = False) -> None:
    """看 models.yaml 里的模型服务是否正常。How the servers of models.yaml are."""
    from dazi.main.pool import FILE, pool_file
    from dazi.main.pool_report import looked_at

    chosen = settings(company)
    path = pool_file(chosen)
    if path is None:
        at = chosen.company_folder() / FILE
        raise CallerError(
            "no_pool",
            f"没有 {at};见 docs/zh/pool.md,或用 DAZI_POOL 指定文件",
            f"there is no {at}; see docs/en/pool.md, or name a file with DAZI_POOL",
        )
    found = asyncio.run(looked_at(chosen, chosen.data_folder(chosen.company_folder()), path))
    if as_json:
        typer.echo(json.dumps([one.as_json() for one in found], ensure_ascii=False))
    else:
        for one in found:
            typer.echo(one.told(language()))
    if any(one.trouble is not None for one in found):
        raise typer.Exit(1)
