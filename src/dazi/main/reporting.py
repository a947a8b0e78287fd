"""Reports from the command line and as jobs: who runs them, on which systems, into which files."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dazi.apps.reports.calling import GovernedCaller
from dazi.apps.reports.declare import load_reports
from dazi.apps.reports.definition import Report
from dazi.apps.reports.rendering import FileFormat, rendered
from dazi.apps.reports.result import Run, of_json
from dazi.apps.reports.running import Setting, Told, Word, may_run, run
from dazi.core.company import Company
from dazi.core.errors import CallerError, NotFound
from dazi.core.language import Language, Text
from dazi.core.principal import Principal
from dazi.main.company import load_company
from dazi.main.governed import Governed, governed
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


def report_named(reports: Mapping[str, Report], name: str) -> Report:
    """Raises ``NotFound``, which names those there are."""
    if name not in reports:
        known = ", ".join(reports) or "-"
        raise NotFound(
            "report",
            f"没有报表 {name},现有:{known}",
            f"there is no report {name}; there are: {known}",
        )
    return reports[name]


async def make(settings: Settings, asked: Asked) -> Made:
    """Run a report without a server and write its file."""
    company = load_company(settings.company_folder())
    reports = reports_of(company)
    engine = _engine(settings) if asked.model and not asked.name else None
    try:
        report, given, chosen = await _chosen(settings, company, reports, asked, engine)
        if engine is None and asked.model and report.wants_model:
            engine = _engine(settings)
        async with governed(settings, company, documents=_wants_documents(company, report)) as g:
            principal = g.principal(asked.user)
            caller = GovernedCaller(company, g.router, g.ledger, principal, g.limiter)
            word = _word(engine, principal, g) if engine is not None else None
            done = await run_as(g, report, given, caller, asked.language, word)
            file = rendered(done, asked.format, company.folder)
            path = asked.out or Path(file.name)
            if asked.mail_to:
                done = await _mailed(done, asked.mail_to, caller, str(path))
            path.write_bytes(file.data)
            return Made(done, path, len(file.data), chosen)
    finally:
        if engine is not None:
            await engine.close()


async def run_as(
    g: Governed,
    report: Report,
    given: Mapping[str, Any],
    caller: GovernedCaller,
    language: Language,
    word: Word | None = None,
    told: Told = lambda step, fraction: None,
) -> Run:
    from dazi.apps.reports.figures import figures_in

    caller.begin(report, given, g.today(), language)
    setting = Setting(
        g.company,
        caller.principal,
        g.today(),
        language,
        time.strftime("%Y-%m-%dT%H:%M:%S"),
        word,
        figures_in,
        told,
    )
    return await run(report, given, caller, setting)


async def _chosen(
    settings: Settings,
    company: Company,
    reports: Mapping[str, Report],
    asked: Asked,
    engine: Engine | None,
) -> tuple[Report, Mapping[str, Any], str]:
    if asked.name:
        return report_named(reports, asked.name), asked.given, ""
    from datetime import date

    from dazi.apps.reports import asking

    today = settings.today or date.today()
    found = asking.recognised(asked.words, reports.values(), today)
    if found is None and engine is not None:
        found = await asking.chosen(
            asked.words, list(reports.values()), engine, today, asked.language
        )
    if found is None:
        raise asking.unknown(list(reports.values()))
    given = {**found.given, **asked.given}
    said = asking.told(replace(found, given=given), asked.language)
    return found.report, given, said + (BY_MODEL(asked.language) if found.by_model else "")


def _engine(settings: Settings) -> Engine | None:
    """The model, where one is set that can write: the bundled one only copies, and takes a second to
    load."""
    from dazi.inference.catalog import Catalog
    from dazi.main.engines import choose_model, load_engine

    folder = settings.company_folder()
    data = settings.data_folder(folder)
    catalog = Catalog(data)
    bundled = {m.name for m in catalog.list()[:1] if m.kind == "local"}
    if choose_model(settings, catalog).name in bundled:
        return None
    return load_engine(settings, data)


def _word(engine: Engine, principal: Principal, g: Governed) -> Word:
    from dazi.apps.reports.model_words import ModelWriter

    return ModelWriter(engine, principal, g.today(), g.limiter)


def _wants_documents(company: Company, report: Report) -> bool:
    kinds = {company.connectors[company.tools[t].connector].kind for t in report.tools}
    return "knowledge" in kinds


async def _mailed(done: Run, to: str, caller: GovernedCaller, where: str) -> Run:
    from dazi.apps.reports.mailing import mailed

    return replace(done, mail=await mailed(done, to, caller, where))


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
