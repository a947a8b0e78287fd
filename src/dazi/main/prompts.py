"""``dazi prompts``: versions of what the assistant is told, in the terminal."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import typer
import yaml
from msgspec import Struct

from dazi.core.engine import Engine
from dazi.core.errors import CallerError
from dazi.core.language import Language, Text
from dazi.core.principal import Principal
from dazi.main.accounts import desk
from dazi.main.company import load_company
from dazi.main.experiments import Experimenting, experimenting
from dazi.main.settings import Settings
from dazi.ops.prompts.model import LANGUAGES, Content, Difference, Version
from dazi.packs.layers import named_file

T = TypeVar("T")

ACTIVE = Text("在用", "in use")
SHIPS = Text("随产品的", "as shipped")
SAME = Text("没有差别。", "There is no difference.")
ADDED = Text("已保存为版本 {n},还没启用", "saved as version {n}, not in use yet")
USED = Text(
    "版本 {n} 已启用;正在运行的服务几秒内换上",
    "version {n} is in use; services take it within seconds",
)
TOOL = Text("工具", "tool")


class ToolWords(Struct, forbid_unknown_fields=True):
    zh: str
    en: str


class PromptFile(Struct, forbid_unknown_fields=True):
    """A version, as it is written into a file."""

    zh: str = ""
    en: str = ""
    tools: dict[str, ToolWords] = {}
    note: str = ""


@dataclass(frozen=True, slots=True)
class Bench:
    """Prompts and experiments, and who works at them."""

    made: Experimenting
    by: Principal


@asynccontextmanager
async def bench(
    settings: Settings, user: str, engine: Engine | None = None
) -> AsyncIterator[Bench]:
    """Without ``user`` it is the company's ``admin`` where there is one. Without ``engine`` nothing is
    known of the model."""
    company = load_company(settings.company_folder())
    reader = next((u.user for u in company.users if "admin" in u.roles), "")
    async with desk(settings, user or reader) as d:
        made = experimenting(d.database, company, d.record, engine=lambda: engine)
        yield Bench(made, d.by)


async def list_prompts(settings: Settings, by: str, language: Language, *, json_out: bool) -> None:
    async with bench(settings, by) as b:
        prompts = b.made.service.prompts
        found, active = await prompts.versions(b.by), await prompts.active(b.by)
    if json_out:
        print_json([{**plain(v), "active": v.number == active} for v in found])
        return
    for version in found:
        typer.echo(_line(version, active, language))


async def show_prompt(
    settings: Settings, by: str, number: int, language: Language, *, json_out: bool
) -> None:
    async with bench(settings, by) as b:
        version = await b.made.service.prompts.version(b.by, number)
    if json_out:
        print_json(plain(version))
        return
    for one in LANGUAGES:
        typer.echo(f"[{one}]\n{version.content.template(one)}\n")
    for name, told in version.content.tools.items():
        typer.echo(f"[{TOOL(language)} {name}]\n{told.zh}\n{told.en}\n")


async def differ(settings: Settings, by: str, old: int, new: int, language: Language) -> None:
    async with bench(settings, by) as b:
        found = await b.made.service.prompts.compared(b.by, old, new)
    for line in told_differences(found):
        typer.echo(line)
    if not found:
        typer.echo(SAME(language))


async def add_prompt(
    settings: Settings, by: str, path: Path, note: str, language: Language
) -> None:
    content, said = read_prompt(named_file(settings.company_folder(), "prompts", path))
    async with bench(settings, by) as b:
        made = await b.made.service.prompts.add(b.by, content, note or said)
    typer.echo(ADDED(language).format(n=made.number))


async def activate(settings: Settings, by: str, number: int, language: Language) -> None:
    async with bench(settings, by) as b:
        await b.made.service.prompts.activate(b.by, number)
    typer.echo(USED(language).format(n=number))


def read_prompt(path: Path) -> tuple[Content, str]:
    """A version and its note. Raises ``CallerError`` for a file that is none."""
    given = read_yaml(path, PromptFile)
    tools = {name: Text(t.zh, t.en) for name, t in given.tools.items()}
    return Content(given.zh.strip("\n"), given.en.strip("\n"), tools), given.note


def read_yaml(path: Path, kind: type[T]) -> T:
    """Raises ``CallerError``."""
    try:
        data = yaml.safe_load(path.read_text("utf-8"))
        return msgspec.convert(data, kind)
    except OSError as e:
        raise CallerError(
            "file", f"读不了 {path}:{e.strerror}", f"cannot read {path}: {e.strerror}"
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError, msgspec.ValidationError) as e:
        said = " ".join(str(e).split())
        raise CallerError("file", f"{path} 写得不对:{said}", f"{path} is wrong: {said}") from None


def told_differences(found: tuple[Difference, ...]) -> Iterator[str]:
    for difference in found:
        yield f"@@ {difference.part}"
        yield from (f"{line.sign} {line.text}" for line in difference.lines)


def plain(v: Version) -> dict[str, Any]:
    return {
        "number": v.number,
        "at": v.at,
        "author": v.author,
        "note": v.note,
        **{one: v.content.template(one) for one in LANGUAGES},
        "tools": {name: {"zh": t.zh, "en": t.en} for name, t in v.content.tools.items()},
    }


def print_json(found: object) -> None:
    typer.echo(json.dumps(found, ensure_ascii=False, indent=1))


def _line(v: Version, active: int, language: Language) -> str:
    mark = f"  [{ACTIVE(language)}]" if v.number == active else ""
    if not v.number:
        return f"0  {SHIPS(language)}{mark}"
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(v.at))
    return f"{v.number}  {when}  {v.author}  {v.note}{mark}".rstrip()
