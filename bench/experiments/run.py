"""Sequential tests looked at after every subject: how often they are wrong, and how soon right.

``python -m bench.experiments.run [--write]``; with ``--write`` into bench/results/experiments.md.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from bench.experiments.hot_path import measured
from dazi.ops.experiments.simulating import METRICS_TRIED, Trial, table, tried

RESULTS = Path(__file__).parents[1] / "results" / "experiments.md"
EFFECTS = {"rate": (0.1, 0.2), "rare": (0.5, 1.0), "latency": (0.1, 0.2)}
SHARES = (0.5, 0.1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--runs", type=int, default=2_000)
    parser.add_argument("--turns", type=int, default=400)
    given = parser.parse_args()
    began = time.perf_counter()
    same = [tried(Trial(m, share=s, runs=given.runs)) for m in METRICS_TRIED for s in SHARES]
    other = [
        tried(Trial(m, effect, runs=given.runs)) for m, some in EFFECTS.items() for effect in some
    ]
    with tempfile.TemporaryDirectory() as scratch:
        paths = asyncio.run(measured(Path(scratch), given.turns))
    took = time.perf_counter() - began
    lines = [
        "# Experiments",
        "",
        f"`python -m bench.experiments.run --write`: {given.runs:,} runs of 5,000 subjects each, looked at",
        f"after every one, alpha 5 %. rate: 50 %; rare: 2 %; latency: log-normal, sigma 1. {took:.0f} s.",
        "",
        "## Without a difference",
        "",
        "Found is wrong here; 5 % is what may be.",
        "",
        *table(same),
        "",
        "## With one",
        "",
        "The z-test's figures are not to be had: who looks at it after every subject has the errors above.",
        "Its last look alone is the test for a fixed number of subjects.",
        "",
        *table(other),
        "",
        "## On the way of a turn",
        "",
        "Processor time of a whole turn with a scripted model, medians of rounds that take turns:",
        "",
        *paths,
    ]
    text = "\n".join(lines) + "\n"
    sys.stdout.write(text)
    if given.write:
        RESULTS.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
