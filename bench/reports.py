"""Reports measured: how long the monthly one takes, and what the check of numbers lets through.

    .venv/bin/python bench/reports.py [--write]

Prints tables; with ``--write`` they are kept in bench/results/reports.md. The command is measured from
outside: new processes, on a data folder that is filled, each with the file written; beside the time that
passed stands what the processor worked, since other work may go on on the machine. No model has part in it.
"""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

from bench.annual_report import write_annual
from bench.machine import describe
from bench.report_mutations import Counts, count
from dazi.apps.reports.rendering import FORMATS, rendered
from dazi.apps.reports.result import Run
from dazi.apps.reports.service import ReportService, Wanted
from dazi.core.language import Language
from dazi.main.governed import governed
from dazi.main.settings import Settings, demo_folder

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results" / "reports.md"
TODAY = date(2025, 4, 3)
TIMES = 7
LANGUAGES: tuple[Language, ...] = ("zh", "en")
WHO = {
    "monthly-sales": "manager",
    "department-costs": "finance",
    "inventory": "staff",
    "orders": "supervisor",
    "meeting-rooms": "risk",
    "annual-report": "finance",
}
Row = tuple[str, ...]


def command(data: Path, out: Path) -> tuple[float, float]:
    """Seconds that passed, and that the processor worked, of one ``dazi report run``."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("DAZI_")}
    env |= {"PYTHONPATH": str(ROOT / "src"), "DAZI_DATA": str(data), "DAZI_TODAY": str(TODAY)}
    line = "from dazi.main.cli import run; run()"
    arguments = ["report", "run", "monthly-sales", "--as", "manager", "--out", str(out)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", line, *arguments], env=env, check=True, capture_output=True
    )
    passed = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    worked = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return passed, worked


async def inside(data: Path, folder: Path) -> tuple[list[Row], list[Run]]:
    """Times within one process, and every report in both languages."""
    settings = Settings(company=demo_folder(), data=data, today=TODAY)
    annual = write_annual(folder / "annual.docx")
    rows: list[Row] = []
    runs: list[Run] = []
    async with governed(settings) as g:
        service = ReportService(g.company, g.router, g.ledger, g.today, g.limiter)
        who = g.principal("manager")
        wanted = Wanted("monthly-sales", "zh")
        run = await service.run(who, wanted)
        times, called = [], []
        for _ in range(TIMES):
            began = time.perf_counter()
            run = await service.run(who, wanted)
            times.append(time.perf_counter() - began)
            called.append(sum(c.ms for c in run.calls) / 1000)
        rows.append((f"{len(run.calls)} tool calls through the router", _ms(called)))
        rows.append(("the whole run: calls, tables, words, checks", _ms(times)))
        for format in FORMATS:
            rendered(run, format)
            times = []
            for _ in range(TIMES):
                began = time.perf_counter()
                file = rendered(run, format)
                times.append(time.perf_counter() - began)
            rows.append((f"{format} ({len(file.data) / 1000:,.0f} kB)", _ms(times)))
        for name, user in WHO.items():
            for language in LANGUAGES:
                given: dict[str, Any] = {"file": str(annual)} if name == "annual-report" else {}
                asked = Wanted(name, language, given, files=True)
                runs.append(await service.run(g.principal(user), asked))
    return rows, runs


def _ms(times: list[float]) -> str:
    return f"{median(times) * 1000:,.1f}"


def mutation_rows(counted: Counts) -> list[Row]:
    missed = [kind for kind, _ in counted.missed]
    kinds = [(k, f"{n:,}", f"{missed.count(k)}") for k, n in sorted(counted.tried.items())]
    return [*kinds, ("all", f"{sum(counted.tried.values()):,}", f"{len(missed)}")]


def table(heads: Row, rows: list[Row]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in lines)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="dazi-reports-") as scratch:
        folder = Path(scratch)
        rows, runs = asyncio.run(inside(folder / "data", folder))
        load = os.getloadavg()[0]
        commands = [command(folder / "data", folder / "out.docx") for _ in range(TIMES)]
    counted = count(runs)
    broken = count(runs[:2], check=lambda paragraph, language: False)
    passed, worked = ([c[n] for c in commands] for n in (0, 1))
    text = "\n\n".join(
        [
            "# Reports",
            ", ".join([str(date.today()), *(f"{k}: {v}" for k, v in describe().items())])
            + "; `python bench/reports.py --write`",
            "## `dazi report run monthly-sales --out sales.docx`, from the start of the process to its end",
            table(
                (f"{TIMES} runs", "least", "median", "most"),
                [
                    _spread("seconds that passed", passed),
                    _spread("seconds that the processor worked", worked),
                ],
            ),
            f"- Machine's load when it began: {load:.1f}. With a load above the number of cores, what "
            "passed is mostly waiting for others.\n- Without a model; Word file with three charts.",
            "## Its parts, in a process that is warm (median of the same number of runs)",
            table(("part", "ms"), rows),
            "## Altered numbers in the words of the built-in reports",
            f"{len(runs)} runs ({len(WHO)} reports, both languages), {counted.numbers:,} numbers.",
            table(("alteration", "tried", "missed"), mutation_rows(counted)),
            f"- With a check that lets everything pass, the same harness counts {len(broken.missed):,} of "
            f"{sum(broken.tried.values()):,} as missed (the monthly report).",
        ]
    )
    print(text)
    if "--write" in sys.argv[1:]:
        RESULTS.write_text(f"{text}\n", "utf-8")


def _spread(name: str, times: list[float]) -> Row:
    return (name, f"{min(times):.2f}", f"{median(times):.2f}", f"{max(times):.2f}")


if __name__ == "__main__":
    main()
