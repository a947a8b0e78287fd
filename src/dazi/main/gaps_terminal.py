"""``dazi knowledge gaps``: what was asked and is in no document."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from dazi.core.language import Language, Text
from dazi.knowledge.embedding import Embedding
from dazi.main.guarding import guard_of
from dazi.main.managing_documents import Desk, desk
from dazi.main.settings import Settings
from dazi.main.sites import everybody, visitors_of
from dazi.ops.gaps.noticing import WHYS
from dazi.ops.gaps.service import Gap, GapService, Measured, Parts
from dazi.ops.gaps.store import GapStore

NONE = Text("这几周没有没答上的问题。", "Nothing was left unanswered these weeks.")
HEAD = Text("{id}  {n} 次,{people} 人  {title}", "{id}  {n} times, {people} people  {title}")
WEEKS = Text("每周:{weeks}", "by week: {weeks}")
NEAR = Text("最近的来源:{names}", "nearest sources: {names}")
NOTICED = Text("怎样发现的:{whys}", "noticed by: {whys}")
ASK = Text("可以问:{who}", "ask: {who}")
CLOSED = Text(
    "已用 {document} 补上:{asked} 个问题里 {answered} 个答得上",
    "closed with {document}: of {asked} questions {answered} are answered",
)
SINCE = Text(",之后又问了 {n} 次", ", asked {n} times since")
REOPENED = Text("已重新打开", "open again")


@dataclass(frozen=True, slots=True)
class Doing:
    """What to do with one gap; nothing: list them."""

    close: str = ""
    document: str = ""
    measure: str = ""
    reopen: str = ""


def service_of(d: Desk, settings: Settings) -> GapService:
    visitors = visitors_of(
        d.company, settings.data_folder(d.company.folder), d.database, d.private, keys=False
    )
    parts = Parts(
        d.documents.library,
        d.documents.search,
        guard_of(d.company.folder),
        d.administration.record,
        everybody(d.access.people, visitors),
        visitors.recall,
        d.documents.settings.managers,
        Embedding(d.embedder).of if d.embedder is not None else None,
    )
    return GapService(GapStore(d.database, d.private), parts)


async def gaps(
    settings: Settings, tenant: str, doing: Doing, weeks: int, language: Language, *, json_out: bool
) -> list[str]:
    """The lines to show."""
    async with desk(settings, tenant) as d:
        service = service_of(d, settings)
        if doing.reopen:
            await service.reopen(d.by, doing.reopen)
            return [REOPENED(language)]
        if doing.close or doing.measure:
            done = (
                await service.close(d.by, doing.close, doing.document)
                if doing.close
                else await service.measure(d.by, doing.measure)
            )
            return [_measured(done, language, json_out=json_out)]
        found = await service.gaps(d.by, weeks, language)
    if json_out:
        return [json.dumps([asdict(g) for g in found], ensure_ascii=False, indent=1)]
    return [line for g in found for line in _told(g, language)] or [NONE(language)]


def _measured(done: Measured, language: Language, *, json_out: bool) -> str:
    c = done.closed
    if json_out:
        return json.dumps({**asdict(c), "answers": dict(done.answers)}, ensure_ascii=False)
    return CLOSED(language).format(document=c.document, asked=c.asked, answered=c.answered)


def _told(g: Gap, language: Language) -> Iterator[str]:
    s, c = g.suggestion, g.closed
    yield HEAD(language).format(id=g.id, n=g.count, people=g.people, title=s.title)
    yield "  " + WEEKS(language).format(weeks=" ".join(map(str, g.weeks)))
    names = ", ".join(f"{name or '-'} {n}" for name, n in g.collections)
    yield "  " + NEAR(language).format(names=names)
    whys = ", ".join(f"{WHYS[why](language)} {n}" for why, n in g.whys)
    yield "  " + NOTICED(language).format(whys=whys)
    for example in g.examples:
        yield f"  > {example}"
    if c is not None:
        told = CLOSED(language).format(document=c.document, asked=c.asked, answered=c.answered)
        when = time.strftime("%Y-%m-%d", time.localtime(c.measured))
        since = SINCE(language).format(n=g.since) if g.since else ""
        yield f"  {told} ({when}){since}"
        return
    for line in s.outline:
        yield f"  - {line}"
    yield "  " + ASK(language).format(who=", ".join(s.ask))
