"""The one place where everything is wired together."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from dazi.access.auditing import LedgerReading
from dazi.access.cedar import CedarPolicy
from dazi.access.control import Access
from dazi.access.limits.rules import prices_of
from dazi.access.users import Directory
from dazi.access.visitors import Visitors
from dazi.agent.context import Budget
from dazi.agent.service import AssistantService
from dazi.agent.turn import Agent
from dazi.apps.desk.desk import Desk
from dazi.apps.reports.service import ReportService
from dazi.audit.ledger import Ledger, MemorySink, SqlSink
from dazi.audit.private import Private
from dazi.audit.sealing import Sealing
from dazi.audit.search import Opened
from dazi.audit.signing import SigningKeys
from dazi.console.answers import Answers
from dazi.core.company import Company
from dazi.core.engine import Embedder, Engine, Reranker
from dazi.core.tools import Connector
from dazi.gateway.channels.service import ChannelService
from dazi.gateway.widget.service import Widget
from dazi.inference.pool.engine import PoolEngine
from dazi.inference.pool.spending import Counted
from dazi.main.admission import make_access, make_counters, make_limiter, recorder
from dazi.main.approved_answers import approved_answers
from dazi.main.auditing import audit_folder
from dazi.main.channels import open_channels
from dazi.main.company import load_company
from dazi.main.database import database_of
from dazi.main.demo import Demo, Running
from dazi.main.documents import Documents
from dazi.main.engines import load_engine, make_embedder
from dazi.main.experiments import Experimenting, open_experiments
from dazi.main.guarding import guard_of
from dazi.main.jobs import open_jobs
from dazi.main.learning import Learning, open_learning
from dazi.main.parts import company_documents, open_desk, risk_engine
from dazi.main.picture_reading import picture_reader
from dazi.main.pool import note_in
from dazi.main.routing import care_of, tickets_of
from dazi.main.settings import Settings
from dazi.main.sites import everybody, open_widget, visitors_of
from dazi.main.systems import connector_context, make_connectors
from dazi.memory.threads import ThreadStore
from dazi.observe.observer import Observer
from dazi.router.dispatch import FunctionRouter
from dazi.router.intents import IntentStore
from dazi.store.database import Database
from dazi.store.jobs.service import JobService

if TYPE_CHECKING:
    from dazi.main.alerting import Alerts
    from dazi.main.observing import Watching
    from dazi.main.risk import OpenedRisk


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
    learning: Learning | None = None
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
        if self.learning is not None:
            await self.learning.listening.settle()
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
    runtime.documents = await company_documents(runtime, context, data)
    if "risk" in company.settings:
        risk_engine(runtime, context)
    open_desk(runtime, context)
    runtime.service.approved = approved_answers(company)
    runtime.service.pictures.reader = picture_reader()
    runtime.reports = ReportService(
        company, runtime.router, runtime.ledger, runtime.today, runtime.service.limiter, engine
    )
    runtime.experiments = await open_experiments(runtime, recorder(runtime.ledger))
    runtime.learning = open_learning(runtime, recorder(runtime.ledger))
    runtime.jobs = open_jobs(runtime)
    runtime.widget = await open_widget(runtime)
    runtime.channels = open_channels(runtime, recorder(runtime.ledger))
    return runtime


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
