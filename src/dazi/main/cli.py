"""The ``dazi`` command. Every command is a thin shell around a function elsewhere."""

from __future__ import annotations

import asyncio
import os
import sys
import traceback
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from dazi.core.errors import DaziError
from dazi.core.language import language_of
from dazi.main import collecting
from dazi.main.commands.options import (
    Company,
    Json,
    Model,
    ShowContext,
    Today,
    User,
    language,
    settings,
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="搭子:公司自己机器上的 AI 同事。Dazi: the AI workmate on your own machines.",
)
GROUPS = {
    "review": "commands.review", "model": "commands.models", "eval": "commands.evals", "tool": "commands.tools",
    "knowledge": "commands.knowledge", "memory": "commands.memory", "threads": "commands.threads",
    "risk": "commands.risk", "jobs": "commands.jobs", "report": "commands.reports", "desk": "commands.desk",
    "audit": "commands.audit", "guard": "guarding", "user": "commands.users", "key": "commands.keys",
    "approvals": "commands.approvals", "prompts": "commands.prompts", "experiments": "commands.experiments",
    "alerts": "commands.alerts", "plan": "commands.plan", "channels": "commands.channels",
    "tune": "commands.tune", "feedback": "commands.feedback",
}  # fmt: skip
"""Groups of commands by name, with the modules that have them."""
SINGLE = {"backup": "backup", "restore": "backup"}
"""Commands of other modules, with the module in ``commands``."""
ALONE = frozenset({"serve", "ask", "chat", "init", "check", "doctor"})
"""The commands of this module."""


def add(names: Iterable[str]) -> typer.Typer:
    """``app`` with these groups and single commands. To import and take apart each of the hundred takes longer than
    most of them run."""
    present = {g.name for g in app.registered_groups} | {c.name for c in app.registered_commands}
    for name in names:
        if name in present:
            continue
        if name in GROUPS:
            app.add_typer(import_module(f"dazi.main.{GROUPS[name]}").group, name=name)
        else:
            module = import_module(f"dazi.main.commands.{SINGLE[name]}")
            app.command(name)(getattr(module, name))
    return app


def complete() -> typer.Typer:
    """``app`` with everything that it can."""
    return add([*GROUPS, *SINGLE])


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
    show_context: ShowContext = False,
) -> None:
    """问一句,看调用和回答。Ask one question; see the calls and the answer."""
    from dazi.main.terminal import Telling, ask_once

    chosen = settings(company, today, model)
    how = Telling(json_out, approve, show_context)
    asyncio.run(ask_once(chosen, question, user, how))


@app.command()
def chat(
    user: User = "",
    company: Company = None,
    today: Today = None,
    model: Model = "",
    show_context: ShowContext = False,
) -> None:
    """在终端里对话。Chat in the terminal."""
    from dazi.main.terminal import chat as run_chat

    chosen = settings(company, today, model)
    asyncio.run(run_chat(chosen, user, language(), show_context=show_context))


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="新目录。The folder to make.")],
    pack: Annotated[
        str,
        typer.Option(help="建在哪个包上:finance、retail 或一个目录。The pack that it extends."),
    ] = "",
) -> None:
    """生成一个公司目录样例。Make a company folder to start from."""
    from dazi.main.initialise import initialise

    for line in initialise(folder, language(), pack):
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


def _wanted(first: str) -> typer.Typer:
    """What the first word asks for; everything, where it is no command or a typing error."""
    if first in ALONE:
        return app
    return add([first]) if first in GROUPS or first in SINGLE else complete()


BUG = 70
"""The exit status where Dazi itself went wrong (EX_SOFTWARE of sysexits.h)."""


def run() -> None:
    """The entry point: errors are one clear line, and never a traceback for what people do."""
    collecting.starting()
    try:
        _wanted(next((a for a in sys.argv[1:] if not a.startswith("-")), ""))()
    except DaziError as e:
        asked = next((a for a in sys.argv[2:] if not a.startswith("-")), "")
        known = bool(os.environ.get("DAZI_LANG") or os.environ.get("LANG"))
        typer.echo(e.message(language() if known or not asked else language_of(asked)), err=True)
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except Exception:  # 1 says that a check did not pass
        traceback.print_exc()
        raise SystemExit(BUG) from None
