"""Is ``bfcl-turns`` right where the accepted calls are made, and wrong where one of them is not?

    python -m bench.evals.replay --data EVALDATA/bfcl --published VENV/bin/python --items 60 --write

asks conversations of a model that makes the calls of the accepted answers, each a step, through the whole
assistant and the published systems; then once more with one call, drawn by the seed, left out.
``--write``: ``bench/results/evals_turns.md``.
"""

from __future__ import annotations

import argparse
import ast
import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.tables import Table
from dazi.core.engine import (
    CallDone,
    CallStarted,
    Done,
    EngineEvent,
    GenerateRequest,
    ModelProfile,
    TextDelta,
    Usage,
)
from dazi.core.messages import dumps
from dazi.lab.evals.bfcl.conversations import Conversation
from dazi.lab.evals.bfcl.systems import check
from dazi.lab.evals.suite import Item, Outcome, Source, drawn
from dazi.lab.evals.suites.bfcl_turns import BfclTurns
from dazi.main.eval_bench import OpenBench
from dazi.main.settings import Settings, demo_folder

RESULTS = Path(__file__).resolve().parent.parent / "results"
SEED, ITEMS = 20261130, 60
Call = tuple[str, Mapping[str, Any]]


@dataclass(slots=True)
class Replay:
    """An engine that makes ``plan``: of each turn the calls, one a step, then a word."""

    plan: Sequence[Sequence[Call]] = ()
    profile: ModelProfile = field(
        default_factory=lambda: ModelProfile("replay", 1 << 20, offered_tools=20)
    )

    async def generate(self, request: GenerateRequest) -> AsyncIterator[EngineEvent]:
        said = [i for i, m in enumerate(request.messages) if m.role == "user"]
        step = sum(m.role == "assistant" for m in request.messages[said[-1] :])
        calls = self.plan[len(said) - 1]
        if step >= len(calls):
            yield TextDelta("Done.")
            yield Done("stop", Usage(1, 1))
            return
        name, arguments = calls[step]
        yield CallStarted(0, name)
        yield CallDone(0, name, dumps(dict(arguments)))
        yield Done("tool_calls", Usage(1, 1))

    def count_tokens(self, request: GenerateRequest) -> int:
        return 1

    async def warm(self, request: GenerateRequest) -> None:
        return None

    async def close(self) -> None:
        return None


def accepted(conversation: Conversation) -> list[list[Call]]:
    """The calls of the answers. Where they name no argument, it is the function's next one."""
    taken = {t.name: list(t.parameters.get("properties", {})) for t in conversation.turns[-1].tools}
    return [[_call(text, taken) for text in turn] for turn in conversation.truth]


def _call(text: str, taken: Mapping[str, Sequence[str]]) -> Call:
    call = ast.parse(text, mode="eval").body
    assert isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
    name = call.func.id
    named = dict(zip(taken.get(name, ()), map(ast.literal_eval, call.args), strict=False))
    return name, named | {str(k.arg): ast.literal_eval(k.value) for k in call.keywords}


def without_one(plan: Sequence[Sequence[Call]], chance: random.Random) -> list[list[Call]]:
    calls = [(t, c) for t, turn in enumerate(plan) for c in range(len(turn))]
    turn, call = chance.choice(calls)
    return [
        [c for n, c in enumerate(made) if (t, n) != (turn, call)] for t, made in enumerate(plan)
    ]


@dataclass(frozen=True, slots=True)
class Replayed:
    item: Item
    whole: Outcome
    less: Outcome
    left_out: str


async def replayed(items: Sequence[Item], seed: int = SEED) -> list[Replayed]:
    suite, engine = BfclTurns(), Replay()
    bench = OpenBench(Settings(company=demo_folder()), engine)
    out = []
    try:
        for item in items:
            plan = accepted(item.asked.conversation)
            less = without_one(plan, random.Random(f"{seed} {item.id}"))
            outcomes = []
            for engine.plan in (plan, less):
                outcomes.append(await suite.ask(item, bench))
            lacking = next(
                f"turn {t}: {next(c[0] for c in a if c not in b or a.count(c) > b.count(c))}"
                for t, (a, b) in enumerate(zip(plan, less, strict=True))
                if len(a) > len(b)
            )
            out.append(Replayed(item, *outcomes, lacking))
    finally:
        await bench.close()
    return out


def tables(found: Sequence[Replayed]) -> list[Table]:
    rows: dict[str, Counter[str]] = {}
    odd = Table("odd", "Not as expected", ("item", "calls", "why"))
    for r in found:
        row = rows.setdefault(r.item.group, Counter())
        row["n"] += 1
        row["right"] += r.whole.right
        row["wrong"] += not r.less.right
        if not r.whole.right:
            odd.rows.append((r.item.id, "accepted", "; ".join(r.whole.why)))
        if r.less.right:
            odd.rows.append((r.item.id, f"without {r.left_out}", "right"))
    rows["all"] = sum(rows.values(), Counter())
    columns = ("category", "items", "accepted calls: right", "one left out: wrong")
    table = Table("replay", "Accepted calls, whole and with one left out", columns)
    for category, row in rows.items():
        table.rows.append((category, row["n"], row["right"], row["wrong"]))
    return [table, odd]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--published", required=True, help="a Python that has bfcl-eval")
    parser.add_argument("--items", type=int, default=ITEMS, help="of each category")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    items = BfclTurns().load(Source(demo_folder(), given.data, given.published)).items
    groups = len({i.group for i in items})
    began = time.perf_counter()
    some = drawn(items, given.items * groups, SEED)
    found = tables(asyncio.run(replayed(some)))
    seconds = time.perf_counter() - began
    for table in found:
        print(table.text())
    print(f"{len(some)} items twice in {seconds:.0f} s")
    if given.write:
        head = (
            "# Conversations of BFCL with the accepted calls\n\n"
            f"{time.strftime('%Y-%m-%d', time.gmtime())}; bfcl-eval {check(given.published)}; seed {SEED}; "
            f"`python -m bench.evals.replay --data EVALDATA/bfcl --published VENV/bin/python --items "
            f"{given.items} --write`\n\n"
        )
        text = head + "\n".join(t.markdown() for t in found if t.rows)
        (RESULTS / "evals_turns.md").write_text(text, "utf-8")


if __name__ == "__main__":
    main()
