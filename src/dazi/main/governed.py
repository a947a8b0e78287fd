"""A company's tools behind the function router, and nothing else: no model, no conversations.

For commands that make calls themselves, such as reports: what takes long to load and is not needed is
not loaded. Policies, approvals, limits and the ledger are those of the running service.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from dazi.access.accounts import Accounts
from dazi.access.cedar import CedarPolicy
from dazi.access.changes import Changes
from dazi.access.limits.limiter import Limiter
from dazi.access.limits.rules import prices_of, rules_of
from dazi.access.people import People
from dazi.access.users import Directory
from dazi.audit.ledger import Ledger, SqlSink
from dazi.audit.private import Private
from dazi.audit.sealing import Sealing
from dazi.connectors.context import ConnectorContext
from dazi.core.company import Company
from dazi.core.principal import Principal
from dazi.core.tools import Connector
from dazi.main.company import load_company
from dazi.main.database import database_of
from dazi.main.demo import Demo
from dazi.main.door import Door
from dazi.main.guarding import guard_of
from dazi.main.routing import care_of, tickets_of
from dazi.main.settings import Settings
from dazi.main.systems import connector_context, make_connectors
from dazi.router.dispatch import FunctionRouter
from dazi.router.intents import IntentStore
from dazi.store.database import Database

if TYPE_CHECKING:
    from dazi.main.documents import Documents

SERVED = frozenset({"http", "smtp"})
"""Kinds of systems that a demo company's own services are."""
AUDIT = "audit"
"""The folder of the audit's keys, in the data folder."""


@dataclass(frozen=True, slots=True)
class Governed:
    settings: Settings
    company: Company
    router: FunctionRouter
    ledger: Ledger
    limiter: Limiter
    people: People
    database: Database
    private: Private
    data: Path

    def today(self) -> date:
        return self.settings.today or date.today()

    def principal(self, user: str, channel: str = "cli") -> Principal:
        """``user``, or the company's first one. Raises ``AccessError``."""
        first = next((u.user for u in self.company.users), "")
        return self.people.principal(user or first, channel)


@asynccontextmanager
async def governed(
    settings: Settings,
    company: Company | None = None,
    *,
    only: frozenset[str] | None = None,
    documents: bool = False,
) -> AsyncIterator[Governed]:
    """``only``: no other tools will be called, so that no other systems need be there. ``documents``:
    the company's documents can be searched too, which takes longer to open."""
    folder = settings.company_folder()
    company = company or load_company(folder)
    data = settings.data_folder(folder)
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    today = settings.today or date.today()
    demo = running = None
    if company.demo:
        demo = Demo(company, data, today)
        await asyncio.to_thread(demo.seed)
        running = await asyncio.to_thread(demo.start) if _kinds(company, only) & SERVED else None
    context = connector_context(company, data, running)
    connectors = make_connectors(_reduced(company, only), context)
    database, sealing = database_of(settings, data), Sealing(data / AUDIT)
    opened = None
    try:
        await database.create()
        ledger = Ledger(SqlSink(database, sync=settings.audit == "synced"), sealing)
        await ledger.open()
        made = await _made(settings, company, connectors, (database, ledger, sealing), data)
        if documents:
            opened = await _documents(made, context, demo)
            await opened.looked()
        yield made
        await made.router.settle()
        await ledger.flush()
    finally:
        if opened is not None:
            await opened.close()
        for connector in connectors.values():
            await connector.close()
        sealing.close()
        await database.close()
        if demo is not None:
            await asyncio.to_thread(demo.stop)


def _kinds(company: Company, only: frozenset[str] | None) -> frozenset[str]:
    """The kinds of systems that are called."""
    tools = company.tools.values() if only is None else (company.tools[t] for t in only)
    return frozenset(company.connectors[t.connector].kind for t in tools)


def _reduced(company: Company, only: frozenset[str] | None) -> Company:
    """With the systems of those tools only."""
    if only is None:
        return company
    wanted = {company.tools[t].connector for t in only}
    specs = {name: spec for name, spec in company.connectors.items() if name in wanted}
    return replace(company, connectors=specs)


async def _made(
    settings: Settings,
    company: Company,
    connectors: dict[str, Connector],
    stores: tuple[Database, Ledger, Sealing],
    data: Path,
) -> Governed:
    database, ledger, sealing = stores
    private = Private(sealing.keys)
    tickets = tickets_of(settings, database, private)
    router = FunctionRouter(
        company,
        connectors,
        CedarPolicy(company),
        ledger,
        IntentStore(database, private),
        tickets,
        guard=guard_of(company.folder),
        care=care_of(settings),
    )
    changes = Changes(database)
    people = People(Directory(company, settings.host), company.roles, Accounts(changes), changes)
    await changes.look()
    limiter = await _limiter(settings, company, database)
    return Governed(settings, company, router, ledger, limiter, people, database, private, data)


async def _limiter(settings: Settings, company: Company, database: Database) -> Limiter:
    if not rules_of(company.settings, company.folder):
        return Limiter((), prices_of(company.settings, company.folder))
    from dazi.main.admission import make_limiter

    return await make_limiter(settings, company, database)


async def _documents(made: Governed, context: ConnectorContext, demo: Demo | None) -> Documents:
    from dazi.main.documents import Place, milvus_of, open_documents
    from dazi.main.engines import make_embedder, make_reranker
    from dazi.main.knowledge_settings import knowledge_settings
    from dazi.main.outside_sources import OutsideSources

    settings = made.settings
    place = Place(
        made.database,
        made.data,
        made.company.folder,
        make_embedder(settings),
        make_reranker(settings),
        settings.knowledge_ocr,
        milvus_of(settings),
    )
    documents = await open_documents(place, knowledge_settings(made.company))
    documents.library.outside = OutsideSources(context)
    documents.extractive = True
    documents.prepare = demo.make_documents if demo is not None else None
    if isinstance(context.knowledge, Door):
        context.knowledge.behind = documents
    return documents
