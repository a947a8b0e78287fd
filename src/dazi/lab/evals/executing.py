"""Asks the items of a suite, several at once, and keeps what became of each as it ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from dazi.core.engine import Usage
from dazi.core.errors import DaziError
from dazi.lab.evals.runs import Appending, ItemRecord, Tokens
from dazi.lab.evals.suite import Bench, Item, Outcome, Suite

Progress = Callable[[int, int, ItemRecord], None]
"""Called after each item with how many are done, of how many, and its record."""


class Priced(Protocol):
    """What a use of the model costs."""

    def yuan(self, usage: Usage) -> float: ...


@dataclass(frozen=True, slots=True)
class Execution:
    """``price``: ``None`` where nobody said what tokens cost."""

    suite: Suite
    bench: Bench
    concurrency: int = 4
    price: Priced | None = None


def at_once(suite: Suite, concurrency: int, items: int) -> int:
    """How many of ``items`` are really asked at the same time."""
    return max(min(concurrency, items), 1) if suite.shared else 1


async def execute(
    execution: Execution,
    items: Sequence[Item],
    into: Appending,
    done: Iterable[str] = (),
    progress: Progress | None = None,
) -> None:
    """Those whose id is in ``done`` are not asked again. What goes wrong with one item is its record
    and does not end the others; a cancellation ends all, and what was done stays."""
    before = set(done)
    waiting = iter([i for i in items if i.id not in before])
    finished = len(before & {i.id for i in items})

    async def work() -> None:
        nonlocal finished
        for item in waiting:
            record = await _asked(execution, item)
            into.add(record)
            finished += 1
            if progress is not None:
                progress(finished, len(items), record)

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once(execution.suite, execution.concurrency, len(items))):
            group.create_task(work())


async def _asked(execution: Execution, item: Item) -> ItemRecord:
    began = time.perf_counter()
    try:
        outcome = await execution.suite.ask(item, execution.bench)
    except DaziError as e:
        outcome = Outcome({}, False, ("error",), error=e.message("en"))
    except Exception as e:  # an edge: one item's failure must not end the others
        outcome = Outcome({}, False, ("error",), error=f"{type(e).__name__}: {e}")
    used, price = outcome.usage, execution.price
    return ItemRecord(
        item.id,
        item.group,
        item.language,
        outcome.scores,
        outcome.right,
        outcome.why,
        Tokens(used.prompt, used.completion, used.cached),
        round(outcome.ms or (time.perf_counter() - began) * 1000, 2),
        price.yuan(used) if price is not None else None,
        outcome.error,
        item.conversation,
        outcome.trace,
    )
