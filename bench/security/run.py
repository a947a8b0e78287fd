"""``make bench-security``: every harness at its full size; prints counts, ends with 1 at a violation."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parents[2])]

from bench import postgres  # noqa: E402
from bench.security import (  # noqa: E402
    approvals,
    attackers,
    benign,
    escapes,
    injections,
    kills,
    ledger,
    malicious,
    sources,
)
from bench.security.agentdojo import report as dojo_report  # noqa: E402
from bench.security.agentdojo import run as dojo  # noqa: E402
from bench.security.agentdojo import world as dojo_world  # noqa: E402

Row = dict[str, Any]


def malicious_model(scale: float) -> Row:
    report = asyncio.run(malicious.run(int(100_000 * scale)))
    return {
        "tried": report.sequences,
        "of": f"sequences: {report.proposals} proposals, {report.decisions} decisions, "
        f"{report.effects} effects",
        "violations": report.found,
        "seconds": report.seconds,
    }


def injected_texts(scale: float) -> Row:
    report = asyncio.run(injections.run(int(1_500 * scale)))
    return {
        "tried": report.cases,
        "of": f"Chinese injections, each with a careful and a careless person; the model read "
        f"{report.read}; {report.effects} effects, {report.asked} questions, "
        f"{len(report.controls)} goals carried out for who may ask for them",
        "violations": report.found,
        "let through": report.let_through,
        "seconds": report.seconds,
    }


def searching_attackers(scale: float) -> Row:
    report = asyncio.run(attackers.run(int(5_000 * scale)))
    best = ", ".join(f"{name} {score:.1f}" for name, score in report.best.items())
    return {
        "tried": report.tries.total(),
        "of": f"genomes by mutation search; {report.effects} effects; best scores {best} (a lawful "
        "effect is 5, a win 10)",
        "violations": report.found,
        "seconds": report.seconds,
    }


def sources_and_sinks(scale: float) -> Row:
    report = asyncio.run(sources.run(None if scale >= 1 else int(1_400 * scale)))
    return {
        "tried": report.cells,
        "of": f"cells of source x sink: {', '.join(f'{n} {k}' for k, n in report.came.items())}",
        "violations": report.found,
        "seconds": report.seconds,
    }


def benign_requests(scale: float) -> Row:
    report = asyncio.run(benign.run(None if scale >= 1 else int(200 * scale)))
    return {
        "tried": report.calls,
        "of": f"calls of ordinary requests; {report.share:.1%} need a person's word "
        f"({', '.join(f'{n} {tool}' for tool, n in report.asked.items())})",
        "violations": Counter({"asked for a value's source alone": report.needless.total()}),
        "seconds": 0.0,
    }


def agentdojo(scale: float) -> Row:
    data = dojo_world.data_folder()
    if data is None:
        return {"tried": 0, "of": "AgentDojo's data is not here", "violations": {}, "seconds": 0.0}
    report = asyncio.run(dojo.run(data, scale))
    return {
        "tried": report.tried,
        "of": "attacks of AgentDojo, all classes of guards; the tables are below",
        "violations": report.violations,
        "seconds": report.seconds,
        "tables": dojo_report.markdown(report),
    }


def bent_approvals(scale: float) -> Row:
    report = asyncio.run(approvals.run(int(1_500 * scale)))
    return {
        "tried": report.tried,
        "of": f"mutations of {len(report.kinds)} kinds; {report.controls} controls carried out",
        "violations": report.executed,
        "seconds": report.seconds,
    }


def bent_ledger(scale: float) -> Row:
    report = asyncio.run(ledger.run(max(200, int(10_000 * scale)), max(40, int(1_000 * scale))))
    return {
        "tried": report.tried,
        "of": f"ledgers of {report.records:,} records edited, cut, reordered or forked",
        "violations": report.violations,
        "seconds": report.seconds,
    }


def kill_sqlite(scale: float) -> Row:
    return _killed(kills.run_sqlite(int(1_000 * scale)))


def kill_postgresql(scale: float) -> Row:
    return _on_postgresql(lambda url: _killed(kills.run_postgres(int(1_000 * scale), url)))


def _on_postgresql(work: Callable[[str], Row]) -> Row:
    """``work`` with the URL of a throwaway server."""
    binaries = postgres.programs()
    if binaries is None:
        return {"tried": 0, "of": "PostgreSQL is not installed", "violations": {}, "seconds": 0.0}
    with postgres.server(binaries) as url:
        return work(url)


def _killed(report: kills.Report) -> Row:
    return {
        "tried": report.kills,
        "of": f"kills; {report.effects} effects, {report.intents['done']} known to be done, "
        f"{report.lost} done without an answer, {report.never} begun and not done",
        "violations": report.violations,
        "seconds": report.seconds,
    }


def sql_sqlite(_: float) -> Row:
    with tempfile.TemporaryDirectory() as folder:
        return _escaped(escapes.run_sqlite(Path(folder)))


def sql_postgresql(_: float) -> Row:
    with tempfile.TemporaryDirectory() as folder:
        return _on_postgresql(lambda url: _escaped(escapes.run_postgres(Path(folder), url)))


def _escaped(report: escapes.Report) -> Row:
    return {
        "tried": report.tried,
        "of": f"SELECTs that want more than they may, each also on the read-only connection as it "
        f"stands; {report.refused} refused, {report.harmless} harmless ones work",
        "violations": report.found,
        "seconds": report.seconds,
    }


PARTS: dict[str, Callable[[float], Row]] = {
    "malicious model": malicious_model,
    "injected texts": injected_texts,
    "searching attackers": searching_attackers,
    "sources and sinks": sources_and_sinks,
    "ordinary requests": benign_requests,
    "AgentDojo": agentdojo,
    "bent approvals": bent_approvals,
    "bent ledgers": bent_ledger,
    "SQL escapes, SQLite": sql_sqlite,
    "SQL escapes, PostgreSQL": sql_postgresql,
    "kill -9, SQLite": kill_sqlite,
    "kill -9, PostgreSQL": kill_postgresql,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the full size")
    parser.add_argument("--only", action="append", choices=list(PARTS), help="one part")
    parser.add_argument("--json", type=Path, help="write the figures there")
    args = parser.parse_args()
    logging.disable(logging.ERROR)  # systems that answer nonsense are what is tried here
    print("| harness | tried | what | violations | seconds |\n|---|---|---|---|---|", flush=True)
    results: dict[str, Row] = {}
    for name in args.only or PARTS:
        row = results[name] = PARTS[name](args.scale)
        found = +Counter(row["violations"])
        said = ", ".join(f"{n} x {v}" for v, n in found.most_common(5)) or "0"
        print(
            f"| {name} | {row['tried']:,} | {row['of']} | {said} | {row['seconds']:.0f} |",
            flush=True,
        )
    for row in results.values():
        if "tables" in row:
            print(f"\n{row['tables']}", flush=True)
    if args.json:
        args.json.write_text(json.dumps(results, indent=1, ensure_ascii=False), encoding="utf-8")
    return int(any(+Counter(row["violations"]) for row in results.values()))


if __name__ == "__main__":
    sys.exit(main())
