"""Durable jobs: which kinds there are, who works on them, and what the ledger has of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dazi.audit.ledger import Ledger
from dazi.audit.private import Private
from dazi.core.errors import OperatorError
from dazi.core.principal import Principal
from dazi.main.settings import Settings
from dazi.store.database import Database
from dazi.store.jobs.model import Job, JobLimits
from dazi.store.jobs.records import JobStore
from dazi.store.jobs.schedules import ScheduleStore
from dazi.store.jobs.service import JobService
from dazi.store.jobs.work import Kind, Kinds, Told, Workers

if TYPE_CHECKING:
    from dazi.main.runtime import Runtime


def _given(runtime: Runtime) -> Iterator[Kind]:
    """Every kind of job that there is."""
    from dazi.apps.questions import question_kind
    from dazi.apps.reports.jobs import report_kind
    from dazi.apps.takeout import export_kind
    from dazi.main.contracts import contract_kinds
    from dazi.main.desk import kinds as desk_kinds
    from dazi.main.learning import kinds as learning_kinds
    from dazi.main.risk_jobs import risk_kinds

    yield question_kind(runtime.service, runtime.settings.max_message_chars)
    yield export_kind(runtime.service.threads, runtime.service.remembering.facts)
    yield from desk_kinds(runtime)
    if runtime.risk is not None:
        yield from risk_kinds(runtime.risk.service)
    yield from contract_kinds(runtime)
    if runtime.reports is not None:
        yield report_kind(runtime.reports)
    yield from learning_kinds(runtime)


def _kinds(runtime: Runtime) -> dict[str, Kind]:
    kinds: dict[str, Kind] = {}
    for kind in _given(runtime):
        if kind.name in kinds:
            raise OperatorError(
                "job_kind",
                f"任务种类 {kind.name} 有两个",
                f"there are two kinds of job called {kind.name}",
            )
        kinds[kind.name] = kind
    return kinds


def open_jobs(runtime: Runtime) -> JobService:
    """Its workers begin with ``workers.run``."""
    kinds = Kinds(lambda: _kinds(runtime))
    store, schedules = stores_of(runtime.settings, runtime.database, Private(runtime.sealing.keys))

    def who(job: Job) -> Principal:
        return runtime.access.people.principal(job.user, job.channel, job.tenant)

    workers = Workers(
        store,
        kinds,
        who,
        places=max(runtime.settings.jobs_at_once, 1),
        told=recorder(runtime.ledger),
    )
    return JobService(store, schedules, kinds, workers)


def stores_of(
    settings: Settings, database: Database, private: Private
) -> tuple[JobStore, ScheduleStore]:
    limits = JobLimits(settings.jobs_waiting, settings.job_file_bytes)
    return JobStore(database, private, limits), ScheduleStore(database, private)


def recorder(ledger: Ledger) -> Told:
    """Writes down when a job of somebody begins, and how it ended."""

    async def record(job: Job, what: str) -> None:
        body = {"what": what, "job": job.id, "job_kind": job.kind, "attempt": job.attempts}
        await ledger.append("job", job.user, "", body | ({"batch": job.batch} if job.batch else {}))

    return record
