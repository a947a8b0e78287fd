"""From a recipe to a version of a dataset, step by step."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from dazi.apps.desk.records import DeskStore
from dazi.audit.sealing import Sealing
from dazi.core.errors import CallerError, OperatorError
from dazi.core.tools import Tool
from dazi.guard.engine import Guard
from dazi.lab.tuning.data.by_model import Writer
from dazi.lab.tuning.data.calls import CallCheck, as_offered
from dazi.lab.tuning.data.cleaning import Cleaning, cleaned, deduplicated, own_words
from dazi.lab.tuning.data.knowledge import Maker
from dazi.lab.tuning.data.leaks import Cases, read_cases, without
from dazi.lab.tuning.data.personal import Personal, replaced
from dazi.lab.tuning.data.reading.documents import read_documents
from dazi.lab.tuning.data.reading.files import read_file
from dazi.lab.tuning.data.reading.threads import Ratings, not_private, read_threads
from dazi.lab.tuning.data.reading.tickets import read_tickets
from dazi.lab.tuning.data.reading.tool_log import read_tool_log
from dazi.lab.tuning.data.recipe import (
    AnySource,
    DocumentsSource,
    FileSource,
    Placed,
    ThreadsSource,
    TicketsSource,
)
from dazi.lab.tuning.data.rights import Rights, permitted
from dazi.lab.tuning.data.samples import Draft
from dazi.lab.tuning.data.work import AsyncStep, Refusing, Replay, Step, Tell, Work, alone, silent
from dazi.lab.tuning.data.writing import Beside, write
from dazi.memory.threads import ThreadStore
from dazi.ops.datasets.folders import MAKING, Manifest, digest, root
from dazi.ops.datasets.people import People
from dazi.store.database import Database

TENANT = "default"
Steps = Callable[[Work], list[tuple[str, Step | AsyncStep]]]


@dataclass(frozen=True, slots=True)
class Records:
    """What people said and did here, where a recipe asks for it."""

    database: Database
    sealing: Sealing
    threads: ThreadStore
    desk: DeskStore
    ratings: Ratings


@dataclass(frozen=True, slots=True)
class Kitchen:
    """All that a recipe may need. ``data``: the data folder; ``company``: the company's, in which folders
    of documents are looked for; ``erased_at``: when somebody was erased; ``before``: what was said
    earlier is past its time, in seconds since the epoch. ``records``: none where no source needs any."""

    data: Path
    company: Path
    guard: Guard
    tools: Mapping[str, Tool]
    roles: Collection[str]
    today: date
    erased_at: Callable[[str], float | None]
    before: float
    records: Records | None = None
    writer: Writer | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """``resumed``: steps that an earlier run had done."""

    manifest: Manifest
    folder: Path
    resumed: int


async def make(placed: Placed, kitchen: Kitchen, tell: Tell = silent) -> Made:
    """Make the next version. A run that is stopped goes on where it was when it is begun again.

    Raises ``ConfigError`` for what the recipe names wrongly, ``CallerError`` where nothing is left,
    ``OperatorError`` where somebody was erased meanwhile or another version is being made, and what the
    database and the model raise.
    """
    steps = _steps(placed, kitchen)
    folder = root(kitchen.data) / placed.recipe.name
    with alone(folder):
        return await _made(placed, kitchen, steps, Work(folder / MAKING, placed.key, tell))


async def _made(placed: Placed, kitchen: Kitchen, steps: Steps, work: Work) -> Made:
    try:
        for name, step in steps(work):
            await work.do(name, step)
        if not work.stages[-1].given:
            raise _nothing_left(work)
        offered = {t.name: as_offered(t, "zh") for t in kitchen.tools.values()}
        beside = Beside(offered, _sources(placed, work.read))
        manifest, folder = write(placed, kitchen.data, work, beside)
    except FileNotFoundError:
        if work.folder.is_dir():
            raise
        raise OperatorError(
            "erased_meanwhile",
            "做到一半有人被抹除,做了一半的已经丢弃;请再运行一次",
            "somebody was erased meanwhile, and what was half made is thrown away; run it again",
        ) from None
    work.close()
    return Made(manifest, folder, work.resumed)


def _steps(placed: Placed, kitchen: Kitchen) -> Steps:
    """The steps in their order. What the recipe names wrongly is found before the first of them."""
    recipe = placed.recipe
    rights = Rights(placed, kitchen.erased_at, kitchen.before)
    clean = Cleaning(recipe.clean, recipe.languages, kitchen.guard, own_words(placed))
    cases = Cases(read_cases(_evaluations(placed)), recipe.overlap)
    calls = CallCheck(kitchen.tools, kitchen.today) if recipe.knowledge.check_calls else None
    maker = Maker(recipe.knowledge, calls, kitchen.writer)
    mark = People(kitchen.data).mark
    personal = Personal(kitchen.guard, mark, replace=recipe.compliance.personal == "replace")
    alike = recipe.clean.alike
    return lambda work: [
        ("read", _reading(placed, kitchen)),
        ("rights", permitted(rights)),
        ("clean", cleaned(clean)),
        ("duplicates", deduplicated(work.folder, alike)),
        ("knowledge", maker.step()),
        ("leaks", without(cases)),  # before stand-ins are put into what a case says
        ("personal", replaced(personal)),
        ("groups", deduplicated(work.folder, alike, grouping=True)),
    ]


def _nothing_left(work: Work) -> CallerError:
    counts = "; ".join(f"{s.name} {s.taken}→{s.given}" for s in work.stages)
    work.close()
    return CallerError(
        "empty_dataset",
        f"一条样本也没有留下({counts})。看看来源、同意名单和清洗规则",
        f"no sample is left ({counts}). Look at the sources, at who agreed and at the rules",
    )


def _evaluations(placed: Placed) -> list[Path]:
    return [path for pattern in placed.recipe.evaluation for path in placed.files(pattern)]


def _reading(placed: Placed, kitchen: Kitchen) -> AsyncStep:
    async def step(_: Replay, refuse: Refusing) -> AsyncIterator[Draft]:
        for number, source in enumerate(placed.recipe.sources):
            async for draft in _read(source, placed, kitchen, refuse):
                draft.of = number
                yield draft

    return step


async def _read(
    source: AnySource, placed: Placed, kitchen: Kitchen, refuse: Refusing
) -> AsyncIterator[Draft]:
    if isinstance(source, FileSource):
        for path in placed.files(source.path):
            for draft in read_file(source, path, path.name, refuse):
                yield draft
        return
    if isinstance(source, DocumentsSource):
        audience = placed.recipe.compliance.audience
        folder = documents_folder(source, placed, kitchen.company)
        drafts = read_documents(source, folder, audience, kitchen.roles, refuse)
    else:
        drafts = _recorded(source, kitchen.records, refuse)
    async for draft in drafts:
        yield draft


def _recorded(source: AnySource, records: Records | None, refuse: Refusing) -> AsyncIterator[Draft]:
    if records is None:
        raise CallerError(
            "no_records",
            f"这里没有 {source.kind} 可读",
            f"there are no records for {source.kind} here",
        )
    if isinstance(source, ThreadsSource):
        return read_threads(source, records.threads, records.ratings, refuse)
    if isinstance(source, TicketsSource):
        drafts = read_tickets(source, records.desk, TENANT, refuse)
    else:
        assert source.kind == "tool_log"
        drafts = read_tool_log(source, records.database, records.sealing, refuse)
    return not_private(drafts, records.ratings, refuse)


def documents_folder(source: DocumentsSource, placed: Placed, company: Path) -> Path:
    """Beside the recipe, else in the company folder."""
    beside = placed.folder / source.folder
    return beside if beside.is_dir() else company / source.folder


def _sources(placed: Placed, read: Mapping[str, int]) -> list[dict[str, Any]]:
    out = []
    for number, source in enumerate(placed.recipe.sources):
        told: dict[str, Any] = {
            "kind": source.kind,
            "ref": getattr(source, "path", getattr(source, "folder", source.kind)),
            "licence": source.licence,
            "consent": source.consent.basis if source.consent is not None else "",
            "read": read.get(str(number), 0),
        }
        if isinstance(source, FileSource):
            told["sha256"] = {p.name: digest(p) for p in placed.files(source.path)}
        out.append(told)
    return out
