"""Every task with every attack in every place that it shows, under every class of guards."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from bench.security.agentdojo.drive import (
    OPEN,
    SETTINGS,
    Combination,
    Setting,
    attacked,
    benign,
    shows,
)
from bench.security.agentdojo.guards import Guard, House
from bench.security.agentdojo.plans import Plan, load_plan
from bench.security.agentdojo.report import Attacks, Benign, Report
from bench.security.agentdojo.world import SUITES, Environment


async def run(
    data: Path,
    scale: float = 1.0,
    *,
    suites: Iterable[str] = SUITES,
    settings: Sequence[Setting] = SETTINGS,
) -> Report:
    """``data``: the benchmark's folder; ``scale``: the share of the combinations that is tried."""
    report = Report()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        for suite in suites:
            plan = load_plan(suite, data)
            environment = Environment.load(data, suite)
            report.words_only += [f"{suite} {i.id}" for i in plan.injections if i.words_only]
            async with AsyncExitStack() as stack:
                houses: dict[Guard, House] = {}
                for guard in dict.fromkeys(s.guard for s in (OPEN, *settings)):
                    houses[guard] = house = await House.open(suite, guard, Path(folder))
                    stack.push_async_callback(house.close)
                for setting in settings:
                    # A careless person differs from an attentive one in attacks alone.
                    if setting.requester == "attentive" or setting.second == "refuses":
                        house = houses[setting.guard]
                        report.benign.append(await _tasks(house, plan, setting, environment))
                picked = combinations(houses["open"], plan, environment, scale)
                for setting in settings:
                    house = houses[setting.guard]
                    row = Attacks(suite, setting.name)
                    for over in picked:
                        row.add(over, await attacked(house, plan, setting, environment, over))
                    report.attacks.append(row)
    report.seconds = time.perf_counter() - began
    return report


async def _tasks(house: House, plan: Plan, setting: Setting, environment: Environment) -> Benign:
    row = Benign(plan.suite, setting.name)
    for task in plan.tasks:
        row.add(await benign(house, plan, task, setting, environment))
    return row


def combinations(
    house: House, plan: Plan, environment: Environment, scale: float
) -> list[Combination]:
    """The attacks that there are, or a share of them: what a task never shows is none.

    ``house`` is one without guards.
    """
    rng = random.Random(plan.suite)
    every = (
        Combination(task, injection, vector)
        for task in plan.tasks
        for injection in plan.injections
        for vector in environment.vectors
        if not injection.words_only and rng.random() < scale
    )
    return [over for over in every if shows(house, plan, OPEN, environment, over)]
