"""``dazi audit``: the ledger."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from dazi.main.commands.options import Company, language, settings

group = typer.Typer(no_args_is_help=True, help="审计账本。The audit ledger.")


@group.command("show")
def audit_show(
    turn: Annotated[str, typer.Argument(help="某一轮,默认最近的记录。")] = "",
    limit: int = 20,
    company: Company = None,
) -> None:
    """看审计记录。Show audit records."""
    from dazi.main.auditing import show

    for line in asyncio.run(show(settings(company), turn, limit)):
        typer.echo(line)


@group.command("verify")
def audit_verify(company: Company = None) -> None:
    """核对哈希链。Verify the hash chain."""
    from dazi.main.auditing import verify

    ok, line = asyncio.run(verify(settings(company), language()))
    typer.echo(line)
    raise typer.Exit(0 if ok else 1)
