"""``dazi knowledge``: adding, listing, searching and removing documents from the command line."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date
from getpass import getuser
from typing import Any

from dazi.access.control import Access
from dazi.access.users import Directory
from dazi.audit.ledger import Ledger, SqlSink
from dazi.audit.private import Private
from dazi.audit.sealing import Sealing
from dazi.core.company import Company
from dazi.core.engine import Embedder
from dazi.core.errors import OperatorError
from dazi.core.language import Language, Text
from dazi.core.principal import Principal
from dazi.knowledge.administration import OPERATOR, Administration
from dazi.knowledge.indexing import Watch
from dazi.knowledge.records import Document, Source
from dazi.knowledge.search import Question
from dazi.main.admission import make_access, recorder
from dazi.main.auditing import audit_folder
from dazi.main.company import load_company
from dazi.main.database import database_of
from dazi.main.demo import Demo
from dazi.main.documents import Documents, Place, cited_of, milvus_of, open_documents
from dazi.main.engines import make_embedder, make_reranker
from dazi.main.knowledge_settings import knowledge_settings
from dazi.main.outside_sources import OutsideSources
from dazi.main.settings import Settings
from dazi.main.systems import connector_context
from dazi.store.database import Database

WAIT_S = 0.5
STATES = {
    "new": Text("待读", "to be read"),
    "reading": Text("读到一半", "half read"),
    "ready": Text("可查", "ready"),
    "failed": Text("读不了", "failed"),
    "rights": Text("可查,权限更新中", "ready, rights changing"),
    "gone": Text("删除中", "being deleted"),
}


@dataclass(frozen=True, slots=True)
class Desk:
    """``private``: seals what is personal in the database."""

    documents: Documents
    administration: Administration
    access: Access
    by: Principal
    company: Company
    database: Database
    private: Private
    embedder: Embedder | None = None


@asynccontextmanager
async def desk(settings: Settings, tenant: str = "") -> AsyncIterator[Desk]:
    """The company's documents for the operator of the machine, without a model of language."""
    company = load_company(settings.company_folder())
    data = settings.data_folder(company.folder)
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    chosen = knowledge_settings(company)
    database = database_of(settings, data)
    sealing = Sealing(audit_folder(data))
    embedder, reranker = make_embedder(settings), make_reranker(settings)
    documents: Documents | None = None
    try:
        await database.create()
        ledger = Ledger(SqlSink(database), sealing)
        await ledger.open()
        place = Place(
            database,
            data,
            company.folder,
            embedder,
            reranker,
            settings.knowledge_ocr,
            milvus_of(settings),
        )
        documents = await open_documents(place, chosen)
        documents.library.outside = OutsideSources(connector_context(company, data, None))
        if company.demo:
            demo = Demo(company, data, settings.today or date.today())
            documents.prepare = demo.make_documents
        by = Principal(getuser(), frozenset(), channel=OPERATOR)
        by = replace(by, tenant=tenant) if tenant else by
        administration = Administration(
            documents.library, chosen.managers, company.roles.keys(), recorder(ledger)
        )
        directory = Directory(company, settings.host)
        access = make_access(company, database, ledger, directory, data)
        await access.open(watch=False)
        private = Private(sealing.keys)
        yield Desk(documents, administration, access, by, company, database, private, embedder)
        await access.close()
        await ledger.flush()
    finally:
        if documents is not None:
            await documents.close()
        for model in (embedder, reranker):
            if model is not None:
                await model.close()
        sealing.close()
        await database.close()


async def index(d: Desk, watch: Watch, language: Language) -> list[str]:
    """Read what is to be read; where another process does that already, wait for it. The lines that
    say what came of it."""
    while True:
        try:
            await d.documents.refresh(watch=watch)
            break
        except OperatorError as e:
            if e.code != "index_busy":
                raise
            if not await d.documents.pending(d.by.tenant):
                break
            await asyncio.sleep(WAIT_S)
    return await summary(d, language)


async def summary(d: Desk, language: Language) -> list[str]:
    found = await d.administration.documents(d.by)
    ready = [f for f in found if f.state in ("ready", "rights")]
    chunks = sum(f.chunks for f in found)
    scanned = sum(f.scanned for f in found)
    out = [
        Text(
            f"{len(ready)} 份文档可查,共 {chunks} 段",
            f"{len(ready)} document{'' if len(ready) == 1 else 's'} can be searched, {chunks} passages",
        )(language)
    ]
    if scanned:
        out.append(
            Text(
                f"{scanned} 页是图片,没有读;要识别文字:装 ocr 扩展并设 DAZI_KNOWLEDGE_OCR=true",
                f"{scanned} pages are pictures and were not read; to recognise their text install the "
                "ocr extra and set DAZI_KNOWLEDGE_OCR=true",
            )(language)
        )
    out += [
        f"✗ {f.place}: {f.error_zh if language == 'zh' else f.error_en}"
        for f in found
        if f.state == "failed"
    ]
    for source in await d.administration.sources(d.by):
        if source.error_zh:
            out.append(f"✗ {source.error_zh if language == 'zh' else source.error_en}")
    return out


def listed(
    sources: Sequence[Source], documents: Sequence[Document], language: Language
) -> list[str]:
    """Sources, each with its documents below it."""
    out: list[str] = []
    for source in sources:
        place = " ".join(source.place.split())
        readers = ", ".join(sorted(source.readers))
        out.append(f"{source.id}  {source.kind}  {place}  ({readers})")
        for d in documents:
            if d.source == source.id:
                own = f"  ({', '.join(sorted(d.readers))})" if d.readers != source.readers else ""
                pages = Text(f",{d.pages} 页", f", {d.pages} pages")(language) if d.pages else ""
                size = Text(f"{d.chunks} 段", f"{d.chunks} passages")(language)
                state = STATES[d.state](language)
                out.append(f"  {d.id}  {d.place}  {d.title}  [{state}; {size}{pages}]{own}")
    return out


def as_json(sources: Sequence[Source], documents: Sequence[Document]) -> str:
    def plain(value: Any) -> Any:
        return sorted(value) if isinstance(value, frozenset) else str(value)

    whole = {
        "sources": [asdict(s) for s in sources],
        "documents": [{k: v for k, v in asdict(d).items() if k != "progress"} for d in documents],
    }
    return json.dumps(whole, ensure_ascii=False, indent=1, default=plain)


@dataclass(frozen=True, slots=True)
class Asked:
    """``user``: by whose rights; without one, by those of the company's first user."""

    text: str
    user: str = ""
    limit: int = 6


async def search(settings: Settings, asked: Asked, language: Language, *, json_out: bool) -> str:
    async with desk(settings) as d:
        users = load_company(settings.company_folder()).users
        first = next((u.user for u in users), "")
        principal = d.access.people.principal(asked.user or first, "cli")
        question = Question(asked.text, principal, limit=asked.limit)
        await d.documents.looked()
        found = await d.documents.search.answer(question)
    cited = [cited_of(n, p, language) for n, p in enumerate(found.passages, 1)]
    quote = found.quote.text if found.quote is not None else ""
    if json_out:
        whole = {"asked": found.asked, "quote": quote, "passages": [asdict(c) for c in cited]}
        return json.dumps(whole, ensure_ascii=False, indent=1)
    if not cited:
        return Text("没有找到。", "Nothing was found.")(language)
    lines = [f"「{quote}」" if language == "zh" else f'"{quote}"'] if quote else []
    for c in cited:
        section = f" · {c.section}" if c.section else ""
        lines.append(f"[{c.number}] {c.title} · {c.source}{section}\n    {c.text}")
    return "\n".join(lines)


async def readers_of_number(d: Desk, number: str) -> list[str]:
    """Who may read a document, or what a source has. Raises ``NotFound``."""
    records = d.documents.library.records
    if number.startswith("d_"):
        return sorted((await records.document(number, d.by.tenant)).readers)
    return sorted((await records.source(number, d.by.tenant)).readers)
