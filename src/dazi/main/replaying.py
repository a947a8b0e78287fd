"""``dazi experiments replay``: each arm of an experiment answers the same cases, effects off.

Nobody's threads are read: cases are a file that somebody wrote, or a person's own export.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import typer

from dazi.core.engine import models_of
from dazi.core.errors import CallerError
from dazi.core.experiments import Figures, Variant
from dazi.core.language import Language, Text
from dazi.core.principal import Principal
from dazi.lab.evals.cases import Case, CaseTurn
from dazi.lab.evals.reading import read_cases
from dazi.lab.evals.runner import Runner, principals, run_cases
from dazi.lab.evals.scoring import CaseResult
from dazi.main.engines import load_engine
from dazi.main.prompts import bench, print_json
from dazi.main.runtime import open_runtime
from dazi.main.settings import Settings
from dazi.memory.export import ExportedThread
from dazi.ops.experiments.plan import Plan
from dazi.ops.experiments.sequential import mcnemar, sign_flips
from dazi.ops.prompts.model import Version

FORMAT_TIME = "%Y-%m-%dT%H:%M:%SZ"
HEADER = Text(
    "{n} 个用例,组 {control} 作比较(p 是配对检验:对错用 McNemar 精确检验,用时用随机换号)",
    "{n} cases, compared with {control} (p of paired tests: McNemar's exact one for right and wrong, flipped "
    "signs for time)",
)
LINE = Text(
    "{arm}  对 {right:.1%}  用时 {ms:.0f} 毫秒",
    "{arm}  right {right:.1%}  time {ms:.0f} ms",
)
AGAINST = Text(
    "  只它对 {gained},只它错 {lost},p = {p:.3g};用时差 {gap:+.0f} 毫秒,p = {p_ms:.3g};调用不同的 {other}",
    "  right alone {gained}, wrong alone {lost}, p = {p:.3g}; time {gap:+.0f} ms, p = {p_ms:.3g}; other calls "
    "in {other}",
)


@dataclass(frozen=True, slots=True)
class Replay:
    """``days``: of an export, what is older is left out; ``role``: whose words an export's are."""

    name: str
    source: Path
    days: int
    role: str
    concurrency: int
    json_out: bool


@dataclass(frozen=True, slots=True)
class Compared:
    """An arm against the first one: cases that it alone gets right or wrong, the mean difference of
    time, and cases in which it makes other calls."""

    arm: str
    right: float
    ms: float
    gained: int = 0
    lost: int = 0
    p: float = 1.0
    gap: float = 0.0
    p_ms: float = 1.0
    other: int = 0


class Forced:
    """Implements ``core.experiments.Variants``: everybody is in one arm."""

    def __init__(self, variant: Variant) -> None:
        self._variant = variant

    def of(self, principal: Principal, thread: str, language: Language) -> Variant:
        return self._variant

    def after(self, variant: Variant, principal: Principal, figures: Figures) -> None:
        """Nothing is counted."""

    def handed_over(self, principal: Principal, thread: str) -> None:
        """Nothing is counted."""

    def rated(self, principal: Principal, thread: str, stars: int) -> None:
        """Nothing is counted."""


async def replay(settings: Settings, by: str, wanted: Replay, language: Language) -> None:
    async with bench(settings, by) as b:
        service = b.made.service
        experiment = (await service.look(b.by, wanted.name)).experiment
        active = await service.prompts.active(b.by)
        numbers = {a.name: active if a.prompt is None else a.prompt for a in experiment.plan.arms}
        versions = {
            name: await service.prompts.version(b.by, number) for name, number in numbers.items()
        }
    cases, expected = _read(wanted, language)
    results = await _run(settings, experiment.plan, versions, cases, wanted.concurrency)
    compared = compare(results, expected=expected)
    if wanted.json_out:
        print_json({"cases": len(cases), "arms": msgspec.to_builtins(compared)})
        return
    typer.echo(HEADER(language).format(n=len(cases), control=compared[0].arm))
    for number, c in enumerate(compared):
        told = msgspec.to_builtins(c)
        typer.echo(LINE(language).format(**told))
        if number:
            typer.echo(AGAINST(language).format(**told))


async def _run(
    settings: Settings,
    plan: Plan,
    versions: dict[str, Version],
    cases: Sequence[Case],
    concurrency: int,
) -> dict[str, list[CaseResult]]:
    data = settings.data_folder(settings.company_folder())
    engine = await asyncio.to_thread(load_engine, settings, data)
    unserved = sorted({a.model for a in plan.arms if a.model} - set(models_of(engine)))
    if unserved:
        await engine.close()
        names = ", ".join(unserved)
        raise CallerError("model_not_found", f"没有模型 {names}", f"there is no model {names}")
    out: dict[str, list[CaseResult]] = {}
    with tempfile.TemporaryDirectory(prefix="dazi-replay-") as scratch:
        own = settings.model_copy(update={"data": Path(scratch), "database": ""})
        runtime = await open_runtime(own, engine=engine, effects=False)
        try:
            person = principals(runtime.company, runtime.directory)
            runner = Runner(runtime.service, person, concurrency)
            await run_cases(runner, cases[:1])  # whoever is first must not pay for a cold start
            for arm in plan.arms:
                version = versions[arm.name]
                texts, tools = version.content.texts, version.content.tools
                forced = Forced(Variant(version.number, texts, tools, arm.model))
                runtime.service.agent.variants = forced
                out[arm.name] = await _answered(runner, cases)
        finally:
            await runtime.close()
    return out


async def _answered(runner: Runner, cases: Sequence[Case]) -> list[CaseResult]:
    """In the order of the cases."""
    done: dict[int, CaseResult] = {}

    def keep(_done: int, _of: int, result: CaseResult) -> None:
        done[id(result.case)] = result

    await run_cases(runner, cases, keep)
    return [done[id(case)] for case in cases]


def compare(results: dict[str, list[CaseResult]], *, expected: bool) -> list[Compared]:
    """The first arm first. Without expectations a case is right where it was answered."""
    out: list[Compared] = []
    first: list[CaseResult] = []
    for name, own in results.items():
        rights = [_right(r, expected=expected) for r in own]
        right = sum(rights) / len(own) if own else 0.0
        ms = sum(r.ms for r in own) / len(own) if own else 0.0
        if not first:
            first = own
            out.append(Compared(name, right, ms))
            continue
        before = [_right(r, expected=expected) for r in first]
        gained = sum(n and not b for n, b in zip(rights, before, strict=True))
        lost = sum(b and not n for n, b in zip(rights, before, strict=True))
        gaps = [n.ms - b.ms for n, b in zip(own, first, strict=True)]
        other = sum(_calls(n) != _calls(b) for n, b in zip(own, first, strict=True))
        out.append(
            Compared(
                name,
                right,
                ms,
                gained,
                lost,
                mcnemar(lost, gained),
                sum(gaps) / len(gaps) if gaps else 0.0,
                sign_flips(gaps),
                other,
            )
        )
    return out


def _right(result: CaseResult, *, expected: bool) -> bool:
    if expected:
        return result.right
    return all(not t.error and t.reply.strip() for t in result.turns)


def _calls(result: CaseResult) -> list[tuple[str, str]]:
    return [(c.name, repr(sorted(c.arguments.items()))) for t in result.turns for c in t.calls]


def _read(wanted: Replay, language: Language) -> tuple[tuple[Case, ...], bool]:
    """The cases, and whether they say what is right."""
    exported = exported_cases(wanted.source, wanted.role, wanted.days)
    if exported is not None:
        cases, expected = exported, False
    else:
        read = read_cases(wanted.source)
        for problem in read.problems:
            typer.echo(problem.message(language), err=True)
        cases, expected = read.cases, True
    if not cases:
        raise CallerError(
            "no_cases",
            f"{wanted.source} 里没有可用的对话",
            f"there is nothing to replay in {wanted.source}",
        )
    return cases, expected


def exported_cases(path: Path, role: str, days: int) -> tuple[Case, ...] | None:
    """What a person said in their own export; ``None`` for a file that is none. Raises ``CallerError``
    where no role is given."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as e:
        raise CallerError("file", f"读不了 {path}:{e}", f"cannot read {path}: {e}") from None
    threads = []
    for line in lines:
        try:
            threads.append(msgspec.json.decode(line, type=ExportedThread))
        except msgspec.ValidationError:
            continue  # facts and the like
        except msgspec.DecodeError:
            return None
    if not threads:
        return None
    if not role:
        raise CallerError(
            "role",
            "重放导出要用 --role 说明是什么角色",
            "to replay an export, say with --role whose it is",
        )
    since = time.strftime(FORMAT_TIME, time.gmtime(time.time() - days * 86_400)) if days else ""
    out = []
    for t in threads:
        said = [m.content for m in t.messages if m.role == "user" and m.at >= since]
        if said:
            turns = tuple(CaseTurn(text, ((),)) for text in said)
            out.append(Case(t.id, role, None, turns, dialogue=True))
    return tuple(out)
