"""What goes on by itself while an experiment runs: its shares grow as planned, and arms that do harm are
stopped. Several processes may do so at once: of one change, one of them is first."""

from __future__ import annotations

import asyncio
import logging

from msgspec import structs

from dazi.access.recording import Record
from dazi.core.errors import CallerError
from dazi.ops.experiments.analysis import Breach, breaches
from dazi.ops.experiments.board import Board
from dazi.ops.experiments.deciding import shown
from dazi.ops.experiments.metrics import metric
from dazi.ops.experiments.model import Experiment, Stage
from dazi.ops.experiments.plan import Step
from dazi.ops.experiments.service import without
from dazi.ops.experiments.store import ExperimentStore, new_event

EVERY_S = 15.0
BY = "dazi"
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
            body = {
                "act": "experiment.guardrail",
                "experiment": experiment.name,
                "arm": breach.arm,
                "state": new.state,
                "detail": why,
            }
            await self._record("admin", BY, body)
            event = new_event("", "guardrail", f"{breach.arm}: {why}")
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
        told_ = ", ".join(f"{n} {s:.0%}" for n, s in shares.items())
        body = {
            "act": "experiment.ramp",
            "experiment": experiment.name,
            "state": experiment.state,
            "shares": shares,
        }
        await self._record("admin", BY, body)
        stages = (*experiment.stages, Stage(self._board.now(), shares, number))
        new = structs.replace(experiment, stages=stages)
        await self._store.change(experiment, new, new_event("", "ramp", told_))
        return [f"{experiment.name}: {told_}"]


def due(experiment: Experiment, now: float) -> tuple[int, Step] | None:
    """The latest step of the ramp whose time has come and that was not taken; none where the last one
    that was taken was a person's, who has decided otherwise."""
    if experiment.state != "running" or not experiment.stages:
        return None
    by_hand = [s for s in experiment.stages if s.step < 0 and not _of_a_stop(experiment, s)]
    if by_hand:
        return None
    taken = max(s.step for s in experiment.stages)
    hours = (now - experiment.started) / 3600
    come = [i for i, s in enumerate(experiment.plan.ramp) if s.hours <= hours and i > taken]
    return (come[-1], experiment.plan.ramp[come[-1]]) if come else None


def _of_a_stop(experiment: Experiment, stage: Stage) -> bool:
    """It only took a stopped arm away."""
    number = experiment.stages.index(stage)
    before = experiment.stages[number - 1].shares
    return all(stage.shares[n] in (0.0, s) for n, s in before.items())


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
