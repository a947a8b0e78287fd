"""Processor time of one agent turn (two model calls, one trivial tool) against other loops."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench.machine import cores, pinned
from bench.options import Options
from bench.peer_env import PeerEnvironment, peers
from bench.processes import LOOPBACK, ROOT, upstream
from bench.tables import Table, ratio

SECONDS = 2.0
QUICK_TURNS = 3
_PEERS = ROOT / "bench" / "peers"
_QUIET = {"LANGSMITH_TRACING": "false", "LANGCHAIN_TRACING_V2": "false"}


@dataclass(slots=True)
class Side:
    """``over_http``: it asks the fake upstream, over a connection that stays open."""

    name: str
    command: Sequence[str | Path] | None
    over_http: bool
    why_not: str = ""
    found: list[Mapping[str, float]] = field(default_factory=list)

    def cpu(self) -> float | None:
        return median(f["cpu_ms"] for f in self.found) if self.found else None


def run(options: Options) -> list[Table]:
    installed = peers() if options.peers else PeerEnvironment(None, "peers were left out")
    sides = _sides(installed)
    where = cores()
    with tempfile.TemporaryDirectory(prefix="dazi-bench-") as logs, upstream(
        where.load, Path(logs)
    ) as model:  # fmt: skip
        for _ in range(options.rounds):
            for side in sides:
                if side.command is not None and not side.why_not:
                    _measure(side, model.url, options, where.server)
    return [_table(sides, installed)]


def _sides(installed: PeerEnvironment) -> list[Side]:
    dazi = [sys.executable, "-m", "bench.agent_dazi"]
    peer = installed.python
    hand = [peer, _PEERS / "openai_turn.py"] if peer else None
    graph = [peer, _PEERS / "langgraph_turn.py"] if peer else None
    durable = ["--audit", "durable"]
    return [
        Side("Dazi, audit in memory", dazi, False),
        Side("Dazi, audit durable", [*dazi, *durable], False),
        Side("Dazi, audit durable, thread kept", [*dazi, *durable, "--kept"], False),
        Side("Dazi over HTTP, audit in memory", dazi, True),
        Side("hand loop + openai package", hand, True, installed.why),
        Side("LangGraph + ChatOpenAI", graph, True, installed.why),
    ]


def _measure(side: Side, url: str, options: Options, on: frozenset[int]) -> None:
    assert side.command is not None
    most = ["--turns", str(QUICK_TURNS)] if options.quick else ["--seconds", str(SECONDS)]
    where = ["--url", url] if side.over_http else []
    with pinned(on):
        done = subprocess.run(
            [str(part) for part in [*side.command, *most, *where]],
            capture_output=True,
            text=True,
            env={**os.environ, **LOOPBACK, **_QUIET},
            cwd=ROOT,
            timeout=120,
            check=False,
        )
    if done.returncode != 0:
        side.why_not = (done.stderr.strip().splitlines() or ["it failed"])[-1][:200]
        return
    side.found.append(json.loads(done.stdout.strip().splitlines()[-1]))


def _table(sides: Sequence[Side], installed: PeerEnvironment) -> Table:
    ours = sides[0].cpu()
    table = Table(
        "agent_cpu",
        "Agent turn: 2 model calls + 1 trivial tool, processor time (all threads), one core",
        ("side", "CPU ms/turn", "against Dazi in memory", "turns", "model over HTTP"),
    )
    for side in sides:
        turns = sum(int(f["turns"]) for f in side.found) or None
        http = "yes" if side.over_http else "no"
        cpu = side.cpu()
        table.rows.append((side.name, cpu, ratio(cpu, ours), turns, http))
        if side.why_not:
            table.notes.append(f"{side.name}: {side.why_not}")
    table.notes.append(
        "Median of interleaved rounds, each in a new process; uvloop in all. Dazi: policy, "
        "grounding, answer check and hash-chained audit on, in memory or in SQLite. The peers: none "
        "of these, no store."
    )
    table.notes.append(
        "Model calls are scripted: in process, or answered over HTTP by the fake upstream (Dazi asks "
        "for a stream there, the others do not). Every turn asks about another order."
    )
    if versions := installed.versions("langgraph", "langchain-openai", "openai"):
        table.notes.append(f"Peers: {versions}.")
    return table
