"""What a thousand requests cost, with the tokens and the pace that were measured."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from dazi.core.errors import CallerError
from dazi.lab.scorecard.declared import CostOf
from dazi.lab.scorecard.evidence import RunOf
from dazi.ops.plan.accelerators import accelerator_of
from dazi.ops.plan.cost import Fleet, Load, Prices, cost_of
from dazi.ops.plan.memory import PRECISIONS
from dazi.ops.plan.models import shape_of
from dazi.ops.plan.planning import WORKING_DAY, Wanted, plan


@dataclass(frozen=True, slots=True)
class Reckoned:
    """In yuan. ``by``: machine, cards or api. ``read``, ``written``: tokens of a request, of ``run``;
    ``assumed``: what was not measured, by name."""

    by: str
    thousand: float
    three_years: float
    machines: int
    read: float
    written: float
    run: str
    assumed: dict[str, float | str]


def reckoned(cost: CostOf, runs: Sequence[RunOf], requests: int) -> Reckoned:
    """By the first run that has tokens. Raises ``CallerError`` where none has."""
    run = next((r for r in runs if r.use.read is not None and r.use.written is not None), None)
    if run is None or run.use.read is None or run.use.written is None:
        raise CallerError(
            "cost",
            "要算成本，评测里得记下词元，而这些都没有",
            "a cost needs the tokens of a run, and none of these runs has any on record",
        )
    read, written = run.use.read, run.use.written
    load = Load(requests, round(read), round(written))
    prices = Prices(staff=cost.staff)
    if cost.api is not None:
        one = (read * cost.api.read + written * cost.api.written) / 1e6
        staff = cost.staff * 3
        total = one * requests * 365 * 3 + staff
        assumed: dict[str, float | str] = {
            "yuan_per_million_read": cost.api.read,
            "yuan_per_million_written": cost.api.written,
            "staff_a_year": cost.staff,
        }
        return Reckoned(
            "api", total / (requests * 365 * 3) * 1000, total, 0, read, written, run.id, assumed
        )
    if cost.machine is not None:
        if not run.use.a_second:
            raise CallerError(
                "cost",
                f"评测 {run.id} 没有记下用时，算不出一台机器能做多少",
                f"run {run.id} has no times on record, which tell what a machine can do",
            )
        capacity = run.use.a_second * WORKING_DAY
        machines = max(1, math.ceil(requests / capacity))
        own = Prices(gpu=cost.machine.price, staff=cost.staff)
        found = cost_of(load, own, Fleet(1, machines, round(cost.machine.watts), capacity))
        told: dict[str, float | str] = {
            "machine": cost.machine.price,
            "watts": cost.machine.watts,
            "kwh": own.kwh,
            "pue": own.pue,
            "staff_a_year": cost.staff,
            "hours_of_a_day": WORKING_DAY / 3600,
        }
        return Reckoned(
            "machine", found.thousand, found.private, machines, read, written, run.id, told
        )
    assert cost.cards is not None
    cards = cost.cards
    precision = next((p for p in PRECISIONS if p == cards.precision), None)
    if precision is None:
        known = ", ".join(PRECISIONS)
        raise CallerError(
            "precision", f"精度应是 {known} 之一", f"the precision must be one of {known}"
        )
    made = plan(
        Wanted(
            shape_of(cards.model), precision, max(1, round(read + written)), 1,
            accelerator_of(cards.card), load, prices,
        )
    )  # fmt: skip
    assumed = {
        "model": cards.model,
        "precision": cards.precision,
        "card": cards.card,
        "price_of_a_card": prices.gpu,
        "kwh": prices.kwh,
        "pue": prices.pue,
        "staff_a_year": cost.staff,
    }
    return Reckoned(
        "cards", made.cost.thousand, made.cost.private, made.gpus, read, written, run.id, assumed
    )
