"""Reports as jobs: refused before they are put, run by the rights of the moment, kept with their files."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from dazi.apps.reports.comparing import compare
from dazi.apps.reports.jobs import checked, report_kind, run_of
from dazi.apps.reports.verifying import verify
from dazi.core.errors import AccessError, CallerError, DaziError, NotFound
from dazi.core.principal import Principal
from dazi.main.governed import Governed
from dazi.store.jobs.model import Job, NewJob
from dazi.store.jobs.records import JobStore
from dazi.store.jobs.work import Workers
from tests.apps.reports.conftest import service_of


class Jobs:
    def __init__(self, g: Governed) -> None:
        self.g = g
        self.kind = report_kind(service_of(g))
        self.store = JobStore(g.database, g.private)
        self.who = {"finance": g.principal("finance")}

    async def done(self, arguments: Mapping[str, Any]) -> Job:
        who = self.g.principal("finance")
        kept = await self.kind.check(who, arguments)
        job = await self.store.put(who, NewJob("report", "费用", kept))
        workers = Workers(self.store, {"report": self.kind}, lambda job: self.who[job.user])
        await workers.drain()
        return await self.store.get(job.id, who)


@pytest.fixture
async def jobs(opened: Governed) -> AsyncIterator[Jobs]:
    yield Jobs(opened)


async def test_a_report_is_kept_with_its_data_and_files(jobs: Jobs) -> None:
    arguments = {"name": "department-costs", "formats": ["xlsx", "json"],
                 "mail_to": "boss@yunshan.example"}  # fmt: skip
    job = await jobs.done(arguments)
    assert (job.state, job.error) == ("done", None)
    run = run_of(job.result)
    verify(run)
    assert run.mail is not None and run.mail.ticket
    assert [f.name.rpartition(".")[2] for f in job.files] == ["json", "xlsx"]
    _, data = await jobs.store.file(job.id, job.files[0].name, jobs.who["finance"])
    assert b"department-costs" in data
    again = run_of((await jobs.done({"name": "department-costs"})).result)
    assert compare(run, again) == []


async def test_who_has_lost_the_right_meanwhile_gets_no_report(jobs: Jobs) -> None:
    jobs.who["finance"] = Principal("finance", frozenset({"employee"}))
    job = await jobs.done({"name": "department-costs", "parameters": {"quarters": "2024-Q4"}})
    assert job.state == "failed" and job.error is not None
    assert job.error.code == "forbidden"
    assert job.files == () and job.result is None


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({}, CallerError),
        ({"name": "no-such"}, NotFound),
        ({"name": "monthly-sales"}, AccessError),
        ({"name": "annual-report", "parameters": {"file": "/etc/passwd"}}, CallerError),
        ({"name": "department-costs", "formats": ["exe"]}, CallerError),
        ({"name": "department-costs", "parameters": {"quarters": "什么时候"}}, CallerError),
        ({"name": "department-costs", "file": "x"}, CallerError),
        ({"name": "department-costs", "language": "fr"}, CallerError),
    ],
)
async def test_what_cannot_be_run_is_not_put(
    opened: Governed, arguments: Any, error: type[DaziError]
) -> None:
    with pytest.raises(error):
        checked(service_of(opened), opened.principal("finance"), arguments)


async def test_words_for_a_period_are_kept_as_said(opened: Governed) -> None:
    arguments = {"name": "department-costs", "parameters": {"quarters": "上季度"}}
    kept = checked(service_of(opened), opened.principal("finance"), arguments)
    assert kept["parameters"] == {"quarters": "上季度"}
    arguments |= {"parameters": "quarters=上季度; departments=marketing,rd", "formats": "pdf, xlsx"}
    kept = checked(service_of(opened), opened.principal("finance"), arguments)
    assert kept["parameters"] == {"quarters": "上季度", "departments": "marketing,rd"}
    assert kept["formats"] == ["pdf", "xlsx"]
