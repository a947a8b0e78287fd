"""The evaluation between training and use: the same cases, asked of the model before and after.

Each is a run of ``dazi eval``: it can be stopped, goes on, is not made twice, and every verdict can be
looked at with its trace.
"""

from __future__ import annotations

from pathlib import Path

import typer

from dazi.core.errors import CallerError
from dazi.core.language import Language, Text
from dazi.inference.catalog import ModelEntry
from dazi.lab.evals.runs import RunFolder
from dazi.lab.tuning.gate import Paired, Verdict, judged, paired
from dazi.lab.tuning.recipe import Gate
from dazi.main.eval_runs import WantedRun, run_suite
from dazi.main.settings import Settings

SUITE = "calls"
ASKING = Text("评测 {model}:{cases}", "evaluating {model}: {cases}")


async def evaluate(
    settings: Settings, before: ModelEntry, after: ModelEntry, gate: Gate, language: Language
) -> Verdict:
    """Every file of ``gate`` with both models, effects off."""
    models = (before.name, after.name)
    rows = {p: await _row(settings, p, models, language) for p in (*gate.better, *gate.same)}
    return judged(
        [rows[p] for p in gate.better],
        [rows[p] for p in gate.same],
        gain=gate.gain,
        loss=gate.loss,
    )


async def _row(
    settings: Settings, path: Path, models: tuple[str, str], language: Language
) -> Paired:
    runs = []
    for model in models:
        typer.echo(ASKING(language).format(cases=path.name, model=model), err=True)
        own = settings.model_copy(update={"model": model})
        runs.append(await run_suite(own, WantedRun(SUITE, data=path), language))
    for run in runs:
        _refuse_broken(run)
    old, new = runs
    return paired(path.stem, _right(old), _right(new), (old.head.id, new.head.id))


def _refuse_broken(run: RunFolder) -> None:
    """Raise ``CallerError``: an answer that broke off says nothing of a model."""
    broken = [r for r in run.by_id().values() if r.error]
    if broken:
        head, why = run.head, broken[0].error
        raise CallerError(
            "cases_not_asked",
            f"{head.model} 有 {len(broken)} 条没有问成({why}),不能比较({head.id});再运行一次。",
            f"{len(broken)} cases could not be asked of {head.model} ({why}), so nothing is compared "
            f"({head.id}); run it again.",
        )


def _right(run: RunFolder) -> dict[str, bool]:
    return {i: r.right for i, r in run.by_id().items()}
