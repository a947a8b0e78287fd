"""``dazi key``: API keys."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from dazi.main.commands.options import Company, Json, language, settings

group = typer.Typer(no_args_is_help=True, help="接口密钥。API keys.")

By = Annotated[str, typer.Option("--as", help="谁的密钥,或哪个管理员。Whose, or as whom.")]
Many = list[str] | None


@group.command("add")
def key_add(
    name: Annotated[str, typer.Argument(help="给密钥取个名字。A name for the key.")],
    by: By = "",
    owner: Annotated[
        str, typer.Option("--for", help="服务账号,默认本人。A service account; oneself otherwise.")
    ] = "",
    role: Annotated[Many, typer.Option(help="只用这些角色。Only these roles.")] = None,
    tool: Annotated[Many, typer.Option(help="只用这些工具。Only these tools.")] = None,
    model: Annotated[Many, typer.Option(help="只用这些模型。Only these models.")] = None,
    channel: Annotated[Many, typer.Option(help="只从这些渠道。Only through these.")] = None,
    network: Annotated[Many, typer.Option(help="只从这些网段。Only from these ranges.")] = None,
    days: Annotated[float, typer.Option(help="有效天数。How many days it lasts.")] = 90.0,
    company: Company = None,
) -> None:
    """新建密钥,只显示一次。Make a key; it is shown once."""
    from dazi.access.keys import Draft, Scope
    from dazi.main.accounts import add_key, when

    scope = Scope(
        frozenset(role or ()),
        frozenset(tool or ()),
        frozenset(model or ()),
        frozenset(channel or ()),
        tuple(network or ()),
    )
    draft = Draft("", owner, name, scope, days)
    text, once, ends = asyncio.run(add_key(settings(company), by, draft, language()))
    typer.echo(text)
    typer.echo(f"{once}; {when(ends)}", err=True)


@group.command("list")
def key_list(
    user: Annotated[str, typer.Argument(help="谁的,默认全部。Whose; all otherwise.")] = "",
    json_out: Json = False,
    by: By = "",
    company: Company = None,
) -> None:
    """列出密钥,不含密钥本身。List the keys, without their secrets."""
    from dazi.main.accounts import NOTHING, as_json, key_line, keys, plain_key

    found = asyncio.run(keys(settings(company), by, user))
    if json_out:
        typer.echo(as_json([plain_key(k) for k in found]))
        return
    for key in found:
        typer.echo(key_line(key, language()))
    if not found:
        typer.echo(NOTHING(language()))


@group.command("revoke")
def key_revoke(
    key: Annotated[str, typer.Argument(help="编号或前缀。Its id or prefix.")],
    by: By = "",
    company: Company = None,
) -> None:
    """吊销密钥:正在用它的对话 5 秒内结束。Revoke: what runs on it ends within 5 seconds."""
    from dazi.main.accounts import revoke_key

    asyncio.run(revoke_key(settings(company), by, key))
