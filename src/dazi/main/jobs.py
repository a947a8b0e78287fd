"""Durable jobs: which kinds there are, who works on them, and what the ledger has of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from dazi.apps.questions import question_kind
from dazi.apps.reports.jobs import report_kind
from dazi.apps.takeout import export_kind
from dazi.audit.ledger import Ledger
from dazi.audit.private import Private
from dazi.core.errors import OperatorError
from dazi.core.principal import Principal
from dazi.main.contracts import contract_kinds
from dazi.main.desk import kinds as desk_kinds
from dazi.main.learning import kinds as learning_kinds
from dazi.main.settings import Settings
from dazi.store.database import Database
from dazi.store.jobs.model import Job, JobLimits
from dazi.store.jobs.records import JobStore
from dazi.store.jobs.schedules import ScheduleStore
from dazi.store.jobs.service import JobService
from dazi.store.jobs.work import Kind, Told, Workers

if TYPE_CHECKING:
    from dazi.main.runtime import Runtime


def _questions(runtime: Runtime) -> Iterable[Kind]:
    yield question_kind(runtime.service, runtime.settings.max_message_chars)


def _exports(runtime: Runtime) -> Iterable[Kind]:
    yield export_kind(runtime.service.threads, runtime.service.remembering.facts)


def _risk(runtime: Runtime) -> Iterable[Kind]:
    if runtime.risk is not None:
        from dazi.main.risk_jobs import risk_kinds

        yield from risk_kinds(runtime.risk.service)


def _reports(runtime: Runtime) -> Iterable[Kind]:
    if runtime.reports is not None:
        yield report_kind(runtime.reports)


KINDS: tuple[Callable[[Runtime], Iterable[Kind]], ...] = (
    _questions,
    _exports,
    desk_kinds,
    _risk,
    contract_kinds,
    _reports,
    learning_kinds,
)
"""Every kind of job that there is."""


def open_jobs(runtime: Runtime) -> JobService:
    """Its workers begin with ``workers.run``."""
    kinds: dict[str, Kind] = {}
    for given in KINDS:
        for kind in given(runtime):
            if kind.name in kinds:
                raise OperatorError(
                    "job_kind",
                    f"任务种类 {kind.name} 有两个",
                    f"there are two kinds of job called {kind.name}",
                )
            kinds[kind.name] = kind
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
