"""``dazi eval calls``: cases through the real prompt, router and policy, effects off."""

from __future__ import annotations

import json
import sys
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import typer

from dazi.core.engine import Engine
from dazi.core.errors import CallerError
from dazi.core.language import Language
from dazi.lab.evals.ablation import AIDS, Aid, WithoutAids
from dazi.lab.evals.adapters import FORMATS
from dazi.lab.evals.prompts_seen import Overheard
from dazi.lab.evals.random_engine import RandomEngine
from dazi.lab.evals.report import Report
from dazi.lab.evals.runner import Runner, principals, run_cases
from dazi.lab.evals.scoring import CaseResult
from dazi.lab.evals.table import print_report
from dazi.main.eval_bench import apart
from dazi.main.eval_runs import open_model
from dazi.main.runtime import open_runtime
from dazi.main.settings import Settings
from dazi.packs.layers import named_file

PROGRESS_EVERY = 25


@dataclass(frozen=True, slots=True)
class Evaluation:
    """``limit`` 0 runs every case. ``random``: the control that proposes offered tools at random.
    ``without``: aids of the model that are left out."""

    file: Path
    json_out: bool
    limit: int
    concurrency: int
    random: bool
    format: str = "dazi"
    without: frozenset[Aid] = frozenset()


async def evaluate_calls(settings: Settings, wanted: Evaluation, language: Language) -> int:
    """Print the report; the exit code is 1 when a case file holds lines that are no cases."""
    if wanted.format not in FORMATS:
        known = ", ".join(FORMATS)
        raise CallerError(
            "format",
            f"不认识格式 {wanted.format},可用:{known}",
            f"no format {wanted.format}; there are: {known}",
        )
    unknown = wanted.without - set(AIDS)
    if unknown:
        known = ", ".join(AIDS)
        raise CallerError(
            "without",
            f"--without 只能是:{known}",
            f"--without takes one of: {known}",
        )
    file = named_file(settings.company_folder(), "evals", wanted.file)
    read = FORMATS[wanted.format](file)
    for problem in read.problems:
        typer.echo(problem.message(language), err=True)
    cases = read.cases[: wanted.limit] if wanted.limit else read.cases
    data = settings.data_folder(settings.company_folder())
    async with AsyncExitStack() as stack:
        engine = await open_model(settings, data, "", stack)
        stack.push_async_callback(engine.close)
        chosen: Engine = RandomEngine(engine.profile) if wanted.random else engine
        if wanted.without:
            chosen = WithoutAids(chosen, wanted.without)
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dazi-eval-")))
        # Overheard keeps the pool's spending where ``open_model`` has it counted.
        runtime = await open_runtime(
            apart(settings, scratch), engine=Overheard(chosen, keep=False), effects=False
        )
        stack.push_async_callback(runtime.close)
        person = principals(runtime.company, runtime.directory)
        runner = Runner(runtime.service, person, wanted.concurrency)
        report = await run_cases(runner, cases, None if wanted.json_out else _progress)
    _show(report, wanted, language)
    return 1 if any(p.skipped for p in read.problems) else 0


def _progress(done: int, total: int, _: CaseResult) -> None:
    if done % PROGRESS_EVERY == 0 or done == total:
        typer.echo(f"{done}/{total}", err=True)


def _show(report: Report, wanted: Evaluation, language: Language) -> None:
    if wanted.json_out:
        sys.stdout.write(json.dumps(report.as_json(), ensure_ascii=False, indent=1) + "\n")
    else:
        print_report(report, language)
