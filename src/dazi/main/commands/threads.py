"""``dazi threads``: a person's own conversations."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from dazi.main.commands.options import Company, Json, User, language, settings

group = typer.Typer(
    no_args_is_help=True,
    help="会话:列出、查找、归档、导出、删除自己的。Threads: list, search, archive, export, delete your own.",
)
Id = Annotated[str, typer.Argument(help="编号,见 list。Its id, from list.")]
Limit = Annotated[int, typer.Option(min=1, max=1000, help="最多几个。How many at most.")]


class Form(StrEnum):
    markdown = "markdown"
    json = "json"


@group.command("list")
def threads_list(
    archived: Annotated[
        bool, typer.Option("--archived", help="归档了的。The archived ones.")
    ] = False,
    limit: Limit = 50,
    user: User = "",
    json_out: Json = False,
    company: Company = None,
) -> None:
    """列出会话,最近的在前。List threads, the latest first."""
    from dazi.main.threads import list_threads

    chosen = settings(company)
    asyncio.run(
        list_threads(chosen, user, language(), archived=archived, limit=limit, json_out=json_out)
    )


@group.command("search")
def threads_search(
    words: Annotated[str, typer.Argument(help="要找的词。Words to look for.")],
    limit: Annotated[int, typer.Option(min=1, max=100, help="最多几个。How many at most.")] = 20,
    user: User = "",
    json_out: Json = False,
    company: Company = None,
) -> None:
    """在自己说过的话和得到的回答里找,归档的也找。Search what was said, archived or not."""
    from dazi.main.threads import search_threads

    chosen = settings(company)
    asyncio.run(search_threads(chosen, user, words, language(), limit=limit, json_out=json_out))


@group.command("show")
def threads_show(
    thread: Id, user: User = "", json_out: Json = False, company: Company = None
) -> None:
    """看一个会话的全部。Show all of a thread."""
    from dazi.main.threads import show_thread

    form = Form.json if json_out else Form.markdown
    asyncio.run(show_thread(settings(company), user, thread, language(), form.value))


@group.command("rename")
def threads_rename(
    thread: Id,
    title: Annotated[str, typer.Argument(help="新标题。The new title.")],
    user: User = "",
    company: Company = None,
) -> None:
    """改标题。Give it another title."""
    from dazi.main.threads import rename_thread

    asyncio.run(rename_thread(settings(company), user, thread, title, language()))


@group.command("archive")
def threads_archive(
    thread: Id,
    undo: Annotated[bool, typer.Option("--undo", help="放回列表。Put it back.")] = False,
    user: User = "",
    company: Company = None,
) -> None:
    """归档:不再列出,仍可查找;再说一句话就回来。Out of the list, still found; writing puts it back."""
    from dazi.main.threads import archive_thread

    asyncio.run(archive_thread(settings(company), user, thread, language(), out=not undo))


@group.command("export")
def threads_export(
    thread: Annotated[
        str, typer.Argument(help="编号;不写就是全部和记住的事。Its id; all, with facts, without.")
    ] = "",
    form: Annotated[
        Form, typer.Option("--format", help="一个会话的格式。Of one thread.")
    ] = Form.markdown,
    out: Annotated[
        Path | None, typer.Option("--out", help="写到哪个文件。The file to write.")
    ] = None,
    user: User = "",
    company: Company = None,
) -> None:
    """导出成文件:一个会话,或全部(每行一个 JSON)。As a file: one thread, or all (JSON lines)."""
    from dazi.main.threads import export_everything, show_thread

    chosen = settings(company)
    if thread:
        asyncio.run(show_thread(chosen, user, thread, language(), form.value, out))
    else:
        asyncio.run(export_everything(chosen, user, language(), out))


@group.command("rm")
def threads_rm(thread: Id, user: User = "", company: Company = None) -> None:
    """删除,不能恢复;审计记录另行保留。Delete for good; the audit keeps its own record."""
    from dazi.main.threads import remove_thread

    asyncio.run(remove_thread(settings(company), user, thread, language()))
