"""``dazi audit``: the ledger."""

from __future__ import annotations

import asyncio
from datetime import datetime
from getpass import getuser
from pathlib import Path
from typing import Annotated

import typer

from dazi.core.errors import CallerError
from dazi.core.language import Language
from dazi.main.commands.options import Company, Json, language, settings

group = typer.Typer(no_args_is_help=True, help="审计账本。The audit ledger.")
hold_app = typer.Typer(
    no_args_is_help=True, help="法律保全:不许删、不许抹。Legal holds: neither removed nor erased."
)
group.add_typer(hold_app, name="hold")

_TIMES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]
Since = Annotated[datetime | None, typer.Option(formats=_TIMES, help="从何时起(含)。From then on.")]
Until = Annotated[
    datetime | None, typer.Option(formats=_TIMES, help="到何时止(不含)。Up to then, without it.")
]
Of = Annotated[str, typer.Option("--user", help="谁的记录。Whose records.")]
Turn = Annotated[str, typer.Option(help="某一轮。One turn.")]
Reason = Annotated[str, typer.Option(help="理由,写进账本。Why; it goes on record.")]
Person = Annotated[str, typer.Option("--as", help="谁在操作,默认系统用户。Who does this.")]
PublicKey = Annotated[
    Path | None,
    typer.Option(help="只信这把公钥(PEM)和它签过的。Trust this public key and what it leads to."),
]
Days = Annotated[int, typer.Option(help="保留几天,至少 184。Days to keep, 184 at least.")]


@group.command("show")
def audit_show(
    turn: Annotated[str, typer.Argument(help="某一轮,默认最近的记录。")] = "",
    limit: int = 20,
    company: Company = None,
) -> None:
    """看审计记录。Show audit records."""
    from dazi.audit.search import Query
    from dazi.main.auditing import as_lines, find

    found = asyncio.run(find(settings(company), Query(turn=turn), limit))
    for line in as_lines(found, language()):
        typer.echo(line)


@group.command("search")
def audit_search(
    text: Annotated[str, typer.Argument(help="内容里的字。What is in the content.")] = "",
    user: Of = "",
    kind: Annotated[str, typer.Option(help="种类。The kind.")] = "",
    tool: Annotated[str, typer.Option(help="工具。The tool.")] = "",
    turn: Turn = "",
    outcome: Annotated[str, typer.Option(help="调用的结局。What came of a call.")] = "",
    thread: Annotated[str, typer.Option(help="某个会话的轮次。The turns of a conversation.")] = "",
    since: Since = None,
    until: Until = None,
    limit: int = 20,
    json_out: Json = False,
    company: Company = None,
) -> None:
    """按内容、用户、种类、工具、轮次、结局、会话、时间找记录。Look for records."""
    from dazi.audit.search import Query
    from dazi.main.auditing import as_json, as_lines, find

    times = _seconds(since), _seconds(until)
    query = Query(text, user, kind, tool, turn, *times, outcome, thread)
    found = asyncio.run(find(settings(company), query, limit))
    typer.echo(as_json(found) if json_out else "\n".join(as_lines(found, language())))


@group.command("verify")
def audit_verify(
    file: Annotated[
        Path | None, typer.Option(help="核对一个导出文件。Verify an exported file instead.")
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(help="另存在别处的检查点。Checkpoints that were kept elsewhere."),
    ] = None,
    public_key: PublicKey = None,
    company: Company = None,
) -> None:
    """核对哈希链、签名和检查点。Verify the chain, the signatures and the checkpoints."""
    from dazi.main.auditing import check, check_file

    chosen = settings(company)
    if file is not None:
        ok, line = check_file(chosen, language(), file, public_key)
    else:
        ok, line = asyncio.run(check(chosen, language(), checkpoint, public_key))
    typer.echo(line)
    raise typer.Exit(0 if ok else 1)


@group.command("checkpoint")
def audit_checkpoint(
    out: Annotated[
        Path | None, typer.Option(help="也追加到这个文件,好存到别处。Add it to this file too.")
    ] = None,
    company: Company = None,
) -> None:
    """给账本的末尾签一个检查点。Sign what the ledger's end is now."""
    from dazi.main.auditing import checkpoint

    typer.echo(asyncio.run(checkpoint(settings(company), out)))


@group.command("key")
def audit_key(
    out: Annotated[Path | None, typer.Option(help="写到文件。Write it to a file.")] = None,
    rotate: Annotated[
        bool, typer.Option("--rotate", help="换一把新的签名密钥。Sign with a new key from now on.")
    ] = False,
    person: Person = "",
    company: Company = None,
) -> None:
    """签名用的公钥(PEM)。The public key of the checkpoints."""
    from dazi.main.auditing import public_key

    pem = asyncio.run(public_key(settings(company), out, rotate, person or getuser()))
    typer.echo(pem, nl=False)


@group.command("export")
def audit_export(
    form: Annotated[str, typer.Option("--format", help="jsonl 或 csv。")] = "jsonl",
    since: Since = None,
    until: Until = None,
    user: Of = "",
    out: Annotated[Path | None, typer.Option(help="写到文件。Write to a file.")] = None,
    sealed: Annotated[
        bool, typer.Option("--sealed", help="内容保持加密。Leave the content encrypted.")
    ] = False,
    company: Company = None,
) -> None:
    """导出记录。Export records."""
    from dazi.audit.search import Query
    from dazi.main.auditing import export

    if form not in ("jsonl", "csv"):
        raise CallerError("format", "格式只能是 jsonl 或 csv", "the format is either jsonl or csv")
    query = Query(user=user, since=_seconds(since), until=_seconds(until))
    count = asyncio.run(export(settings(company), query, form, out, sealed=sealed))  # type: ignore[arg-type]
    if out is not None:
        typer.echo(f"{count}  {out}")


@group.command("prune")
def audit_prune(
    days: Days = 365,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="只说会删什么。Only say what would go.")
    ] = False,
    person: Person = "",
    company: Company = None,
) -> None:
    """删除过了保留期、没有被保全的记录。Remove what is older than that and not held."""
    from dazi.main.auditing import prune, pruned_text

    done = asyncio.run(prune(settings(company), days, person or getuser(), dry_run=dry_run))
    typer.echo(pruned_text(done, days, dry_run=dry_run)(language()))


@group.command("erase")
def audit_erase(
    user: Of,
    reason: Reason,
    person: Person = "",
    company: Company = None,
) -> None:
    """销毁一个人的密钥,其记录的内容从此不可读。Destroy a person's key: what it sealed is gone."""
    from dazi.main.erasing import erase

    done = asyncio.run(erase(settings(company), user, person or getuser(), reason))
    typer.echo(done(language()))


@hold_app.command("add")
def audit_hold_add(
    reason: Reason,
    user: Of = "",
    turn: Turn = "",
    since: Since = None,
    until: Until = None,
    person: Person = "",
    company: Company = None,
) -> None:
    """保全一个人、一轮或一段时间的记录。Hold the records of a person, a turn or a time."""
    from dazi.audit.holds import Scope
    from dazi.main.auditing import hold_add, hold_text

    scope = Scope(user or None, turn or None, _seconds(since), _seconds(until))
    hold = asyncio.run(hold_add(settings(company), scope, person or getuser(), reason))
    typer.echo(hold_text(hold))


@hold_app.command("list")
def audit_hold_list(company: Company = None) -> None:
    """生效的保全。The holds that are active."""
    from dazi.main.auditing import hold_list, hold_text

    for hold in asyncio.run(hold_list(settings(company))):
        typer.echo(hold_text(hold))


@hold_app.command("release")
def audit_hold_release(
    number: Annotated[str, typer.Argument(help="保全编号。The hold.")],
    reason: Reason,
    person: Person = "",
    company: Company = None,
) -> None:
    """解除保全。End a hold."""
    from dazi.main.auditing import hold_release

    asyncio.run(hold_release(settings(company), number, person or getuser(), reason))
    typer.echo(number)


@group.command("compliance")
def audit_compliance(
    framework: Annotated[
        list[str] | None,
        typer.Option(
            help="只看这个框架,可重复:mlps、gdpr、pipl、iso27001、ai-labels。Only this one; repeatable."
        ),
    ] = None,
    days: Annotated[
        float, typer.Option(min=1, help="看几天内的记录。Records of so many days.")
    ] = 90,
    backups: Annotated[
        Path | None, typer.Option(help="备份所在的目录,默认做过备份的地方。Where backups are.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="写成一个网页文件。Write it as one HTML file.")
    ] = None,
    lang: Annotated[str, typer.Option(help="zh 或 en,默认界面语言。zh or en.")] = "",
    strict: Annotated[
        bool, typer.Option("--strict", help="有不通过的就退出码 1。Exit with 1 if any fails.")
    ] = False,
    json_out: Json = False,
    company: Company = None,
) -> None:
    """合规矩阵:逐项检查这套系统,给出证据和改法。Check this installation against frameworks."""
    from dazi.main.compliance import Wanted, as_json_text, as_text, report, save_page

    if lang not in ("", "zh", "en"):
        raise CallerError("lang", "--lang 只能是 zh 或 en", "--lang is zh or en")
    chosen: Language = "en" if lang == "en" else "zh" if lang == "zh" else language()
    wanted = Wanted(tuple(framework or ()), days, (backups,) if backups else ())
    found = asyncio.run(report(settings(company), wanted))
    if html is not None:
        save_page(found, chosen, html)
    for line in [as_json_text(found)] if json_out else as_text(found, chosen):
        typer.echo(line)
    raise typer.Exit(1 if strict and found.failed else 0)


def _seconds(at: datetime | None) -> float | None:
    return at.timestamp() if at is not None else None
