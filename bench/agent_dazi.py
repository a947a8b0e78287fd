"""Dazi's agent turns, counted by processor time. Run by ``agent_cpu``; prints one JSON line."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import uvloop

from bench.scripted import CUSTOMER, open_scripted, question
from dazi.agent.asking import Ask
from dazi.agent.service import AssistantService
from dazi.core.turn import TurnFinished
from dazi.inference.remote import RemoteEngine, RemoteOptions

WARM_TURNS = 30


async def turn(service: AssistantService, number: int, *, kept: bool) -> None:
    """``kept``: the thread is kept in the database, as a page's is; else the caller brings it."""
    history = None if kept else ()
    ask = Ask(CUSTOMER, f"bench-{number}", question(number), history=history)
    async for event in service.ask(ask):
        if isinstance(event, TurnFinished) and (
            [c.outcome for c in event.calls] != ["ok"] or event.replaced
        ):
            raise RuntimeError(f"the turn went wrong: {event}")


async def measure(
    seconds: float, most: int, audit: str, url: str, *, kept: bool
) -> dict[str, float]:
    engine = RemoteEngine(RemoteOptions(url, "bench-model", kind="openai")) if url else None
    with tempfile.TemporaryDirectory(prefix="dazi-bench-") as folder:
        runtime = await open_scripted(Path(folder), audit, engine)
        try:
            for number in range(min(WARM_TURNS, most)):
                await turn(runtime.service, -number - 1, kept=kept)
            turns, began, cpu = 0, time.perf_counter(), time.process_time()
            while turns < most and time.perf_counter() - began < seconds:
                await turn(runtime.service, turns, kept=kept)
                turns += 1
            await runtime.ledger.flush()
            spent, wall = time.process_time() - cpu, time.perf_counter() - began
        finally:
            await runtime.close()
    return {"turns": turns, "cpu_ms": spent * 1000 / turns, "wall_ms": wall * 1000 / turns}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--turns", type=int, default=100_000)
    parser.add_argument("--audit", choices=["memory", "durable"], default="memory")
    parser.add_argument("--kept", action="store_true")
    parser.add_argument("--url", default="")
    a = parser.parse_args()
    found = uvloop.run(measure(a.seconds, a.turns, a.audit, a.url, kept=a.kept))
    json.dump(found, sys.stdout)
    print()


if __name__ == "__main__":
    main()
