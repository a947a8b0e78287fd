"""Processor time of a turn with nothing to choose, with a prompt version, and with an experiment."""

from __future__ import annotations

import asyncio
import time
import timeit
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Any

from bench.agent_dazi import turn
from bench.scripted import open_scripted
from dazi.core.experiments import Variants
from dazi.core.principal import Principal
from dazi.main.admission import recorder
from dazi.main.experiments import experimenting
from dazi.ops.experiments.plan import Arm, Plan, Step
from dazi.ops.prompts.model import Content

BY = Principal("bench", frozenset({"sysadmin"}), channel="bench")
ROUNDS = 9
LOOKS = 1_000_000


async def measured(folder: Path, turns: int) -> list[str]:
    """Lines of Markdown; ``turns`` of each kind in all."""
    runtime = await open_scripted(folder, "memory")
    agent = runtime.service.agent
    chosen: list[Variants | None] = [None]

    def tell(variants: Variants | None) -> None:
        chosen[0] = variants

    made = experimenting(runtime.database, runtime.company, recorder(runtime.ledger), tell)
    sides: dict[str, Variants | None] = {"nothing to choose": None}
    spent: dict[str, list[float]] = {}
    number = 0

    async def go(name: str, each: int) -> None:
        nonlocal number
        agent.variants = sides[name]
        began = time.process_time()
        for _ in range(each):
            number += 1
            await turn(runtime.service, number, kept=False)
        await made.board.settle()
        spent.setdefault(name, []).append((time.process_time() - began) * 1000 / each)

    try:
        zh = "你是{company}的AI同事。今天是{today}。"
        await made.service.prompts.add(BY, Content(zh=zh), "")
        await made.board.look()
        await made.service.prompts.activate(BY, 1)
        sides["a version in use"] = chosen[0]
        for unit in ("user", "thread"):
            arms = (Arm("now", 0), Arm("new", 1))
            plan = Plan(f"by-{unit}", arms, (Step(0, {"new": 0.5}),), unit=unit)
            await made.service.create(BY, plan)
        each = max(turns // ROUNDS, 1)
        for name in sides:
            await go(name, 20)
        spent.clear()
        for _ in range(ROUNDS):
            for name in list(sides):
                await go(name, each)
        for unit, label in (
            ("user", "an experiment, a known subject"),
            ("thread", "an experiment, a new subject"),
        ):
            await made.service.start(BY, f"by-{unit}")
            sides[label] = chosen[0]
            await go(label, 20)
            spent[label].clear()
            for _ in range(ROUNDS):
                await go("nothing to choose", each)
                await go(label, each)
            await made.service.stop(BY, f"by-{unit}")
    finally:
        await runtime.close()
    return list(_table(spent, agent))


def _table(spent: Mapping[str, list[float]], agent: Any) -> Iterator[str]:
    none = median(spent["nothing to choose"])
    yield "| | CPU ms/turn | more |"
    yield "|---|---|---|"
    for name, found in spent.items():
        more = "" if name == "nothing to choose" else f"{median(found) - none:+.3f} ms"
        yield f"| {name} | {median(found):.3f} | {more} |"
    agent.variants = None
    looked = timeit.timeit("agent.variants is not None", globals={"agent": agent}, number=LOOKS)
    empty = timeit.timeit("pass", number=LOOKS)
    each = (looked - empty) / LOOKS * 1e9
    yield ""
    yield (
        f"With nothing to choose a turn looks at one attribute, {each:.0f} ns: "
        f"{each / (none * 1e6):.4%} of its processor time."
    )


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as scratch:
        print("\n".join(asyncio.run(measured(Path(scratch), 400))))
