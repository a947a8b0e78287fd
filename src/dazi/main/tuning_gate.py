"""The evaluation between training and use: the same cases, asked of the model before and after."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dazi.inference.catalog import ModelEntry, open_engine
from dazi.inference.embedded import EmbeddedOptions
from dazi.lab.evals.cases import Case
from dazi.lab.evals.reading import read_cases
from dazi.lab.evals.report import Report
from dazi.lab.evals.runner import Runner, principals, run_cases
from dazi.lab.evals.scoring import CaseResult
from dazi.lab.tuning.gate import Verdict, judged, paired, right_cases
from dazi.lab.tuning.recipe import Gate
from dazi.main.runtime import open_runtime
from dazi.main.settings import Settings
from dazi.main.weights import vault_of

Told = Callable[[str, int, int], None]
"""Which model, how many cases are done, of how many."""


@dataclass(frozen=True, slots=True)
class Gated:
    """``run``: the id of the evaluation, where it was kept as one."""

    verdict: Verdict
    run: str | None = None


async def evaluate(
    settings: Settings, before: ModelEntry, after: ModelEntry, gate: Gate, told: Told
) -> Gated:
    """Every file of ``gate`` with both models, effects off."""
    files = [*gate.better, *gate.same]
    cases = {path: read_cases(path).cases for path in files}
    old = await reports(settings, before, cases, told)
    new = await reports(settings, after, cases, told)
    rows = {
        path: paired(
            path.stem,
            right_cases(old[path], [c.id for c in cases[path]]),
            right_cases(new[path], [c.id for c in cases[path]]),
        )
        for path in files
    }
    verdict = judged(
        [rows[p] for p in gate.better],
        [rows[p] for p in gate.same],
        gain=gate.gain,
        loss=gate.loss,
    )
    return Gated(verdict)


async def reports(
    settings: Settings,
    model: ModelEntry,
    cases: dict[Path, tuple[Case, ...]],
    told: Told,
    concurrency: int = 4,
) -> dict[Path, Report]:
    """One model, several files of cases: ``dazi eval calls`` of each."""
    options = EmbeddedOptions(
        cache_gb=settings.cache_gb, num_threads=settings.threads, vault=vault_of(settings)
    )
    engine = await asyncio.to_thread(open_engine, model, embedded=options)
    total = sum(map(len, cases.values()))
    done = 0
    with tempfile.TemporaryDirectory(prefix="dazi-gate-") as scratch:
        own = settings.model_copy(update={"data": Path(scratch)})
        runtime = await open_runtime(own, engine=engine, effects=False)
        try:
            person = principals(runtime.company, runtime.directory)
            runner = Runner(runtime.service, person, concurrency)
            out: dict[Path, Report] = {}
            for path, part in cases.items():
                out[path] = await run_cases(
                    runner, part, partial(_tell, told, model.name, done, total)
                )
                done += len(part)
            return out
        finally:
            await runtime.close()


def _tell(told: Told, model: str, before: int, total: int, n: int, _: int, __: CaseResult) -> None:
    told(model, before + n, total)
