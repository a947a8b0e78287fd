"""The one place where everything is wired together."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from dazi.access.auditing import LedgerReading
from dazi.access.cedar import CedarPolicy
from dazi.access.control import Access, Installation
from dazi.access.ldap import Ldap
from dazi.access.limits.counters import Counters, ProcessCounters
from dazi.access.limits.limiter import Limiter
from dazi.access.limits.rules import prices_of, rules_of
from dazi.access.limits.shared import SharedCounters
from dazi.access.limits.totals import DatabaseTotals
from dazi.access.recording import Record
from dazi.access.users import Directory
from dazi.access.visitors import Visitors
from dazi.agent.context import Budget
from dazi.agent.service import AssistantService
from dazi.agent.turn import Agent
from dazi.apps.desk.desk import Desk
from dazi.apps.reports.service import ReportService
from dazi.audit.ledger import Kind, Ledger, MemorySink, SqlSink
from dazi.audit.private import Private
from dazi.audit.sealing import Sealing
from dazi.audit.search import Opened
from dazi.audit.signing import SigningKeys
from dazi.connectors.context import ConnectorContext
from dazi.console.answers import Answers
from dazi.core.company import Company
from dazi.core.engine import Embedder, Engine, GenerateRequest, OfferedTool, Reranker
from dazi.core.language import Language
from dazi.core.messages import Message
from dazi.core.tools import Connector
from dazi.gateway.channels.service import ChannelService
from dazi.gateway.widget.service import Widget
from dazi.inference.pool.engine import PoolEngine
from dazi.inference.pool.spending import Counted
from dazi.knowledge.administration import Administration
from dazi.knowledge.service import KnowledgeService
from dazi.main.access_settings import access_settings
from dazi.main.approved_answers import approved_answers
from dazi.main.auditing import audit_folder
from dazi.main.channels import open_channels
from dazi.main.company import load_company
from dazi.main.database import database_of
from dazi.main.demo import Demo, Running
from dazi.main.desk import DeskFiles, make_desk
from dazi.main.desk_door import DeskDoor
from dazi.main.documents import Documents, Place, milvus_of, open_documents
from dazi.main.door import Door
from dazi.main.engines import load_engine, make_embedder, make_reranker
from dazi.main.experiments import Experimenting, open_experiments
from dazi.main.guarding import guard_of
from dazi.main.jobs import open_jobs
from dazi.main.knowledge_settings import knowledge_settings
from dazi.main.outside_sources import OutsideSources
from dazi.main.picture_reading import picture_reader
from dazi.main.pool import note_in
from dazi.main.risk_door import RiskDoor
from dazi.main.routing import care_of, tickets_of
from dazi.main.settings import Settings
from dazi.main.sites import everybody, open_widget, visitors_of
from dazi.main.systems import connector_context, make_connectors
from dazi.memory.threads import ThreadStore
from dazi.observe.observer import Observer
from dazi.ops.prompts.model import VERSION_0
from dazi.prompt.system import system_text
from dazi.router.dispatch import FunctionRouter
from dazi.router.intents import IntentStore
from dazi.store.database import Database
from dazi.store.jobs.service import JobService

if TYPE_CHECKING:
    from dazi.main.alerting import Alerts
    from dazi.main.observing import Watching
    from dazi.main.risk import OpenedRisk

LANGUAGES: tuple[Language, ...] = ("zh", "en")


@dataclass(slots=True)
class Runtime:
    """Everything a running Dazi consists of. ``close`` ends it in order."""

    settings: Settings
    company: Company
    engine: Engine
    service: AssistantService
    directory: Directory
    database: Database
    ledger: Ledger
    audit: Opened
    sealing: Sealing
    router: FunctionRouter
    connectors: dict[str, Connector]
    access: Access
    observer: Observer
    embedder: Embedder | None = None
    reranker: Reranker | None = None
    documents: Documents | None = None
    risk: OpenedRisk | None = None
    jobs: JobService | None = None
    desk: Desk | None = None
    reports: ReportService | None = None
    experiments: Experimenting | None = None
    visitors: Visitors | None = None
    widget: Widget | None = None
    channels: ChannelService | None = None
    demo: Demo | None = None
    running: Running | None = None
    watching: Watching | None = None
    answers: Answers = field(default_factory=Answers)
    alerts: Alerts | None = None
    draining: bool = False
    """A stop has been asked for: what is under way is ended, and no more is wanted."""
    model_reached: bool = False
    """It has answered once."""

    def today(self) -> date:
        return self.settings.today or date.today()

    def reading(self) -> LedgerReading | None:
        """The ledger for auditors' browsers; none where it is in memory only."""
        if self.settings.audit == "memory":
            return None
        folder = audit_folder(self.settings.data_folder(self.company.folder))
        return LedgerReading(
            self.database, self.ledger, self.sealing, SigningKeys(folder), demo=self.company.demo
        )

    async def close(self) -> None:
        await self.answers.close()
        if self.widget is not None:
            await self.widget.close()
        if self.alerts is not None:
            await self.alerts.evaluator.close()
        if self.channels is not None:
            await self.channels.close()
        await self.router.settle()
        await self.service.remembering.settle()
        if self.experiments is not None:
            await self.experiments.board.settle()
        await self.service.limiter.close()
        await self.access.close()
        if self.documents is not None:
            await self.documents.close()
        if self.risk is not None:
            await self.risk.close()
        await self.ledger.flush()
        for connector in self.connectors.values():
            await connector.close()
        await self.engine.close()
        for model in (self.embedder, self.reranker):
            if model is not None:
                await model.close()
        self.sealing.close()
        if self.watching is not None:
            self.watching.history.close()
        await self.database.close()
        if self.demo is not None:
            await asyncio.to_thread(self.demo.stop)


async def open_runtime(
    settings: Settings, *, engine: Engine | None = None, effects: bool = True
) -> Runtime:
    """Load the company, start what it needs, open the model.

    ``effects=False`` lets tools answer with their declared examples and starts no services.
    """
    folder = settings.company_folder()
    company = load_company(folder)
    data = settings.data_folder(folder)
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    today = settings.today or date.today()
    Directory(
        company, settings.host
    )  # demo users on a public address stop here, before anything starts
    demo = running = None
    if company.demo and effects:
        demo = Demo(company, data, today)
        await asyncio.to_thread(demo.seed)
        running = await asyncio.to_thread(demo.start)
    context = connector_context(company, data, running)
    connectors = make_connectors(company, context)
    if engine is None:
        engine = await asyncio.to_thread(load_engine, settings, data)
    runtime = await assemble(settings, company, connectors, engine, data, effects=effects)
    runtime.demo, runtime.running = demo, running
    runtime.documents = await _documents(runtime, context, data)
    if "risk" in company.settings:
        _open_risk(runtime, context)
    open_desk(runtime, context)
    runtime.service.approved = approved_answers(company)
    runtime.service.pictures.reader = picture_reader()
    runtime.reports = ReportService(
        company, runtime.router, runtime.ledger, runtime.today, runtime.service.limiter, engine
    )
    runtime.experiments = await open_experiments(runtime, recorder(runtime.ledger))
    runtime.jobs = open_jobs(runtime)
    runtime.widget = await open_widget(runtime)
    runtime.channels = open_channels(runtime, recorder(runtime.ledger))
    return runtime


async def _documents(runtime: Runtime, context: ConnectorContext, data: Path) -> Documents:
    """The company's documents, behind the door that its tools have."""
    runtime.reranker = make_reranker(runtime.settings)
    settings = knowledge_settings(runtime.company)
    place = Place(
        runtime.database,
        data,
        runtime.company.folder,
        runtime.embedder,
        runtime.reranker,
        runtime.settings.knowledge_ocr,
        milvus_of(runtime.settings),
    )
    documents = await open_documents(place, settings)
    documents.library.outside = OutsideSources(context)
    documents.extractive = runtime.engine.profile.copies_text
    if runtime.demo is not None:
        documents.prepare = runtime.demo.make_documents
    if isinstance(context.knowledge, Door):
        context.knowledge.behind = documents
    administration = Administration(
        documents.library, settings.managers, runtime.company.roles.keys(), recorder(runtime.ledger)
    )
    documents.people = KnowledgeService(
        documents.library,
        documents.search,
        administration,
        runtime.settings.knowledge_upload_bytes,
    )
    return documents


def _open_risk(runtime: Runtime, context: ConnectorContext) -> None:
    """The risk engine, behind the door that its tool has."""
    from dazi.main.risk import open_risk

    runtime.risk = open_risk(
        runtime.company,
        context,
        runtime.database,
        Private(runtime.sealing.keys),
        recorder(runtime.ledger),
    )
    if runtime.risk is not None and isinstance(context.risk, RiskDoor):
        context.risk.behind = runtime.risk.service


def open_desk(runtime: Runtime, context: ConnectorContext) -> None:
    """The service desk, behind the door that tools have, and in the assistant's place where a person
    has a conversation."""
    files = DeskFiles(runtime.database, Private(runtime.sealing.keys), runtime.service.threads)
    people = everybody(runtime.access.people, runtime.visitors)
    runtime.desk = make_desk(runtime.company, files, people, runtime.service, runtime.visitors)
    runtime.desk.knowledge = context.knowledge
    runtime.service.holder = runtime.desk
    if isinstance(context.desk, DeskDoor):
        context.desk.behind = runtime.desk


def recorder(ledger: Ledger) -> Record:
    """What administration writes its record with."""

    async def record(kind: str, who: str, body: Mapping[str, Any]) -> None:
        await ledger.append(cast(Kind, kind), who, "", body)

    return record


async def assemble(
    settings: Settings,
    company: Company,
    connectors: dict[str, Connector],
    engine: Engine,
    data: Path,
    *,
    effects: bool = True,
) -> Runtime:
    """Join a company, its connectors and an engine into a running assistant."""
    database = database_of(settings, data)
    await database.create()
    sink: SqlSink | MemorySink = (
        MemorySink()
        if settings.audit == "memory"
        else SqlSink(database, sync=settings.audit == "synced")
    )
    observer = Observer()
    sealing = Sealing(audit_folder(data))
    # In memory there is nothing that outlives the process, and nothing to seal.
    ledger = Ledger(sink, None if settings.audit == "memory" else sealing)
    audit = Opened(sink, sealing)
    ledger.tap = observer.recorded
    await ledger.open()
    if isinstance(engine, PoolEngine):
        engine.bind(note_in(ledger), Counted(await make_counters(settings, database)))
    private = Private(sealing.keys)
    tickets = tickets_of(settings, database, private)
    directory = Directory(company, settings.host)
    access = make_access(company, database, ledger, directory, data)
    await access.open()
    visitors = visitors_of(company, data, database, private)
    guard = guard_of(company.folder)
    guard.watch = lambda scope, found: observer.guarded(
        scope, ((j.action, j.finding.type) for j in found)
    )
    router = FunctionRouter(
        company,
        connectors,
        CedarPolicy(company),
        ledger,
        IntentStore(database, private),
        tickets,
        execute=effects,
        guard=guard,
        care=care_of(settings),
        observer=observer,
    )
    budget = Budget(
        settings.turn_rounds,
        settings.turn_calls,
        settings.turn_seconds,
        settings.answer_tokens,
        prices_of(company.settings, company.folder),
        settings.context_rules(),
    )
    agent = Agent(company, engine, router, ledger, budget, guard, observer)
    service = AssistantService(
        agent,
        ThreadStore(database, private),
        tickets,
        lambda: settings.today or date.today(),
        everybody(access.people, visitors),
        settings.max_message_chars,
        await make_limiter(settings, company, database),
        settings.turn_tokens,
    )
    service.recall = visitors.recall
    return Runtime(
        settings,
        company,
        engine,
        service,
        directory,
        database,
        ledger,
        audit,
        sealing,
        router,
        connectors,
        access,
        observer,
        make_embedder(settings),
        visitors=visitors,
    )


def make_access(
    company: Company, database: Database, ledger: Ledger, directory: Directory, data: Path
) -> Access:
    """Accounts and keys, beside the users of the company's file."""

    given = access_settings(company)
    ldap = Ldap(given.ldap) if given.ldap is not None else None
    installation = Installation(
        database, directory, company.roles, data / "access.key", recorder(ledger), ldap, given.oidc
    )
    return Access(installation, given.rules)


async def make_limiter(settings: Settings, company: Company, database: Database) -> Limiter:
    """The company's limits, counted here or, with ``redis``, for all processes together."""
    rules = rules_of(company.settings, company.folder)
    prices = prices_of(company.settings, company.folder)
    shared = settings if rules else settings.model_copy(update={"redis": ""})
    return Limiter(rules, prices, await make_counters(shared, database))


async def make_counters(settings: Settings, database: Database) -> Counters:
    if settings.redis:
        return SharedCounters(settings.redis)
    counters = ProcessCounters(totals=DatabaseTotals(database))
    await counters.open()
    return counters


def warm_requests(runtime: Runtime) -> Iterator[GenerateRequest]:
    """Prompts whose beginnings many requests will share: the system turn of each language and
    role, with the tools in the order they are offered in."""
    profile = runtime.engine.profile
    company = runtime.company
    chosen = runtime.experiments.board.active if runtime.experiments is not None else VERSION_0
    for language in LANGUAGES:
        if profile.concise:
            text = system_text(language, company.name, runtime.today(), frozenset(), concise=True)
            yield GenerateRequest((Message("system", text), Message("user", "你好")))
            continue
        for role, included in company.roles.items():
            tools = [t for t in company.tools.values() if not t.roles.isdisjoint(included)]
            if not tools or len(tools) > profile.offered_tools:
                continue
            text = system_text(
                language,
                company.name,
                runtime.today(),
                frozenset({role}),
                concise=False,
                template=chosen.content.template(language),
            )
            told = chosen.content.tools
            offered = tuple(
                OfferedTool(t.name, told.get(t.name, t.description)(language), t.schema(language))
                for t in tools
            )
            yield GenerateRequest((Message("system", text), Message("user", "你好")), offered)
