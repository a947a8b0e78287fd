"""What goes on by itself while an experiment runs: its shares grow as planned, and arms that do harm are
stopped. Several processes may do so at once: of one change, one of them is first."""

from __future__ import annotations

import asyncio
import logging

from msgspec import structs

from dazi.access.recording import Record, recorded
from dazi.core.errors import CallerError
from dazi.core.principal import Principal
from dazi.ops.experiments.analysis import Breach, breaches
from dazi.ops.experiments.board import Board
from dazi.ops.experiments.deciding import shown
from dazi.ops.experiments.metrics import metric
from dazi.ops.experiments.model import Experiment, Stage
from dazi.ops.experiments.plan import Step, percent
from dazi.ops.experiments.service import without
from dazi.ops.experiments.store import ExperimentStore, new_event

EVERY_S = 15.0
BY = Principal("dazi", frozenset(), channel="service")
"""Who is on record for what nobody did."""
log = logging.getLogger("dazi.experiments")


class Watch:
    def __init__(self, store: ExperimentStore, board: Board, record: Record) -> None:
        self._store = store
        self._board = board
        self._record = record

    async def run(self, every_s: float = EVERY_S) -> None:
        """Look now and then, until cancelled."""
        while True:
            try:
                await self.look()
            except Exception:  # the next look may do
                log.exception("experiments could not be looked after")
            await asyncio.sleep(every_s)

    async def look(self) -> list[str]:
        """What was done, for the log."""
        done = []
        for experiment in await self._store.all("running"):
            try:
                done += await self._guard(experiment)
                done += await self._grow(await self._store.get(experiment.name))
            except CallerError as e:  # another process, or a person, was first
                log.info("experiment %s: %s", experiment.name, e.message("en"))
        if done:
            await self._board.look()
        return done

    async def _guard(self, experiment: Experiment) -> list[str]:
        if not experiment.plan.guardrails:
            return []
        subjects = await self._store.subjects(experiment.name)
        found = await asyncio.to_thread(breaches, experiment, subjects)
        done: list[str] = []
        for breach in found:
            if breach.arm in experiment.stopped:
                continue  # by another guardrail, just now
            why = told(breach)
            new = without(experiment, breach.arm, why, self._board.now())
            event = new_event("", "guardrail", f"{breach.arm}: {why}")
            body = {
                "experiment": experiment.name,
                "arm": breach.arm,
                "state": new.state,
                "detail": why,
            }
            async with recorded(self._record, BY, "experiment.guardrail", **body):
                experiment = await self._store.change(experiment, new, event)
            done.append(f"{experiment.name}: {breach.arm} stopped")
        return done

    async def _grow(self, experiment: Experiment) -> list[str]:
        step = due(experiment, self._board.now())
        if step is None:
            return []
        number, planned = step
        before = experiment.shares
        shares = {
            name: 0.0 if name in experiment.stopped else max(share, before.get(name, 0.0))
            for name, share in planned.shares.items()
        }
        said = ", ".join(f"{n} {percent(s)}" for n, s in shares.items())
        stages = (*experiment.stages, Stage(self._board.now(), shares, number))
        new = structs.replace(experiment, stages=stages)
        body = {"experiment": experiment.name, "state": experiment.state, "shares": shares}
        async with recorded(self._record, BY, "experiment.ramp", **body):
            await self._store.change(experiment, new, new_event("", "ramp", said))
        return [f"{experiment.name}: {said}"]


def due(experiment: Experiment, now: float) -> tuple[int, Step] | None:
    """The latest step of the ramp whose time has come and that was not taken; none where a person has
    set shares, and so decided otherwise. The time in which it was paused does not count."""
    if experiment.state != "running" or not experiment.stages:
        return None
    if any(s.step < 0 for s in experiment.stages):
        return None
    taken = max(s.step for s in experiment.stages)
    hours = (now - experiment.started - experiment.rested) / 3600
    come = [i for i, s in enumerate(experiment.plan.ramp) if s.hours <= hours and i > taken]
    return (come[-1], experiment.plan.ramp[come[-1]]) if come else None


def told(breach: Breach) -> str:
    """In both languages: it is kept."""
    m = metric(breach.guardrail.metric)
    least, margin = shown(m, breach.least), shown(m, breach.guardrail.margin)
    zh = f"护栏:{m.label.zh}比第一组差至少 {least.zh},超过容许的 {margin.zh}(一共 {breach.subjects} 个对象)"
    en = (
        f"guardrail: {m.label.en} is worse than the first arm's by {least.en} at least, beyond the "
        f"{margin.en} allowed ({breach.subjects} subjects together)"
    )
    return f"{zh} / {en}"
