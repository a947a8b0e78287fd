"""The ``dazi`` command. Every command is a thin shell around a function elsewhere."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import datetime
from getpass import getuser
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from dazi.core.errors import CallerError, ConfigError, DaziError
from dazi.core.language import Language, language_of
from dazi.main.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="搭子:公司自己机器上的 AI 同事。Dazi: the AI workmate on your own machines.",
)
model_app = typer.Typer(no_args_is_help=True, help="模型:添加、列出、选用。Models: add, list, use.")
eval_app = typer.Typer(no_args_is_help=True, help="评测。Evaluations.")
tool_app = typer.Typer(no_args_is_help=True, help="工具。Tools.")
approvals_app = typer.Typer(
    no_args_is_help=True, help="审批:别人提出、等自己决定的操作。Approvals: what others ask for."
)
import_app = typer.Typer(no_args_is_help=True, help="导入工具。Import tools.")
audit_app = typer.Typer(no_args_is_help=True, help="审计账本。The audit ledger.")
app.add_typer(model_app, name="model")
app.add_typer(eval_app, name="eval")
app.add_typer(tool_app, name="tool")
tool_app.add_typer(import_app, name="import")
app.add_typer(audit_app, name="audit")
app.add_typer(approvals_app, name="approvals")

Company = Annotated[
    Path | None, typer.Option("--company", help="公司目录,默认当前目录或演示公司。Company folder.")
]
Today = Annotated[
    datetime | None,
    typer.Option("--today", formats=["%Y-%m-%d"], help="固定日期。Freeze the date."),
]
Model = Annotated[
    str, typer.Option("--model", help="模型名、目录、GGUF 或 URL。Name, folder, GGUF or URL.")
]
Json = Annotated[bool, typer.Option("--json", help="输出 JSON。Print JSON.")]
User = Annotated[
    str,
    typer.Option(
        "--as", help="以哪个用户的身份,默认第一个。As which user; the first one if not given."
    ),
]


def language() -> Language:
    """The language of messages: ``DAZI_LANG``, else the locale, else Chinese."""
    tag = os.environ.get("DAZI_LANG") or os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    return "en" if tag.lower().startswith("en") else "zh"


def settings(
    company: Path | None = None, today: datetime | None = None, model: str = "", **more: Any
) -> Settings:
    given: dict[str, Any] = {k: v for k, v in more.items() if v is not None}
    if company is not None:
        given["company"] = company
    if today is not None:
        given["today"] = today.date()
    if model:
        given["model"] = model
    try:
        return Settings(**given)
    except ValidationError as e:
        first = e.errors()[0]
        name = "DAZI_" + "_".join(map(str, first["loc"])).upper()
        raise ConfigError(
            name, None, f"设置不对:{first['msg']}", f"wrong setting: {first['msg']}"
        ) from None


@app.command()
def serve(
    company: Company = None,
    host: Annotated[str | None, typer.Option(help="监听地址。Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="端口,0 为自动。Port; 0 picks one.")] = None,
    today: Today = None,
    model: Model = "",
    check: Annotated[
        bool, typer.Option(help="启动后自问一句,走完整条路径。Ask one question on start.")
    ] = True,
) -> None:
    """启动服务:网页、OpenAI 兼容接口。Serve the page and the OpenAI-compatible API."""
    from dazi.main.serve import fast_loop
    from dazi.main.serve import serve as run_server

    chosen = settings(company, today, model, host=host, port=port)
    with asyncio.Runner(loop_factory=fast_loop()) as runner:
        runner.run(run_server(chosen, language(), check))


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="要问的话。What to ask.")],
    user: User = "",
    json_out: Json = False,
    company: Company = None,
    today: Today = None,
    model: Model = "",
    approve: Annotated[
        bool, typer.Option("--yes", help="需要确认时直接确认。Confirm what needs confirmation.")
    ] = False,
) -> None:
    """问一句,看调用和回答。Ask one question; see the calls and the answer."""
    from dazi.main.terminal import ask_once

    chosen = settings(company, today, model)
    asyncio.run(ask_once(chosen, question, user, json_out=json_out, approve=approve))


@app.command()
def chat(user: User = "", company: Company = None, today: Today = None, model: Model = "") -> None:
    """在终端里对话。Chat in the terminal."""
    from dazi.main.terminal import chat as run_chat

    asyncio.run(run_chat(settings(company, today, model), user, language()))


@app.command()
def init(folder: Annotated[Path, typer.Argument(help="新目录。The folder to make.")]) -> None:
    """生成一个公司目录样例。Make a company folder to start from."""
    from dazi.main.initialise import initialise

    for line in initialise(folder, language()):
        typer.echo(line)


@app.command()
def check(folder: Annotated[Path, typer.Argument(help="公司目录。")] = Path()) -> None:
    """检查公司目录,指出文件、行号和改法。Check a company folder."""
    from dazi.main.checking import check_folder

    for line in check_folder(folder, language()):
        typer.echo(line)


@app.command()
def doctor(company: Company = None, port: int | None = None) -> None:
    """检查这台机器:端口、内存、磁盘、模型、数据库、时钟。Check this machine."""
    from dazi.main.doctor import diagnose

    findings = asyncio.run(diagnose(settings(company, port=port)))
    for f in findings:
        typer.echo(f"{'✓' if f.ok else '✗'} {f.text(language())}")
    raise typer.Exit(0 if all(f.ok for f in findings) else 1)


@model_app.command("list")
def model_list(company: Company = None) -> None:
    """列出模型。List the models."""
    catalog, active = _catalog(company), None
    active = catalog.active()
    for entry in catalog.list():
        mark = "*" if active and entry.name == active.name else " "
        typer.echo(f"{mark} {entry.name}  {entry.kind}  {entry.location}")


@model_app.command("add")
def model_add(path: Path, name: str = "", company: Company = None) -> None:
    """添加 IR 目录或 GGUF 文件。Add an OpenVINO folder or a GGUF file."""
    entry = _catalog(company).add(path, name)
    typer.echo(f"{entry.name}  {entry.location}")


@model_app.command("use")
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


@eval_app.command("calls")
def eval_calls(
    file: Annotated[Path, typer.Argument(help="JSON Lines 用例。Cases.")],
    json_out: Json = False,
    format: Annotated[str, typer.Option(help="dazi、bfcl 或 acebench。")] = "dazi",
    limit: Annotated[int, typer.Option(help="只跑前 N 条。Only the first N.")] = 0,
    concurrency: Annotated[int, typer.Option(help="同时跑几条。Cases at once.")] = 4,
    random: Annotated[
        bool, typer.Option("--random", help="随机对照:证明不是代码在选。The random control.")
    ] = False,
    without: Annotated[
        list[str] | None,
        typer.Option(help="去掉 grammar、grounding 或 confidence,看它们值多少。Leave an aid out."),
    ] = None,
    company: Company = None,
    model: Model = "",
) -> None:
    """函数调用评测,不产生任何副作用。Function-calling evaluation; no side effects."""
    from dazi.main.evaluating import Evaluation, evaluate_calls

    aids: frozenset[Any] = frozenset(without or ())
    wanted = Evaluation(file, json_out, limit, concurrency, random, format, aids)
    code = asyncio.run(evaluate_calls(settings(company, None, model), wanted, language()))
    raise typer.Exit(code)


@tool_app.command("list")
def tool_list(company: Company = None) -> None:
    """列出声明的工具、角色和影响。List the declared tools."""
    from dazi.main.company import load_company

    loaded = load_company(settings(company).company_folder())
    for tool in loaded.tools.values():
        roles = ", ".join(sorted(tool.roles))
        typer.echo(f"{tool.name}  [{tool.effect}]  {tool.description(language())}  ({roles})")


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
    replace: Annotated[
        bool, typer.Option("--replace", help="覆盖已有的文件。Write over existing files.")
    ] = False,
    company: Company = None,
) -> None:
    """从 MCP 服务器生成工具声明,并钉住它们现在的样子。Declare an MCP server's tools, pinned as they are."""
    from dazi.main.importing import ImportRequest, McpRequest, import_mcp

    basis = ImportRequest(command or service, service, tuple(only or ()), tuple(role), replace)
    folder = settings(company).company_folder()
    for line in import_mcp(folder, McpRequest(basis, command), language()):
        typer.echo(line)


@tool_app.command("unknown")
def tool_unknown(json_out: Json = False, company: Company = None) -> None:
    """结果不明、需要人核实的操作。Effects whose outcome nobody knows."""
    from dazi.main.effects import as_json, as_text, unknown

    found = asyncio.run(unknown(settings(company)))
    typer.echo(as_json(found) if json_out else as_text(found, language()))


@tool_app.command("explain")
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


@tool_app.command("settle")
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


@approvals_app.command("list")
def approvals_list(user: User = "", json_out: Json = False, company: Company = None) -> None:
    """列出等自己审批的操作。What waits for one's approval."""
    from dazi.main.approving import list_waiting

    asyncio.run(list_waiting(settings(company), user, language(), json_out=json_out))


@approvals_app.command("approve")
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


@approvals_app.command("reject")
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


@audit_app.command("show")
def audit_show(
    turn: Annotated[str, typer.Argument(help="某一轮,默认最近的记录。")] = "",
    limit: int = 20,
    company: Company = None,
) -> None:
    """看审计记录。Show audit records."""
    from dazi.main.auditing import show

    for line in asyncio.run(show(settings(company), turn, limit)):
        typer.echo(line)


@audit_app.command("verify")
def audit_verify(company: Company = None) -> None:
    """核对哈希链。Verify the hash chain."""
    from dazi.main.auditing import verify

    ok, line = asyncio.run(verify(settings(company), language()))
    typer.echo(line)
    raise typer.Exit(0 if ok else 1)


def run() -> None:
    """The entry point: errors are one clear line, and never a traceback for what people do."""
    try:
        app()
    except DaziError as e:
        asked = next((a for a in sys.argv[2:] if not a.startswith("-")), "")
        known = bool(os.environ.get("DAZI_LANG") or os.environ.get("LANG"))
        typer.echo(e.message(language() if known or not asked else language_of(asked)), err=True)
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
