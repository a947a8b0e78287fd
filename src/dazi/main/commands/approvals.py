"""``dazi approvals``: what waits for somebody's word."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from dazi.main.commands.options import Company, Json, Model, Today, User, language, settings

group = typer.Typer(
    no_args_is_help=True, help="审批:别人提出、等自己决定的操作。Approvals: what others ask for."
)


@group.command("list")
def approvals_list(user: User = "", json_out: Json = False, company: Company = None) -> None:
    """列出等自己审批的操作。What waits for one's approval."""
    from dazi.main.approving import list_waiting

    asyncio.run(list_waiting(settings(company), user, language(), json_out=json_out))


@group.command("approve")
def approvals_approve(
    ticket: Annotated[str, typer.Argument(help="审批编号。The ticket.")],
    user: User = "",
    company: Company = None,
    today: Today = None,
    model: Model = "",
) -> None:
    """批准并执行。Approve, and have it done."""
    from dazi.main.approving import decide

    asyncio.run(decide(settings(company, today, model), user, ticket, True, ""))


@group.command("reject")
def approvals_reject(
    ticket: Annotated[str, typer.Argument(help="审批编号。The ticket.")],
    reason: Annotated[
        str, typer.Option(help="理由,会告诉提出的人。Why; the requester is told.")
    ] = "",
    user: User = "",
    company: Company = None,
    today: Today = None,
    model: Model = "",
) -> None:
    """不批准。Turn it down."""
    from dazi.main.approving import decide

    asyncio.run(decide(settings(company, today, model), user, ticket, False, reason))
