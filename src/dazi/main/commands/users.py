"""``dazi user``: accounts, their roles, passwords, second factors and sessions."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from dazi.core.errors import CallerError
from dazi.core.language import Text
from dazi.main.commands.options import Company, Json, language, settings

group = typer.Typer(no_args_is_help=True, help="账号。Accounts.")

Who = Annotated[str, typer.Argument(help="用户名。The user.")]
By = Annotated[
    str,
    typer.Option("--as", help="以哪个管理员的身份。As which administrator."),
]
Attribute = Annotated[
    list[str] | None, typer.Option(help="身份属性 键=值,可写多次。Attribute KEY=VALUE.")
]


@group.command("add")
def user_add(
    user: Who,
    name: Annotated[str, typer.Option(help="姓名。Name in Chinese.")] = "",
    name_en: Annotated[str, typer.Option(help="英文名。Name in English.")] = "",
    role: Annotated[
        list[str] | None,
        typer.Option(help="申请的角色,可写多次,由安全管理员确认。Roles to ask for."),
    ] = None,
    department: Annotated[str, typer.Option(help="部门。Department.")] = "",
    attribute: Attribute = None,
    service: Annotated[
        bool, typer.Option("--service", help="服务账号:没有密码,只用密钥。No person: keys only.")
    ] = False,
    by: By = "",
    company: Company = None,
) -> None:
    """新建账号,一次性密码只显示一次。Make an account; its one-time password is shown once."""
    from dazi.access.accounts import Account
    from dazi.main.accounts import add, pairs

    account = Account(
        user,
        Text(name or name_en or user, name_en or name or user),
        frozenset(role or ()),
        department,
        attributes=pairs(attribute or ()),
        kind="service" if service else "person",
    )
    for line in asyncio.run(add(settings(company), by, account, language())):
        typer.echo(line)


@group.command("list")
def user_list(json_out: Json = False, by: By = "", company: Company = None) -> None:
    """列出账号,包括写在 dazi.toml 里的。List the accounts, those of dazi.toml too."""
    from dazi.main.accounts import NOBODY, account_line, as_json, plain, users

    found = asyncio.run(users(settings(company), by))
    if json_out:
        typer.echo(as_json([plain(a) for a in found]))
        return
    for account in found:
        typer.echo(account_line(account, language()))
    if not found:
        typer.echo(NOBODY(language()))


@group.command("show")
def user_show(user: Who, by: By = "", company: Company = None) -> None:
    """看一个账号,JSON。Show one account, as JSON."""
    from dazi.main.accounts import as_json, show

    typer.echo(as_json(asyncio.run(show(settings(company), by, user))))


@group.command("edit")
def user_edit(
    user: Who,
    name: Annotated[str | None, typer.Option(help="姓名。Name in Chinese.")] = None,
    name_en: Annotated[str | None, typer.Option(help="英文名。Name in English.")] = None,
    department: Annotated[str | None, typer.Option(help="部门。Department.")] = None,
    attribute: Attribute = None,
    by: By = "",
    company: Company = None,
) -> None:
    """改姓名、部门、属性。Change name, department or attributes."""
    from dazi.access.accounts import Edit
    from dazi.main.accounts import edit, pairs

    named = Text(name or name_en or "", name_en or name or "") if name or name_en else None
    change = Edit(named, department, pairs(attribute) if attribute is not None else None)
    asyncio.run(edit(settings(company), by, user, change))


@group.command("disable")
def user_disable(user: Who, by: By = "", company: Company = None) -> None:
    """停用:会话立即结束,密钥停止使用。Disable: sessions end, keys stop working."""
    from dazi.main.accounts import set_state

    asyncio.run(set_state(settings(company), by, user, "disable"))


@group.command("enable")
def user_enable(user: Who, by: By = "", company: Company = None) -> None:
    """重新启用。Enable again."""
    from dazi.main.accounts import set_state

    asyncio.run(set_state(settings(company), by, user, "enable"))


@group.command("delete")
def user_delete(user: Who, by: By = "", company: Company = None) -> None:
    """删除账号和密钥;用户名不再分配给别人。Delete; the name stays taken."""
    from dazi.main.accounts import set_state

    asyncio.run(set_state(settings(company), by, user, "delete"))


@group.command("password")
def user_password(user: Who, by: By = "", company: Company = None) -> None:
    """换成一次性密码,只显示一次。Set a one-time password, shown once."""
    from dazi.main.accounts import reset_password

    typer.echo(asyncio.run(reset_password(settings(company), by, user, language())))


@group.command("roles")
def user_roles(
    user: Annotated[str, typer.Argument(help="用户名。The user.")] = "",
    give: Annotated[list[str] | None, typer.Option(help="授予的角色。Roles to give.")] = None,
    take: Annotated[list[str] | None, typer.Option(help="收回的角色。Roles to take.")] = None,
    confirm: Annotated[str, typer.Option(help="确认一个申请。Confirm a request.")] = "",
    decline: Annotated[str, typer.Option(help="拒绝一个申请。Decline a request.")] = "",
    by: By = "",
    company: Company = None,
) -> None:
    """授予、收回角色;什么都不写时列出等待确认的申请。Give or take roles; or list what waits."""
    from dazi.main.accounts import NOTHING, change_roles, decide, pending, waiting_line

    chosen = settings(company)
    if sum(map(bool, (give, take, confirm, decline))) > 1:
        raise CallerError(
            "one_at_a_time",
            "--give、--take、--confirm、--decline 一次只用一个",
            "use one of --give, --take, --confirm and --decline at a time",
        )
    if confirm or decline:
        request = asyncio.run(decide(chosen, by, confirm or decline, bool(confirm)))
        typer.echo(f"{request.change.user}  {', '.join(sorted(request.change.roles))}")
    elif give or take:
        waits = asyncio.run(change_roles(chosen, by, user, give or take or (), bool(give)))
        if waits is not None:
            typer.echo(waiting_line(waits, language()))
    else:
        found = asyncio.run(pending(chosen, by))
        for request in found:
            typer.echo(waiting_line(request, language()))
        if not found:
            typer.echo(NOTHING(language()))


@group.command("unlock")
def user_unlock(user: Who, by: By = "", company: Company = None) -> None:
    """解锁:错得太多被锁的密码或验证码。End the pause after wrong passwords or codes."""
    from dazi.main.accounts import unlock

    asyncio.run(unlock(settings(company), by, user))


@group.command("totp")
def user_totp(user: Who, by: By = "", company: Company = None) -> None:
    """重置两步验证:手机丢了,下次登录重新绑定。Reset the second factor of someone who lost it."""
    from dazi.main.accounts import reset_second_factor

    asyncio.run(reset_second_factor(settings(company), by, user))


@group.command("sessions")
def user_sessions(
    user: Who,
    end: Annotated[bool, typer.Option("--end", help="全部结束。End them all.")] = False,
    by: By = "",
    company: Company = None,
) -> None:
    """列出登录的会话。List the sessions."""
    from dazi.main.accounts import NOTHING, session_line, sessions

    found = asyncio.run(sessions(settings(company), by, user, end))
    for session in found:
        typer.echo(session_line(session))
    if not found:
        typer.echo(NOTHING(language()))
