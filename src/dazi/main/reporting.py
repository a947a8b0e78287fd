"""Reports from the command line and as jobs: who runs them, on which systems, into which files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dazi.apps.reports.calling import MAIL
from dazi.apps.reports.declare import load_reports
from dazi.apps.reports.definition import Report
from dazi.apps.reports.rendering import FileFormat, rendered
from dazi.apps.reports.result import Run, of_json
from dazi.apps.reports.running import may_run
from dazi.apps.reports.service import ReportService, Wanted
from dazi.core.company import Company
from dazi.core.errors import CallerError
from dazi.core.language import Language, Text
from dazi.core.principal import Principal
from dazi.main.company import load_company
from dazi.main.governed import governed
from dazi.main.settings import Settings

if TYPE_CHECKING:
    from dazi.core.engine import Engine

BY_MODEL = Text("(由模型选定)", " (chosen by the model)")


@dataclass(frozen=True, slots=True)
class Asked:
    """``name`` or ``words``: which report; ``given``: its parameters as they are said. ``out``: the file
    to write, its ending the format where none is given. ``model``: sections may be worded by it."""

    user: str
    language: Language
    name: str = ""
    words: str = ""
    given: Mapping[str, Any] = field(default_factory=dict)
    format: FileFormat = "html"
    out: Path | None = None
    mail_to: str = ""
    model: bool = True


@dataclass(frozen=True, slots=True)
class Made:
    """``chosen``: which report was run and with what, where words chose it."""

    run: Run
    path: Path
    size: int
    chosen: str = ""


def reports_of(company: Company, principal: Principal | None = None) -> dict[str, Report]:
    """All, or those that ``principal`` may run. Raises ``ConfigError``."""
    found = load_reports(company)
    return {n: r for n, r in found.items() if principal is None or may_run(r, principal)}


async def make(settings: Settings, asked: Asked) -> Made:
    """Run a report without a server and write its file."""
    company = load_company(settings.company_folder())
    reports = load_reports(company, asked.name)
    today = settings.today or date.today()
    engine = None
    try:
        if asked.words and asked.model:
            engine = _engine(settings)
        name, given, chosen = await _chosen(reports, asked, engine, today)
        report = reports.get(name)
        if engine is None and asked.model and report is not None and report.wants_model:
            engine = _engine(settings)
        tools = report.tools if report is not None else frozenset()
        tools |= {MAIL} if asked.mail_to and MAIL in company.tools else frozenset()
        documents = report is not None and _wants_documents(company, report)
        async with governed(settings, company, only=tools, documents=documents) as g:
            service = ReportService(
                company, g.router, g.ledger, g.today, g.limiter, engine, reports
            )
            where = str(asked.out or "")
            wanted = Wanted(name, asked.language, given, True, asked.model, asked.mail_to, where)
            run = await service.run(g.principal(asked.user), wanted)
        file = rendered(run, asked.format, company.folder)
        path = asked.out or Path(file.name)
        path.write_bytes(file.data)
        return Made(run, path, len(file.data), chosen)
    finally:
        if engine is not None:
            await engine.close()


async def _chosen(
    reports: Mapping[str, Report], asked: Asked, engine: Engine | None, today: date
) -> tuple[str, Mapping[str, Any], str]:
    """The report's name, its parameters, and what is told of the choice. Raises ``CallerError`` for
    words that name none."""
    if not asked.words:
        return asked.name, asked.given, ""
    from dazi.apps.reports import asking

    found = asking.recognised(asked.words, reports.values(), today)
    if found is None and engine is not None:
        found = await asking.chosen(
            asked.words, list(reports.values()), engine, today, asked.language
        )
    if found is None:
        raise asking.unknown(list(reports.values()))
    given = {**found.given, **asked.given}
    said = asking.told(replace(found, given=given), asked.language)
    return found.report.name, given, said + (BY_MODEL(asked.language) if found.by_model else "")


def _engine(settings: Settings) -> Engine | None:
    """The model, where one is set that can write: the bundled one only copies, and takes a while to
    load."""
    from dazi.inference.catalog import BUNDLED, Catalog
    from dazi.main.engines import choose_model, load_engine

    data = settings.data_folder(settings.company_folder())
    if choose_model(settings, Catalog(data)).location == str(BUNDLED):
        return None
    return load_engine(settings, data)


def _wants_documents(company: Company, report: Report) -> bool:
    kinds = {company.connectors[company.tools[t].connector].kind for t in report.tools}
    return "knowledge" in kinds


def read_run(path: Path) -> Run:
    """A report that was written as JSON. Raises ``CallerError``."""
    try:
        return of_json(path.read_bytes())
    except FileNotFoundError:
        raise CallerError("no_file", f"没有文件 {path}", f"there is no file {path}") from None
    except (ValueError, OSError) as e:
        raise CallerError(
            "no_report",
            f"{path} 不是报表的 JSON(用 --format json 生成):{e}",
            f"{path} is no report as JSON (made with --format json): {e}",
        ) from None
