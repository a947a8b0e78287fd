"""Runs the benchmarks and keeps what they found: ``python bench/run.py``, or ``make bench``."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)  # so that ``bench`` is a package, however this file is started

from bench import agent_cpu, gateway, guard, memory, observing, router, turn  # noqa: E402
from bench.machine import describe  # noqa: E402
from bench.options import Options  # noqa: E402
from bench.tables import Table  # noqa: E402

RESULTS = ROOT / "bench" / "results"
PARTS: Mapping[str, Callable[[Options], list[Table]]] = {
    "turn": turn.run,
    "agent_cpu": agent_cpu.run,
    "router": router.run,
    "gateway": gateway.run,
    "guard": guard.run,
    "memory": memory.run,
    "observing": observing.run,
}


_MADE = (
    "Made by `make bench`; the figures are in latest.json. Peers are installed into `.bench/`; nginx "
    "is measured where it is installed."
)


def main() -> None:
    a = _arguments()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda n, _: sys.exit(128 + n))  # so that what was started is stopped
    options = Options(a.quick, not a.no_peers)
    target = a.json or (None if a.quick else RESULTS / "latest.json")
    results = _known(target)
    for name in a.only or PARTS:
        tables = PARTS[name](options)
        for table in tables:
            if a.quick:
                table.notes.append("A quick run: its figures mean nothing.")
            print(f"\n{table.text()}\n", flush=True)
        results[name] = {
            "date": time.strftime("%Y-%m-%d"),
            "command": _command(name, a),
            "machine": describe(),
            "quick": a.quick,
            "tables": [table.as_json() for table in tables],
        }
    if target is not None:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(results, ensure_ascii=False, indent=1) + "\n")
        if target.parent == RESULTS:
            (RESULTS / "README.md").write_text(markdown(results))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few requests: does it work?")
    parser.add_argument("--only", action="append", choices=list(PARTS), help="may be repeated")
    parser.add_argument("--no-peers", action="store_true", help="Dazi alone, nothing installed")
    parser.add_argument(
        "--json", type=Path, help="where results go; bench/results/latest.json unless --quick"
    )
    return parser.parse_args()


def _known(target: Path | None) -> dict[str, Any]:
    """Results of parts that are not run now stay as they were."""
    if target is None or not target.is_file():
        return {}
    known: dict[str, Any] = json.loads(target.read_text())
    return {name: known[name] for name in PARTS if name in known}


def _command(name: str, a: argparse.Namespace) -> str:
    flags = [flag for flag, on in (("--quick", a.quick), ("--no-peers", a.no_peers)) if on]
    return " ".join(["python bench/run.py --only", name, *flags])


def markdown(results: Mapping[str, Any]) -> str:
    """The committed page. Made, never edited."""
    lines = ["# Benchmark results", "", _MADE, ""]
    for name, part in results.items():
        machine = ", ".join(f"{k}: {v}" for k, v in part["machine"].items())
        lines += [f"## {name}", "", f"{part['date']}; {machine}; `{part['command']}`", ""]
        for table in part["tables"]:
            lines += [Table.of(table).markdown(), ""]
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    main()
