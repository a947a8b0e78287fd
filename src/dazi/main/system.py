"""The running system as pages see it."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from dazi.audit.records import Record
from dazi.audit.search import Query, content_text, matching
from dazi.console.compliance_run import Compliance
from dazi.console.system import (
    Checked,
    Drafted,
    Drafting,
    KnownModel,
    Part,
    SettingView,
)
from dazi.core.errors import CallerError, ConfigError
from dazi.core.language import Language, Text
from dazi.core.principal import Principal
from dazi.inference.catalog import Catalog
from dazi.inference.pool.engine import PoolEngine
from dazi.inference.pool.spending import Counted
from dazi.main.checking import check_folder
from dazi.main.compliance import Wanted, report
from dazi.main.demo import addresses
from dazi.main.importing import (
    MAX_DOCUMENT,
    ImportRequest,
    check_name,
    fetched,
    mcp_files,
    openapi_files,
)
from dazi.main.labelling import page_texts
from dazi.main.pool import pool_file
from dazi.main.runtime import Runtime
from dazi.main.setting_views import environment, shown, views, wrong
from dazi.ops import tuning_runs
from dazi.ops.compliance.report import Report
from dazi.ops.tuning_runs import TuningRun

RECORDS = 500
SHOWN_TUNINGS = 20
"""Of one turn."""
EMBEDDER = Text("向量", "Embedding")
RERANKER = Text("重排", "Reranking")
GUARD = Text("护栏", "Guard")
READER = Text("文字识别(OCR)", "Text recognition (OCR)")
RULES = Text("{n} 种识别规则", "{n} recognisers")


class _Stop(Exception):
    """Somebody asked for an end."""


class RunningSystem:
    """Implements ``console.system.System``."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.compliance = Compliance(self._survey)
        self._started_with = environment()

    def settings(self) -> Sequence[SettingView]:
        return list(views(self.runtime.settings, self._started_with))

    def setting_error(self, name: str, text: str) -> Text | None:
        return wrong(name, text)

    async def check(self, language: Language) -> Checked:
        folder = self.runtime.company.folder
        try:
            told = await asyncio.to_thread(check_folder, folder, language)
        except ConfigError as e:
            return Checked(str(folder), False, e.message(language), e.where, e.line)
        return Checked(str(folder), True, "\n".join(told))

    def models(self) -> Sequence[KnownModel]:
        catalog = Catalog(self._data)
        active = catalog.active()
        chosen = active.name if active is not None and not self.runtime.settings.model else ""
        if self.pool_file():
            chosen = ""
        return [
            KnownModel(m.name, m.kind, shown(m.location), m.name == chosen, m.adapter)
            for m in catalog.list()
        ]

    def tunings(self) -> Sequence[TuningRun]:
        return tuning_runs.runs(self._data, SHOWN_TUNINGS)

    def stop_tuning(self, name: str) -> bool:
        folder = self._tuning(name)
        return folder is not None and tuning_runs.stop(folder)

    def resume_tuning(self, name: str) -> bool:
        folder = self._tuning(name)
        if folder is None:
            return False
        company = {"DAZI_COMPANY": str(self.runtime.company.folder), "DAZI_DATA": str(self._data)}
        return tuning_runs.go_on(folder, {**os.environ, **company})

    def _tuning(self, name: str) -> Path | None:
        folder = tuning_runs.folder_of(self._data)
        return folder / name if name in {p.name for p in folder.glob("*")} else None

    @property
    def _data(self) -> Path:
        return self.runtime.settings.data_folder(self.runtime.company.folder)

    def pool_file(self) -> str:
        path = pool_file(self.runtime.settings)
        return str(path) if path is not None else ""

    def parts(self) -> Sequence[Part]:
        r, settings = self.runtime, self.runtime.settings
        guard = r.router.guard
        reader = r.service.pictures.reader
        n = len(guard.recognisers)
        embedding = _named(settings.embedding_model, settings.embedding_url)
        reranking = _named(settings.rerank_model, settings.rerank_url)
        return (
            Part(EMBEDDER, embedding if r.embedder is not None else None),
            Part(RERANKER, reranking if r.reranker is not None else None),
            Part(GUARD, Text(RULES.zh.format(n=n), RULES.en.format(n=n))),
            Part(READER, Text("RapidOCR", "RapidOCR") if reader is not None else None),
        )

    async def cloud_spent(self) -> float | None:
        engine = self.runtime.engine
        if isinstance(engine, PoolEngine) and isinstance(engine.spending, Counted):
            return engine.spending.spent()
        return None

    def services(self) -> Sequence[str]:
        return list(self._addresses())

    def _addresses(self) -> dict[str, str]:
        return dict(addresses(self.runtime.company.settings, self.runtime.running))

    async def draft(self, drafting: Drafting) -> Drafted:
        check_name(drafting.service)
        known = self._addresses()
        address = known.get(drafting.service, "")
        if not address and (drafting.kind == "mcp" or not drafting.document):
            raise CallerError(
                "service",
                f"dazi.toml 的 [services] 里没有 {drafting.service}:请先加上,或贴上文档",
                f"[services] of dazi.toml has no {drafting.service}: add it first, or paste the document",
            )
        request = ImportRequest(drafting.service, drafting.service, drafting.only, drafting.roles)
        if drafting.kind == "mcp":
            from dazi.connectors.mcp import McpServer

            connector = {"kind": "mcp", "service": drafting.service}
            files, made = await mcp_files(McpServer(url=address), request, connector)
        else:
            text = drafting.document
            if not text:
                url = f"{address.rstrip('/')}/{drafting.path.lstrip('/')}"
                text, request = await fetched(url), replace(request, source=url)
            if len(text) > MAX_DOCUMENT:
                raise CallerError("openapi", "文档太大", "the document is too large")
            files, made = await asyncio.to_thread(openapi_files, text, request)
        skipped = {name: Text(why.zh, why.en) for name, why in made.skipped.items()}
        return Drafted(files, tuple(made.tools), skipped)

    async def _survey(
        self,
        frameworks: tuple[str, ...],
        progress: Callable[[int, int], None],
        stopped: Callable[[], bool],
    ) -> Report | None:
        """In a thread with a loop of its own: checks read files and reckon."""

        def told(done: int, of: int) -> None:
            if stopped():
                raise _Stop
            progress(done, of)

        settings = self.runtime.settings.model_copy(update={"company": self.runtime.company.folder})
        wanted = Wanted(frameworks, page=page_texts(self.runtime.company))
        work = asyncio.to_thread(asyncio.run, report(settings, wanted, told))
        try:
            return await work
        except _Stop:
            return None

    async def records(self, turn: str) -> Sequence[Record]:
        await self.runtime.ledger.flush()
        return await self.runtime.audit.rows(turn, RECORDS)

    async def turns(self, principal: Principal, thread: str) -> Sequence[Record]:
        r = self.runtime
        await r.ledger.flush()
        if r.settings.audit == "memory":
            kept = await r.audit.rows(limit=10**9)
            own = [k for k in kept if k.kind == "turn" and k.user == principal.user]
            return [k for k in own if json.loads(k.body).get("thread") == thread]
        query = Query(user=principal.user, kind="turn")
        return [
            replace(f.record, body=content_text(f.content))
            async for f in matching(r.database, r.sealing, query)
            if f.content.fields.get("thread") == thread
        ]


def _named(model: str, url: str) -> Text:
    said = " · ".join(shown(x) for x in (model, url) if x)
    return Text(said, said)
