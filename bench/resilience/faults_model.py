"""A model server that is slow, hung, broken or refuses."""

from __future__ import annotations

import tempfile
from pathlib import Path

from bench.resilience.house import build
from bench.resilience.model import Model, Mood
from bench.resilience.moods import MOODS
from bench.resilience.report import Report
from bench.resilience.served import serving
from bench.resilience.trial import ENV, TURN_S, Fault, Place, model_is_well, new_table

ANSWERED = frozenset({"slow first byte", "broken UTF-8"})


async def run(many: int = 2, only: frozenset[str] = frozenset()) -> Report:
    """``only``: some of them; else all, and its absence."""
    report = Report(of="requests to a model server that is unwell")
    table = new_table("faults_model", "The model server is unwell")
    report.tables.append(table)
    with tempfile.TemporaryDirectory(prefix="dazi-faults-") as folder:
        root = Path(folder)
        async with Model(keeps=False).running() as model:
            house = build(root, model.port)
            async with serving(house, root, ENV) as served:
                place = Place(served, model, house, root, report, table, many=many)
                for name, mood in MOODS.items():
                    if only and name not in only:
                        continue
                    await place.suffer(_fault(name, mood, model))
                if not only:
                    await place.suffer(_gone(model))
                await place.close()
    return report


def _fault(name: str, mood: Mood, model: Model) -> Fault:
    async def begin() -> None:
        model.mood = mood

    return Fault(
        name, begin, model_is_well(model), within_s=TURN_S + 3.0, answered=name in ANSWERED
    )


def _gone(model: Model) -> Fault:
    """Nobody listens at its port, and later somebody does again."""

    async def begin() -> None:
        model.go()

    return Fault("not there", begin, model.come)
