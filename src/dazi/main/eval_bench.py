"""What suites of ``dazi eval run`` ask with: the company's assistant, with its systems or without."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

from dazi.core.company import Company
from dazi.core.engine import Engine
from dazi.core.errors import ConfigError, ConnectorError
from dazi.core.tools import Connector, Invocation
from dazi.lab.evals.ablation import EveryTool, WithoutAids
from dazi.lab.evals.prompts_seen import Overheard
from dazi.lab.evals.runner import Runner, principals
from dazi.lab.evals.switches import Switches
from dazi.main.approved_answers import approved_answers
from dazi.main.company import load_company
from dazi.main.runtime import Runtime, assemble, open_runtime
from dazi.main.settings import Settings
from dazi.packs.layers import SETTINGS

RETRIEVAL = "retrieval"


def apart(settings: Settings, folder: Path, today: date | None = None) -> Settings:
    """As ``settings``, with everything that is kept in ``folder``: nothing of an evaluation reaches the
    company's own database, ledger, counted limits or index of documents."""
    given: dict[str, Any] = {"data": folder, "audit": "memory"}
    given |= dict.fromkeys(("database", "redis", "milvus_url", "milvus_token"), "")
    if today is not None:
        given["today"] = today
    return settings.model_copy(update=given)


@dataclass(slots=True)
class OpenBench:
    """Implements ``lab.evals.suite.Bench``. ``close`` ends what it opened, the engine too."""

    settings: Settings
    loaded: Engine
    switches: Switches = field(default_factory=Switches)
    concurrency: int = 4
    known: Company | None = None
    """The company, where it is loaded already."""
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _still: Runner | None = None
    _reading: dict[str, Runner] = field(default_factory=dict)
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def engine(self) -> Engine:
        given = self.switches
        if not given.aids and not given.thinking:
            return self.loaded
        return WithoutAids(self.loaded, given.aids, thinking=given.thinking)

    @property
    def thinking(self) -> bool:
        return self.switches.thinking

    @property
    def company(self) -> Company:
        if self.known is None:
            self.known = load_company(self.settings.company_folder())
        return self.known

    async def still(self) -> Runner:
        async with self._opening:
            if self._still is None:
                folder = self._scratch()
                engine = Overheard(self.engine, keep=False)
                runtime = await assemble(
                    self._own(folder), self.company, {}, engine, folder, effects=False
                )
                runtime.service.approved = approved_answers(self.company)
                self._stack.push_async_callback(runtime.close)
                self._still = self._runner(runtime)
            return self._still

    @asynccontextmanager
    async def planted(
        self, examples: Mapping[str, Any], today: date | None = None
    ) -> AsyncIterator[_Live]:
        company = self.company
        if missing := examples.keys() - company.tools.keys():
            name = min(missing)
            raise ConfigError(company.folder, None, f"没有工具 {name}", f"there is no tool {name}")
        tools = {
            name: replace(tool, example=examples[name]) if name in examples else tool
            for name, tool in company.tools.items()
        }
        company = replace(company, tools=MappingProxyType(tools))
        engine = Overheard(self.engine)
        with tempfile.TemporaryDirectory(prefix="dazi-eval-") as scratch:
            own = self._own(Path(scratch), today)
            runtime = await assemble(own, company, {}, engine, Path(scratch), effects=False)
            try:
                yield _Live(self._runner(runtime), runtime, engine)
            finally:
                await runtime.close()

    @asynccontextmanager
    async def live(self, today: date | None = None) -> AsyncIterator[_Live]:
        if not self.company.demo:
            raise ConfigError(
                self.company.folder / SETTINGS,
                None,
                "要真的执行操作的评测只在示例公司（demo = true）里做：这家公司的系统是真的",
                "suites that carry things out are for demo companies (demo = true): this one's systems are real",
            )
        engine = Overheard(self.engine)
        with tempfile.TemporaryDirectory(prefix="dazi-eval-") as scratch:
            runtime = await open_runtime(self._own(Path(scratch), today), engine=engine)
            try:
                yield _Live(self._runner(runtime), runtime, engine)
            finally:
                await runtime.close()

    async def reading(self, documents: Mapping[str, str] | None) -> Runner:
        kind = "own" if documents is None else "given"
        async with self._opening:
            if kind not in self._reading:
                folder = self._scratch()
                engine = Overheard(self.engine, keep=False)
                runtime = await open_runtime(self._own(folder), engine=engine)
                self._stack.push_async_callback(runtime.close)
                if not self.company.demo:
                    for name in runtime.connectors:
                        runtime.connectors[name] = ReadsOnly(runtime.connectors[name])
                await _read(runtime, folder, documents)
                self._reading[kind] = self._runner(runtime)
            return self._reading[kind]

    async def close(self) -> None:
        await self._stack.aclose()
        await self.loaded.close()

    def _scratch(self) -> Path:
        return Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="dazi-eval-")))

    def _own(self, folder: Path, today: date | None = None) -> Settings:
        return apart(self.settings, folder, today)

    def _runner(self, runtime: Runtime) -> Runner:
        if RETRIEVAL in self.switches.without:
            agent = runtime.service.agent
            agent.chooser = EveryTool(agent.company.tools.values())
        person = principals(runtime.company, runtime.directory)
        return Runner(runtime.service, person, self.concurrency)


@dataclass(frozen=True, slots=True)
class ReadsOnly:
    """A real system as an evaluation may reach it: it is read, and nothing in it is changed."""

    connector: Connector

    async def execute(self, invocation: Invocation) -> Any:
        if invocation.tool.effect != "read":
            name = invocation.tool.name
            raise ConnectorError(
                "refused", f"评测里不执行 {name}", f"an evaluation does not carry out {name}"
            )
        return await self.connector.execute(invocation)

    async def close(self) -> None:
        await self.connector.close()


@dataclass(frozen=True, slots=True)
class _Live:
    runner: Runner
    runtime: Runtime
    engine: Overheard

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        demo = self.runtime.demo
        if demo is None:
            raise ConfigError(
                self.runtime.company.folder,
                None,
                "公司没有自己的示例数据库(demo),查不了行",
                "the company has no demo database to look into",
            )
        with closing(sqlite3.connect(f"file:{demo.database}?mode=ro", uri=True)) as connection:
            return [tuple(r) for r in connection.execute(sql).fetchall()]

    async def recorded(self) -> list[Mapping[str, Any]]:
        await self.runtime.ledger.flush()
        found = await self.runtime.audit.rows(limit=10_000)
        return [
            {**json.loads(r.body), "kind": r.kind, "user": r.user}
            for r in found
            if r.kind == "outcome"
        ]

    def mails(self) -> int:
        data = self.runtime.settings.data
        return len(list((data / "mail").glob("*.eml"))) if data is not None else 0

    def seen(self) -> list[str]:
        return self.engine.prompts


async def _read(runtime: Runtime, folder: Path, documents: Mapping[str, str] | None) -> None:
    """The index holds the company's documents, or ``documents`` and nothing else."""
    found = runtime.documents
    if found is None:
        raise ConfigError(
            runtime.company.folder, None, "公司没有文档", "the company has no documents"
        )
    if documents is None:
        await found.refresh(outside=False)
        return
    place = folder / "eval-documents"
    place.mkdir()
    for name, text in documents.items():
        (place / name).write_text(text, "utf-8")
    found.prepare = None
    found.settings = replace(found.settings, sources=())
    await found.refresh(outside=False)
    await found.library.add_source("folder", str(place), tenant="default")
    await found.library.look(outside=False)
    await found.library.index_now()
