"""``dazi channels``: messaging channels."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from dazi.main.commands.options import Company, Json, language, settings

group = typer.Typer(
    no_args_is_help=True, help="消息渠道:企业微信、钉钉。Messaging channels: WeCom, DingTalk."
)
Channel = Annotated[str, typer.Argument(help="渠道名,见 list。The channel, from list.")]
Who = Annotated[str, typer.Argument(help="用户名。The user.")]
By = Annotated[
    str,
    typer.Option("--as", help="以哪个管理员的身份。As which administrator."),
]


@group.command("list")
def channels_list(by: By = "", json_out: Json = False, company: Company = None) -> None:
    """渠道、等着处理的消息和绑定。Channels, what waits there, and who is bound."""
    from dazi.main.channel_desk import listed

    for line in asyncio.run(listed(settings(company), by, language(), json_out=json_out)):
        typer.echo(line)


@group.command("test")
def channels_test(channel: Channel, user: Who, company: Company = None) -> None:
    """给一个人发一条测试消息。Send somebody a test message."""
    from dazi.main.channel_desk import send_test

    typer.echo(asyncio.run(send_test(settings(company), channel, user))(language()))


@group.command("bind")
def channels_bind(
    channel: Channel,
    user: Who,
    vendor_id: Annotated[str, typer.Argument(help="此人在那边的账号。What the vendor calls them.")],
    by: By = "",
    company: Company = None,
) -> None:
    """把厂商账号绑定到用户。Bind a vendor's account to a user."""
    from dazi.main.channel_desk import bind

    asyncio.run(bind(settings(company), by, channel, user, vendor_id))


@group.command("unbind")
def channels_unbind(channel: Channel, user: Who, by: By = "", company: Company = None) -> None:
    """解除绑定。Undo a binding."""
    from dazi.main.channel_desk import unbind

    asyncio.run(unbind(settings(company), by, channel, user))
