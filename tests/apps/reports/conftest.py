"""The demo company's reports, each run once in both languages, as somebody who may."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest

from bench.annual_report import write_annual
from dazi.apps.reports.result import Run
from dazi.apps.reports.service import ReportService, Wanted
from dazi.core.language import Language
from dazi.main.governed import Governed, governed
from dazi.main.settings import Settings, demo_folder

TODAY = date(2025, 4, 3)
WHO = {
    "monthly-sales": "manager",
    "department-costs": "finance",
    "inventory": "staff",
    "orders": "supervisor",
    "meeting-rooms": "risk",
    "annual-report": "finance",
}


def service_of(g: Governed) -> ReportService:
    return ReportService(g.company, g.router, g.ledger, g.today, g.limiter)


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reports")


@pytest.fixture(scope="session")
def annual(data: Path) -> Path:
    return write_annual(data / "annual.docx")


@pytest.fixture(scope="session")
def settings(data: Path) -> Settings:
    return Settings(company=demo_folder(), data=data / "data", today=TODAY)


@pytest.fixture
async def opened(settings: Settings) -> AsyncIterator[Governed]:
    async with governed(settings) as g:
        yield g


@pytest.fixture(scope="session")
def runs(settings: Settings, annual: Path) -> dict[tuple[str, Language], Run]:
    """By name and language. Documents are not open: what is optional of them is missing."""

    async def all_of_them() -> dict[tuple[str, Language], Run]:
        out: dict[tuple[str, Language], Run] = {}
        languages: tuple[Language, ...] = ("zh", "en")
        async with governed(settings) as g:
            service = service_of(g)
            for name, user in WHO.items():
                for language in languages:
                    given = {"file": str(annual)} if name == "annual-report" else {}
                    wanted = Wanted(name, language, given, files=True)
                    out[name, language] = await service.run(g.principal(user), wanted)
        return out

    return asyncio.run(all_of_them())


@pytest.fixture
def sales(runs: dict[tuple[str, Language], Run]) -> Run:
    return runs["monthly-sales", "zh"]


@pytest.fixture
def costs(runs: dict[tuple[str, Language], Run]) -> Run:
    return runs["department-costs", "zh"]
