"""``make bench-resilience``: too much, gone, restarted and broken; ends with 1 where a bar is missed.

``--scale`` makes the times and counts smaller; the figures of a small run mean little.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

from bench.machine import describe  # noqa: E402
from bench.resilience import (  # noqa: E402
    faults_model,
    faults_postgres,
    faults_store,
    faults_systems,
    gone,
    overload,
    rolling,
)
from bench.resilience.report import Report  # noqa: E402
from bench.tables import Table  # noqa: E402

Part = Callable[[float], Coroutine[Any, Any, Report]]
PARTS: dict[str, Part] = {
    "overload": lambda scale: overload.run(max(2.0, 15 * scale)),
    "gone": lambda scale: gone.run(max(2, round(40 * scale))),
    "rolling": lambda scale: rolling.run(max(1, round(5 * scale))),
    "rolling, PostgreSQL": lambda scale: rolling.on_postgresql(max(1, round(5 * scale))),
    "faults of the model server": lambda scale: faults_model.run(max(1, round(4 * scale))),
    "faults of the database": lambda scale: faults_store.database(max(1, round(4 * scale))),
    "faults of PostgreSQL": lambda scale: faults_postgres.run(max(1, round(4 * scale))),
    "faults of Redis": lambda scale: faults_store.limits(max(1, round(4 * scale))),
    "faults of systems": lambda scale: faults_systems.run(max(1, round(6 * scale))),
    "jumps of the clock": lambda scale: faults_store.clock(max(1, round(4 * scale))),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the full size")
    parser.add_argument("--only", action="append", choices=list(PARTS), help="one part")
    parser.add_argument("--json", type=Path, help="write the figures there, and .md beside it")
    args = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda n, _: sys.exit(128 + n))  # so that what was started is stopped
    results: dict[str, Any] = {}
    if args.json and args.json.is_file():
        results = json.loads(args.json.read_text(encoding="utf-8"))
    missed = 0
    for name in args.only or PARTS:
        report = asyncio.run(PARTS[name](args.scale))
        row = results[name] = {
            **report.as_row(),
            "date": time.strftime("%Y-%m-%d"),
            "scale": args.scale,
            "machine": describe(),
        }
        for table in report.tables:
            print(f"\n{table.text()}\n", flush=True)
        for what, count in row["violations"].items():
            print(f"  MISSED, {count} x: {what}", flush=True)
        missed += len(row["violations"])
        if args.json:
            args.json.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
            args.json.with_suffix(".md").write_text(_markdown(results), encoding="utf-8")
    return int(missed > 0)


def _markdown(results: dict[str, Any]) -> str:
    known = [results[name] | {"name": name} for name in PARTS if name in results]
    machine = known[-1]["machine"]
    lines = [
        "# make bench-resilience",
        "",
        f"{known[-1]['date']}; `python bench/resilience/run.py`; {machine['cores']} cores "
        f"({machine['cpu']}), shared with other work; Python {machine['python']}. "
        "What was missed must be nothing.",
        "",
        "| part | tried | what | missed | seconds |",
        "|---|---|---|---|---|",
    ]
    for row in known:
        missed = ", ".join(f"{n} x {what}" for what, n in row["violations"].items()) or "0"
        lines.append(
            f"| {row['name']} | {row['tried']:,} | {row['of']} | {missed} | {row['seconds']} |"
        )
    tables = [Table.of(t).markdown() for row in known for t in row["tables"]]
    return "\n".join([*lines, "", *(f"{t}\n" for t in tables)])


if __name__ == "__main__":
    sys.exit(main())
