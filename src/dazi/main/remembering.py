"""``dazi memory``: what a person wants remembered, in the terminal."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass

import typer

from dazi.core.language import Language, Text
from dazi.core.principal import Principal
from dazi.main.accounts import desk
from dazi.main.company import load_company
from dazi.main.settings import Settings
from dazi.memory.facts import Fact, FactStore
from dazi.memory.threads import ThreadStore

NONE = Text("没有记住什么。", "Nothing is remembered.")
STATES = {"confirmed": Text("已确认", "confirmed"), "proposed": Text("待确认", "proposed")}
GONE = Text("已删除", "deleted")


@dataclass(frozen=True, slots=True)
class Shelf:
    """What is remembered of a person and what they said, and who it is."""

    facts: FactStore
    threads: ThreadStore
    by: Principal


@asynccontextmanager
async def shelf(settings: Settings, user: str) -> AsyncIterator[Shelf]:
    """Of ``user``, or of the company's first one. Needs no model."""
    company = load_company(settings.company_folder())
    first = next((u.user for u in company.users), "")
    async with desk(settings, user or first) as d:
        yield Shelf(FactStore(d.database, d.private), ThreadStore(d.database, d.private), d.by)


async def list_facts(settings: Settings, user: str, language: Language, *, json_out: bool) -> None:
    async with shelf(settings, user) as s:
        found = await s.facts.list(s.by)
    if json_out:
        typer.echo(json.dumps([asdict(f) for f in found], ensure_ascii=False, indent=1))
        return
    for fact in found:
        typer.echo(_line(fact, language))
    if not found:
        typer.echo(NONE(language))


async def add_fact(settings: Settings, user: str, text: str, language: Language) -> None:
    async with shelf(settings, user) as s:
        typer.echo(_line(await s.facts.keep(s.by, text), language))


async def confirm_fact(settings: Settings, user: str, id: str, language: Language) -> None:
    async with shelf(settings, user) as s:
        typer.echo(_line(await s.facts.change(s.by, id, confirm=True), language))


async def forget_fact(settings: Settings, user: str, id: str, language: Language) -> None:
    async with shelf(settings, user) as s:
        await s.facts.remove(s.by, id)
    typer.echo(f"{id}  {GONE(language)}")


def _line(fact: Fact, language: Language) -> str:
    return f"{fact.id}  {STATES[fact.state](language)}  {fact.text}"
