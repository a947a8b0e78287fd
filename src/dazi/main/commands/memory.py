"""``dazi memory``: what a person wants remembered."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from dazi.main.commands.options import Company, Json, User, language, settings

group = typer.Typer(
    no_args_is_help=True,
    help="记忆:要搭子一直记住的事。Memory: what a person wants remembered.",
)
Id = Annotated[str, typer.Argument(help="编号,见 list。Its id, from list.")]


@group.command("list")
def memory_list(user: User = "", json_out: Json = False, company: Company = None) -> None:
    """列出记住的和待确认的。What is remembered, and what waits for a yes."""
    from dazi.main.remembering import list_facts

    asyncio.run(list_facts(settings(company), user, language(), json_out=json_out))


@group.command("add")
def memory_add(
    text: Annotated[str, typer.Argument(help="要记住的话。What to remember.")],
    user: User = "",
    company: Company = None,
) -> None:
    """记住一条。Remember something."""
    from dazi.main.remembering import add_fact

    asyncio.run(add_fact(settings(company), user, text, language()))


@group.command("confirm")
def memory_confirm(fact: Id, user: User = "", company: Company = None) -> None:
    """确认一条顺带听到的,之后才会用。Confirm what was noticed; only then is it used."""
    from dazi.main.remembering import confirm_fact

    asyncio.run(confirm_fact(settings(company), user, fact, language()))


@group.command("forget")
def memory_forget(fact: Id, user: User = "", company: Company = None) -> None:
    """删除一条。Delete one."""
    from dazi.main.remembering import forget_fact

    asyncio.run(forget_fact(settings(company), user, fact, language()))
