"""``dazi report``: the company's reports, run as a person, into a file."""

from __future__ import annotations

import asyncio
import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from dazi.core.errors import CallerError
from dazi.core.language import Language
from dazi.main.commands.options import Company, Json, Model, Today, User, language, settings

if TYPE_CHECKING:
    from dazi.apps.reports.rendering import FileFormat
    from dazi.main.reporting import Asked, Made
    from dazi.main.settings import Settings

group = typer.Typer(
    no_args_is_help=True, help="报表:列出、生成、比较。Reports: list, run, compare."
)


class FileKind(StrEnum):
    html = "html"
    docx = "docx"
    pdf = "pdf"
    xlsx = "xlsx"
    json = "json"


class Tongue(StrEnum):
    zh = "zh"
    en = "en"


Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="参数=值,可写多次,如 month=2025-03。PARAMETER=VALUE, repeatable."),
]
Form = Annotated[
    FileKind | None,
    typer.Option(
        "--format", help="文件格式,默认看 --out 的后缀。By the ending of --out if not given."
    ),
]
Out = Annotated[Path | None, typer.Option("--out", help="写到哪个文件。The file to write.")]
MailTo = Annotated[
    str, typer.Option("--mail-to", help="同时发邮件,要确认。Mail it too; asks for confirmation.")
]
Lang = Annotated[Tongue | None, typer.Option("--lang", help="报表的语言。The report's language.")]
Template = Annotated[
    bool, typer.Option("--no-model", help="不用模型写文字。Let no model word anything.")
]


@group.command("list")
def report_list(user: User = "", json_out: Json = False, company: Company = None) -> None:
    """列出报表、参数和谁能出;给了 --as 只列这个人的。List reports; with --as, those of that person."""
    from dazi.main.listing_reports import listed

    for line in listed(settings(company), user, language(), json_out=json_out):
        typer.echo(line)


@group.command("run")
def report_run(
    name: Annotated[str, typer.Argument(help="报表名,见 list。Its name, from list.")],
    set_: Set = None,
    form: Form = None,
    out: Out = None,
    mail_to: MailTo = "",
    lang: Lang = None,
    user: User = "",
    no_model: Template = False,
    json_out: Json = False,
    company: Company = None,
    today: Today = None,
    model: Model = "",
) -> None:
    """以某人的身份生成报表:经同样的权限、审计和限额取数。Run a report as somebody, into a file."""
    from dazi.main.reporting import Asked

    kind = _kind(form, out)
    asked = Asked(
        user, _language(lang), name, "", _given(set_), kind, out, mail_to, not no_model
    )  # fmt: skip
    _make(settings(company, today, model), asked, json_out)


@group.command("ask")
def report_ask(
    words: Annotated[
        str, typer.Argument(help="要什么,如 Q1市场部与研发部的费用对比表。What you want.")
    ],
    set_: Set = None,
    form: Form = None,
    out: Out = None,
    mail_to: MailTo = "",
    lang: Lang = None,
    user: User = "",
    no_model: Template = False,
    json_out: Json = False,
    company: Company = None,
    today: Today = None,
    model: Model = "",
) -> None:
    """用一句话要报表:认出是哪个、什么参数,再生成。Ask for a report in words."""
    from dazi.core.language import language_of
    from dazi.main.reporting import Asked

    tongue: Language = lang.value if lang is not None else language_of(words)
    kind = _kind(form, out)
    asked = Asked(user, tongue, "", words, _given(set_), kind, out, mail_to, not no_model)
    _make(settings(company, today, model), asked, json_out)


@group.command("compare")
def report_compare(
    old: Annotated[Path, typer.Argument(help="旧的,JSON。The older one, JSON.")],
    new: Annotated[Path, typer.Argument(help="新的,JSON。The newer one, JSON.")],
    json_out: Json = False,
) -> None:
    """比较同一报表的两次结果,列出变了的格子。What has changed between two runs of a report."""
    from dazi.main.listing_reports import compared

    for line in compared(old, new, language(), json_out=json_out):
        typer.echo(line)


def _make(chosen: Settings, asked: Asked, json_out: bool) -> None:
    from dazi.main.listing_reports import as_lines, as_object
    from dazi.main.reporting import make

    made: Made = asyncio.run(make(chosen, asked))
    if json_out:
        typer.echo(json.dumps(as_object(made), ensure_ascii=False, indent=1))
    else:
        for line in as_lines(made):
            typer.echo(line)


def _language(lang: Tongue | None) -> Language:
    return lang.value if lang is not None else language()


def _kind(form: FileKind | None, out: Path | None) -> FileFormat:
    ending = out.suffix.removeprefix(".").lower() if out is not None else ""
    known = ending if ending in FileKind.__members__ else "html"
    return cast("FileFormat", form.value if form is not None else known)


def _given(pairs: list[str] | None) -> dict[str, str]:
    out: dict[str, str] = {}
    for pair in pairs or ():
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise CallerError(
                "parameter", f"写成 参数=值,不是 “{pair}”", f"write NAME=VALUE, not “{pair}”"
            )
        out[name.strip()] = value.strip()
    return out
