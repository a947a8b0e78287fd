"""``dazi tune data``: the lab's data engineering, wired to a company's records, guard and model."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import typer

from dazi.apps.desk.records import DeskStore
from dazi.audit.keys import SubjectKeys
from dazi.audit.private import Private
from dazi.audit.retention import DAY_S
from dazi.core.engine import models_of
from dazi.core.errors import CallerError
from dazi.core.language import Language, Text
from dazi.lab.tuning.data import gain
from dazi.lab.tuning.data.by_model import Writer
from dazi.lab.tuning.data.lineage import NOTHING, why
from dazi.lab.tuning.data.making import TENANT, Kitchen, Made, Records, make
from dazi.lab.tuning.data.reading.threads import PRIVATE, WHOLE
from dazi.lab.tuning.data.recipe import PERSONAL_KINDS, Placed, Recipe, read_recipe
from dazi.main.auditing import Room, audit_folder, opened
from dazi.main.company import load_company
from dazi.main.engines import load_engine
from dazi.main.guarding import guard_of
from dazi.main.settings import Settings
from dazi.memory.everybody import owners
from dazi.memory.threads import ThreadStore
from dazi.ops.datasets.card import FEW, SMALL, card_in
from dazi.ops.datasets.folders import (
    SPLITS,
    Manifest,
    names,
    place,
    read_manifest,
    root,
    versions,
)
from dazi.ops.datasets.reasons import stage_text, told
from dazi.ops.feedback.model import Wanted
from dazi.ops.feedback.store import FeedbackStore
from dazi.store.database import Database

GOES_ON = Text("接着上次:{n} 步已经做完", "going on: {n} steps are done already")
STOPPED = Text("停下了;用同样的命令接着做。", "stopped; the same command goes on from here.")
MADE = Text(
    "{name} 第 {version} 版:{n} 条样本({splits})",
    "{name} version {version}: {n} samples ({splits})",
)
AT = Text("在 {folder}", "in {folder}")
NONE = Text("没有数据集。", "There are no datasets.")
GONE = Text("已撤回", "withdrawn")
LINE = Text("{name}  {version}  {n} 条  {made}", "{name}  {version}  {n} samples  {made}")
OLD = Text(
    "其中的会话已过保留期:重做一版,过期的就不再用。",
    "The conversations in it are past their time: make another version, which leaves them out.",
)
LIKED, DISLIKED = 4, 2
"""Stars from which on a conversation helped, and down to which it did not."""
MOST_FEEDBACK = 1_000_000


async def make_data(
    settings: Settings, recipe: Path, language: Language, *, json_out: bool
) -> None:
    placed = read_recipe(recipe)
    try:
        async with _kitchen(settings, placed) as kitchen:
            made = await make(placed, kitchen, Telling(language))
    except (KeyboardInterrupt, asyncio.CancelledError):
        typer.echo(f"\n{STOPPED(language)}", err=True)
        raise
    if json_out:
        _print_json(msgspec.to_builtins(made.manifest) | {"folder": str(made.folder)})
        return
    for line in _lines_of(made, kitchen.data, language):
        typer.echo(line)


def list_data(settings: Settings, language: Language, *, json_out: bool) -> None:
    data = settings.data_folder(settings.company_folder())
    found = [
        read_manifest(root(data) / name / str(n))
        for name in names(data)
        for n in versions(data, name)
    ]
    if json_out:
        _print_json([_summary(m) for m in found])
        return
    for m in found:
        line = LINE(language).format(name=m.name, version=m.version, n=m.samples, made=m.made)
        typer.echo(f"{line}  {GONE(language)}" if m.withdrawn is not None else line)
    if not found:
        typer.echo(NONE(language))


def show_data(
    settings: Settings, name: str, version: int, language: Language, *, json_out: bool
) -> None:
    data = settings.data_folder(settings.company_folder())
    manifest = read_manifest(place(data, name, version))
    points = gain.points(data, name)
    if json_out:
        _print_json(msgspec.to_builtins(manifest) | {"gain": msgspec.to_builtins(points)})
        return
    for line in (*card_in(manifest, language), "", *gain.told(points, language)):
        typer.echo(line)
    if _is_old(manifest, settings):
        typer.echo(OLD(language))


def why_data(
    settings: Settings, which: tuple[str, int], ref: str, language: Language, *, json_out: bool
) -> int:
    """The exit code: 1 where nothing speaks of ``ref``."""
    data = settings.data_folder(settings.company_folder())
    found = why(place(data, *which), ref)
    if json_out:
        _print_json([w.as_json() for w in found])
    else:
        for w in found:
            typer.echo(w.text(language))
        if not found:
            typer.echo(NOTHING(language).format(ref=ref))
    return 0 if found else 1


@asynccontextmanager
async def _kitchen(settings: Settings, placed: Placed) -> AsyncIterator[Kitchen]:
    """What the recipe needs of this company, closed afterwards."""
    folder = settings.company_folder()
    company = load_company(folder)
    data = settings.data_folder(folder)
    wanted = any(s.kind in PERSONAL_KINDS for s in placed.recipe.sources)
    keys = SubjectKeys(audit_folder(data))
    writer = await _writer(settings, placed.recipe, data)
    try:
        async with opened(settings) if wanted else nullcontext() as room:
            yield Kitchen(
                data,
                folder,
                guard_of(folder),
                company.tools,
                tuple(company.roles),
                settings.today or date.today(),
                keys.erased_at,
                time.time() - settings.thread_days * DAY_S,
                _records(room) if room is not None else None,
                writer,
            )
    finally:
        keys.close()
        if writer is not None:
            await writer.engine.close()


def _records(room: Room) -> Records:
    private = Private(room.sealing.keys)
    desk = DeskStore(room.database, private)
    threads = ThreadStore(room.database, private)
    said = Said(room.database, desk, FeedbackStore(room.database, private))
    return Records(room.database, room.sealing, threads, desk, said)


async def _writer(settings: Settings, recipe: Recipe, data: Path) -> Writer | None:
    """Raises ``CallerError`` for a model that there is not, or that cannot write."""
    name = recipe.knowledge.model
    if not name:
        return None
    engine = await asyncio.to_thread(load_engine, settings, data)
    if name not in models_of(engine):
        await engine.close()
        other = settings.model_copy(update={"model": name})
        engine = await asyncio.to_thread(load_engine, other, data)
    if engine.profile.bundled or engine.profile.copies_text:
        await engine.close()
        raise CallerError(
            "cannot_write",
            f"{name} 只会照抄,写不了问答;在 knowledge.model 里写一个更大的模型",
            f"{name} can only copy and writes no questions; name a larger model in knowledge.model",
        )
    asked = name if name in models_of(engine) else ""
    today = settings.today or date.today()
    return Writer(engine, asked, name, recipe.knowledge.per_passage, today)


class Said:
    """Implements ``reading.threads.Ratings``: thumbs on answers, and stars of the tickets that
    conversations became. The worst counts for a whole conversation."""

    def __init__(self, database: Database, desk: DeskStore, feedback: FeedbackStore) -> None:
        self._database = database
        self._desk = desk
        self._feedback = feedback
        self._thumbs: dict[str, int] | None = None

    async def of(self, threads: Sequence[str]) -> Mapping[str, Mapping[int, int]]:
        if self._thumbs is None:
            self._thumbs = await self._read()
        stars = await self._desk.stars(threads)
        out: dict[str, Mapping[int, int]] = {}
        for thread in threads:
            given = [self._thumbs[thread]] if thread in self._thumbs else []
            if n := stars.get(thread):
                given.append((n >= LIKED) - (n <= DISLIKED))
            if given:
                out[thread] = {WHOLE: min(given) if min(given) < 0 else max(given)}
        return out

    async def _read(self) -> dict[str, int]:
        """By thread. Whose thread it is cannot be asked of the database: it is sealed."""
        out: dict[str, int] = {}
        tenants = {TENANT, *[tenant async for _, tenant in owners(self._database)]}
        for tenant in sorted(tenants):
            for e in await self._feedback.find(tenant, Wanted(limit=MOST_FEEDBACK)):
                # Thumbs are given to answers alone; what is private is so whatever it is about.
                if e.state != "private" and e.kind != "answer":
                    continue
                value = PRIVATE if e.state == "private" else 1 if e.thumb == "up" else -1
                thread = e.content.thread
                before = out.get(thread, value)
                out[thread] = min(before, value) if min(before, value) < 0 else max(before, value)
        return out


class Telling:
    """Progress: a line a step, which on a terminal counts while it is worked on."""

    def __init__(self, language: Language) -> None:
        self._language = language
        self._live = sys.stderr.isatty()

    def __call__(self, stage: str, done: int, of: int) -> None:
        ended = bool(of) and done >= of
        text = f"{stage_text(stage)(self._language)}  {done}/{of}" if of else f"{done}"
        if self._live:
            typer.echo(f"\r\033[K{text}", err=True, nl=ended)
        elif ended:
            typer.echo(text, err=True)


def _lines_of(made: Made, data: Path, language: Language) -> list[str]:
    m = made.manifest
    out = [GOES_ON(language).format(n=made.resumed)] if made.resumed else []
    for stage in m.stages:
        refused = "; ".join(f"{told(r)(language)} {n}" for r, n in stage.refused.items())
        line = f"{stage_text(stage.name)(language)}: {stage.taken} → {stage.given}"
        out.append(f"{line}  ({refused})" if refused else line)
    splits = ", ".join(f"{s} {m.splits.get(s, 0)}" for s in SPLITS)
    out.append(MADE(language).format(name=m.name, version=m.version, n=m.samples, splits=splits))
    out.append(AT(language).format(folder=made.folder))
    if m.samples < FEW:
        out.append(SMALL(language).format(n=m.samples, few=FEW))
    return [*out, *gain.told(gain.points(data, m.name), language)]


def _summary(m: Manifest) -> dict[str, Any]:
    out: dict[str, Any] = {"name": m.name, "version": m.version, "made": m.made}
    withdrawn = msgspec.to_builtins(m.withdrawn)
    return out | {"samples": m.samples, "splits": m.splits, "withdrawn": withdrawn}


def _is_old(m: Manifest, settings: Settings) -> bool:
    """Whether what people said in it is past its time by now, for certain."""
    if not any(s.get("kind") in PERSONAL_KINDS for s in m.sources):
        return False
    made = datetime.strptime(m.made, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
    return time.time() - made > settings.thread_days * DAY_S


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=1))
