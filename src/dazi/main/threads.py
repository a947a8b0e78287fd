"""``dazi threads``: a person's own conversations, in the terminal."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import typer

from dazi.core.errors import OperatorError
from dazi.core.language import Language, Text
from dazi.main.remembering import shelf
from dazi.main.settings import Settings
from dazi.memory import export, thread_search
from dazi.memory.export import Format, as_file, everything
from dazi.memory.threads import Thread

NONE = Text("没有会话。", "No threads.")
NOTHING_FOUND = Text("没有找到。", "Nothing was found.")
MORE = Text(
    "更早的还没有找;把 --limit 写大些,或换更具体的词。",
    "What is older was not searched; give a larger --limit or more specific words.",
)
ARCHIVED = Text("已归档", "archived")
BACK = Text("已放回列表", "back in the list")
DELETED = Text("已删除", "deleted")
WRITTEN = Text("已写入 {path}", "written to {path}")


async def list_threads(
    settings: Settings, user: str, language: Language, *, archived: bool, limit: int, json_out: bool
) -> None:
    async with shelf(settings, user) as s:
        found = await s.threads.list(s.by, limit, archived=archived)
    if json_out:
        _print_json([asdict(t) for t in found])
        return
    for thread in found:
        typer.echo(_line(thread, language))
    if not found:
        typer.echo(NONE(language))


async def search_threads(
    settings: Settings, user: str, words: str, language: Language, *, limit: int, json_out: bool
) -> None:
    async with shelf(settings, user) as s:
        found = await thread_search.search(s.threads, s.by, words, limit)
    if json_out:
        _print_json(asdict(found))
        return
    for hit in found.hits:
        typer.echo(_line(hit.thread, language))
        if hit.snippet:
            typer.echo(f"    {hit.snippet}")
    if not found.hits:
        typer.echo(NOTHING_FOUND(language))
    if found.next:
        typer.echo(MORE(language), err=True)


async def show_thread(
    settings: Settings,
    user: str,
    thread: str,
    language: Language,
    form: Format,
    out: Path | None = None,
) -> None:
    async with shelf(settings, user) as s:
        found = await s.threads.get(thread, s.by)
        messages = [m async for m in s.threads.messages(thread, s.by)]
    with _to(out, language) as file:
        file.write(as_file(found, messages, form, language))


async def export_everything(
    settings: Settings, user: str, language: Language, out: Path | None
) -> None:
    async with shelf(settings, user) as s:
        with _to(out, language) as file:
            async for line in everything(s.threads, s.facts, s.by):
                file.write(line)


async def rename_thread(
    settings: Settings, user: str, thread: str, title: str, language: Language
) -> None:
    async with shelf(settings, user) as s:
        typer.echo(_line(await s.threads.rename(thread, s.by, title), language))


async def archive_thread(
    settings: Settings, user: str, thread: str, language: Language, *, out: bool
) -> None:
    async with shelf(settings, user) as s:
        await s.threads.archive(thread, s.by, out=out)
    typer.echo(f"{thread}  {(ARCHIVED if out else BACK)(language)}")


async def remove_thread(settings: Settings, user: str, thread: str, language: Language) -> None:
    async with shelf(settings, user) as s:
        await s.threads.delete(thread, s.by)
    typer.echo(f"{thread}  {DELETED(language)}")


@contextmanager
def _to(out: Path | None, language: Language) -> Iterator[BinaryIO]:
    """The file, for its owner's eyes only, in place once it is whole; else standard output."""
    if out is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    made = out.with_name(f".{out.name}.part")
    try:
        with open(made, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            yield file
        made.replace(out)
    except OSError as e:
        made.unlink(missing_ok=True)
        raise OperatorError(
            "unwritable",
            f"{out} 写不进去:{e.strerror};请换个位置",
            f"{out} cannot be written: {e.strerror}; choose another place",
        ) from None
    typer.echo(WRITTEN(language).format(path=out))


def _line(thread: Thread, language: Language) -> str:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(thread.at))
    out = [thread.id, when, " ".join(thread.title.split()) or export.UNTITLED(language)]
    return "  ".join([*out, ARCHIVED(language)] if thread.archived is not None else out)


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=1))
