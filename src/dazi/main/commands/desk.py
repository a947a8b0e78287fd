"""``dazi desk``: the service desk."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from dazi.apps.desk.model import Act
from dazi.main.commands.options import Company, Json, User, language, settings

group = typer.Typer(
    no_args_is_help=True,
    help="服务台:队列、工单、回复、统计、意图。Service desk: queue, tickets, replies, figures, intents.",
)
Id = Annotated[str, typer.Argument(help="工单号,见 list。The ticket, from list.")]
Why = Annotated[str, typer.Argument(help="说明或原因。What to say, or why.")]
Canned = Annotated[str, typer.Option("--canned", help="用这条快捷回复。Use this canned reply.")]


@group.command("list")
def desk_list(
    state: Annotated[
        str,
        typer.Option(
            "--state",
            help="alive(默认)、all 或一种状态。alive (the default), all, or one state.",
        ),
    ] = "alive",
    mine: Annotated[bool, typer.Option("--mine", help="只看分给我的。Only my own.")] = False,
    unassigned: Annotated[
        bool, typer.Option("--unassigned", help="只看没人接的。Only what nobody has.")
    ] = False,
    category: Annotated[str, typer.Option("--category", help="一个类别。One category.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="最多几张。How many at most.")] = 50,
    user: User = "",
    json_out: Json = False,
    company: Company = None,
) -> None:
    """队列:先到期的在前。The queue: what is due first comes first."""
    from dazi.apps.desk.records import Wanted
    from dazi.main.desk_terminal import list_tickets, states_of

    wanted = Wanted(
        states=states_of(state),
        category=category,
        unassigned=unassigned,
        limit=limit,
    )
    asyncio.run(
        list_tickets(settings(company), user, language(), wanted, mine=mine, json_out=json_out)
    )


@group.command("show")
def desk_show(ticket: Id, user: User = "", json_out: Json = False, company: Company = None) -> None:
    """看一张工单:时限、摘要、经过、现在可以做什么。A ticket: clocks, summary, events, what is possible."""
    from dazi.main.desk_terminal import show_ticket

    asyncio.run(show_ticket(settings(company), user, ticket, language(), json_out=json_out))


@group.command("take")
def desk_take(
    ticket: Id,
    to: Annotated[
        str, typer.Option("--to", help="分给谁,默认自己;主管可用。To whom; for supervisors.")
    ] = "",
    user: User = "",
    company: Company = None,
) -> None:
    """接单。Take a ticket, or give it to somebody."""
    from dazi.main.desk_terminal import do

    asyncio.run(do(settings(company), user, ticket, "assign", language(), to=to))


@group.command("reply")
def desk_reply(
    ticket: Id,
    text: Why = "",
    canned: Canned = "",
    user: User = "",
    company: Company = None,
) -> None:
    """回复客户;写进客户的会话。Answer the customer, in their conversation."""
    from dazi.main.desk_terminal import do

    asyncio.run(do(settings(company), user, ticket, "reply", language(), text, canned))


@group.command("wait")
def desk_wait(
    ticket: Id,
    text: Why = "",
    inside: Annotated[
        bool,
        typer.Option("--inside", help="等内部,时限照走。For somebody inside; clocks go on."),
    ] = False,
    canned: Canned = "",
    user: User = "",
    company: Company = None,
) -> None:
    """问客户并等答复,解决时限暂停。Ask the customer and wait: the resolution clock stands."""
    from dazi.main.desk_terminal import do

    act: Act = "wait_inside" if inside else "ask_customer"
    asyncio.run(do(settings(company), user, ticket, act, language(), text, canned))


@group.command("resolve")
def desk_resolve(ticket: Id, text: Why = "", user: User = "", company: Company = None) -> None:
    """标为已解决。Mark as resolved."""
    from dazi.main.desk_terminal import do

    asyncio.run(do(settings(company), user, ticket, "resolve", language(), text))


@group.command("reopen")
def desk_reopen(ticket: Id, text: Why = "", user: User = "", company: Company = None) -> None:
    """重新打开,解决后若干天内。Open again, within the days that are set."""
    from dazi.main.desk_terminal import do

    asyncio.run(do(settings(company), user, ticket, "reopen", language(), text))


@group.command("stats")
def desk_stats(
    days: Annotated[int, typer.Option(min=1, max=3660, help="最近几天。Of so many days.")] = 28,
    user: User = "",
    json_out: Json = False,
    company: Company = None,
) -> None:
    """统计:首次回复、解决、无人工解决率、意图(主管)。Figures, for supervisors."""
    from dazi.main.desk_terminal import show_statistics

    asyncio.run(show_statistics(settings(company), user, days, language(), json_out=json_out))


@group.command("intent")
def desk_intent(
    text: Annotated[str, typer.Argument(help="客户的话。What a customer wrote.")],
    json_out: Json = False,
) -> None:
    """这句话要什么。What this message wants."""
    from dazi.main.desk_terminal import show_intent

    show_intent(text, language(), json_out=json_out)
