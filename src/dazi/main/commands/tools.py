"""``dazi tool``: what is declared, imported, decided and left unknown."""

from __future__ import annotations

import asyncio
from getpass import getuser
from typing import Annotated

import typer

from dazi.core.errors import CallerError
from dazi.main.commands.options import Company, Json, Today, language, settings

group = typer.Typer(no_args_is_help=True, help="工具。Tools.")
import_app = typer.Typer(no_args_is_help=True, help="导入工具。Import tools.")
group.add_typer(import_app, name="import")


@group.command("list")
def tool_list(company: Company = None) -> None:
    """列出声明的工具、角色和影响。List the declared tools."""
    from dazi.main.company import load_company
    from dazi.packs.layers import layers_of

    folder = settings(company).company_folder()
    loaded, layers = load_company(folder), layers_of(folder)
    for tool in loaded.tools.values():
        roles = ", ".join(sorted(tool.roles))
        pack = layers.whence(tool.source)
        whence = f"  ← {pack}" if pack else ""
        typer.echo(
            f"{tool.name}  [{tool.effect}]  {tool.description(language())}  ({roles}){whence}"
        )


@import_app.command("openapi")
def tool_import_openapi(
    source: Annotated[str, typer.Argument(help="OpenAPI 3 文档:文件或网址。File or URL.")],
    service: Annotated[
        str, typer.Option(help="dazi.toml 里 [services] 的名字。The name in [services].")
    ],
    role: Annotated[list[str], typer.Option(help="谁能用,可写多次。Who may use them.")],
    only: Annotated[
        list[str] | None,
        typer.Option(help="只导入这些 operationId,可写多次。Only these operations."),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="覆盖已有的文件。Write over existing files.")
    ] = False,
    company: Company = None,
) -> None:
    """从 OpenAPI 文档生成工具声明。Declare tools from an OpenAPI document."""
    from dazi.main.importing import ImportRequest, import_openapi

    request = ImportRequest(source, service, tuple(only or ()), tuple(role), replace)
    folder = settings(company).company_folder()
    for line in import_openapi(folder, request, language()):
        typer.echo(line)


@import_app.command("mcp")
def tool_import_mcp(
    service: Annotated[
        str,
        typer.Argument(
            help="取个名字;没有 --command 时是 [services] 里的名字。A name; or a service's."
        ),
    ],
    role: Annotated[list[str], typer.Option(help="谁能用,可写多次。Who may use them.")],
    command: Annotated[
        str, typer.Option(help="启动服务器的命令,如 'python -m mcp_server_time'。What starts it.")
    ] = "",
    only: Annotated[
        list[str] | None, typer.Option(help="只导入这些工具,可写多次。Only these tools.")
    ] = None,
    token_env: Annotated[
        str, typer.Option(help="访问令牌在哪个环境变量里。The variable that holds its token.")
    ] = "",
    token_file: Annotated[
        str, typer.Option(help="访问令牌在哪个文件里。The file that holds its token.")
    ] = "",
    replace: Annotated[
        bool, typer.Option("--replace", help="覆盖已有的文件。Write over existing files.")
    ] = False,
    company: Company = None,
) -> None:
    """从 MCP 服务器生成工具声明,并钉住它们现在的样子。Declare an MCP server's tools, pinned as they are."""
    from dazi.main.importing import ImportRequest, McpRequest, import_mcp

    basis = ImportRequest(command or service, service, tuple(only or ()), tuple(role), replace)
    folder = settings(company).company_folder()
    for line in import_mcp(folder, McpRequest(basis, command, token_env, token_file), language()):
        typer.echo(line)


@group.command("unknown")
def tool_unknown(json_out: Json = False, company: Company = None) -> None:
    """结果不明、需要人核实的操作。Effects whose outcome nobody knows."""
    from dazi.main.effects import as_json, as_text, unknown

    found = asyncio.run(unknown(settings(company)))
    typer.echo(as_json(found) if json_out else as_text(found, language()))


@group.command("explain")
def tool_explain(
    user: Annotated[str, typer.Argument(help="谁。Who.")],
    tool: Annotated[str, typer.Argument(help="工具名。The tool.")],
    arguments: Annotated[str, typer.Argument(help="参数,JSON。Arguments, JSON.")] = "{}",
    source: Annotated[
        list[str] | None,
        typer.Option(
            help="某个参数不是本人说的:参数=来源,如 to=mail:inbox。An argument that somebody else said."
        ),
    ] = None,
    json_out: Json = False,
    company: Company = None,
    today: Today = None,
) -> None:
    """这个人能不能这样调用,要谁同意,由哪条策略决定。May they, who must agree, and which policy decides."""
    from dazi.core.messages import CallText
    from dazi.main.explaining import as_json, as_text, explain

    sources = dict(s.split("=", 1) for s in source or () if "=" in s)
    call = CallText("explain", tool, arguments)
    found = explain(settings(company, today), user, call, sources, language())
    typer.echo(as_json(found) if json_out else as_text(found, language()))


@group.command("settle")
def tool_settle(
    key: Annotated[
        str, typer.Argument(help="dazi tool unknown 列出的编号。The key it is listed by.")
    ],
    outcome: Annotated[str, typer.Argument(help="done 或 failed。")],
    note: Annotated[str, typer.Option(help="怎么核实的。How it was found out.")] = "",
    person: Annotated[str, typer.Option("--as", help="谁核实的,默认系统用户。Who found out.")] = "",
    company: Company = None,
) -> None:
    """记下人工核实的结果。Write down what came of an effect of unknown outcome."""
    from dazi.main.effects import settle

    if outcome not in ("done", "failed"):
        raise CallerError(
            "outcome", "结果只能是 done 或 failed", "the outcome is either done or failed"
        )
    intent = asyncio.run(settle(settings(company), key, outcome, person or getuser(), note))  # type: ignore[arg-type]
    typer.echo(f"{intent.tool}  {intent.state}  {intent.key}")
