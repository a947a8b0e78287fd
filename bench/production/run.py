"""``make bench-production``: a pool of model servers, and the real vLLM behind it.

Ends with 1 where a bar is missed. Without vLLM (3.5 GB, installed into ``.bench/vllm``) its parts are
left out with a line that says so; ``DAZI_VLLM`` names an environment that has it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

from bench.machine import describe  # noqa: E402
from bench.processes import NotStarted  # noqa: E402
from bench.production import adapters, overhead, real, two  # noqa: E402
from bench.production.vllm import environment, replicas, version  # noqa: E402
from bench.tables import Table  # noqa: E402

RESULTS = ROOT / "bench" / "results"
Part = Callable[[Any, float], Coroutine[Any, Any, list[Table]]]
ONE: dict[str, Part] = {"turns": real.turns, "grounded": real.grounded, "streams": real.streams}
TWO: dict[str, Part] = {"affinity": two.affinity, "killed": two.killed}
PARTS = ("overhead", *ONE, *TWO, "adapters")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=PARTS, action="append", default=[])
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--write", action="store_true", help="into bench/results")
    asked = parser.parse_args()
    wanted = set(asked.only or PARTS)
    tables: list[Table] = []

    def show(found: list[Table]) -> None:
        tables.extend(found)
        for table in found:
            print(table.text(), end="\n\n", flush=True)

    at, failed = None, 0
    if wanted - {"overhead"}:
        try:
            at = environment()
        except NotStarted as e:
            print(f"not measured on vLLM: {e}", file=sys.stderr)
    if at is not None:
        with tempfile.TemporaryDirectory(prefix="dazi-vllm-") as name:
            for parts, many in ((ONE, 1), (TWO, 2)):
                chosen = [part for key, part in parts.items() if key in wanted]
                if not chosen:
                    continue
                with replicas(at, Path(name), many) as made:
                    for part in chosen:
                        try:
                            show(asyncio.run(part(made[0] if many == 1 else made, asked.scale)))
                        except AssertionError as e:
                            failed = 1
                            print(f"a bar was missed: {e}", file=sys.stderr)
            if "adapters" in wanted:
                server = adapters.replica(at, Path(name), 9)
                try:
                    server.ready()
                    show(asyncio.run(adapters.adapters(server, asked.scale)))
                finally:
                    server.process.stop()
    if "overhead" in wanted:
        show(asyncio.run(overhead.run(asked.scale)))
    if asked.write:
        _write(tables, version(at) if at else "without vLLM")
    return failed


def _write(tables: list[Table], server: str) -> None:
    made = {"at": time.strftime("%Y-%m-%d"), "server": server, "machine": describe()}
    told = {**made, "tables": [t.as_json() for t in tables]}
    text = json.dumps(told, ensure_ascii=False, indent=1) + "\n"
    (RESULTS / "production.json").write_text(text, encoding="utf-8")
    machine = ", ".join(f"{k}: {v}" for k, v in made["machine"].items())  # type: ignore[attr-defined]
    parts = [
        "# A pool of model servers, and vLLM behind it",
        f"{made['at']}; {server}; {machine}; `python bench/production/run.py --write`",
        *(t.markdown() for t in tables),
    ]
    (RESULTS / "production.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
