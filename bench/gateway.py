"""What the gateway adds to a model's answer, against proxies that do less and one that does more.

Each side runs on one core, load generator and fake upstream on another; sides take turns in
interleaved rounds, and those whose turn it is not are stopped. A sample in which either core was
somebody else's for more than ``TOO_BUSY`` of the time is dropped and taken again, a few times.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.machine import MEASURABLE, cores, pinned
from bench.options import Options
from bench.processes import upstream
from bench.sampling import AT_ONCE, STREAMS, TOO_BUSY, Found, take
from bench.sides import started
from bench.tables import Cell, Table, ratio
from bench.upstream import PACED_CHUNKS, PACED_SECONDS


def run(options: Options) -> list[Table]:
    if not MEASURABLE:
        note = "not measured: this system does not tell what a process used (Linux does)"
        return [Table("gateway", "Gateway", ("side",), [], [note])]
    where = cores()
    with (
        tempfile.TemporaryDirectory(prefix="dazi-bench-") as folder,
        upstream(where.load, Path(folder)) as model,
        started(options, model.port, Path(folder)) as sides,
        pinned(where.load),
    ):
        found = [Found(side) for side in sides]
        dropped = take(found, options, model.pid)
    notes = [f"{f.side.name}: {f.side.why_not}" for f in found if f.side.why_not]
    if dropped:
        notes.append(
            f"{dropped} samples were dropped because another program had one of the cores for more "
            f"than {TOO_BUSY:.0%} of the time; where it was so at every try, the quietest was kept."
        )
    if not where.apart:
        notes.append("Only one core: server, load and upstream share it; ratios mean little.")
    return [_figures(found, notes), _ratios(found)]


def _figures(found: Sequence[Found], notes: list[str]) -> Table:
    table = Table(
        "gateway",
        "Gateway: one core, a short chat through each side to a model that answers at once",
        (
            "side",
            "added p50 us (c1)",
            f"req/s at {AT_ONCE}",
            "core busy",
            "CPU us/request",
            "CPU us/piece, paced",
        ),
    )
    direct = found[0].p50()
    for f in found:
        p50, busy = f.p50(), f.busy()
        measured = f.side.process is not None
        added = p50 - direct if measured and p50 is not None and direct is not None else None
        row: tuple[Cell, ...] = (f.side.name, added, f.rate())
        if measured:
            share = f"{busy:.0%}" if busy is not None else None
            row = (*row, share, f.cpu_request(), f.cpu_chunk())
        else:
            row = (*row, None, None, None)
        table.rows.append(row)
    table.notes.extend(f"{f.side.name}: on: {f.side.on}; off: {f.side.off}." for f in found[1:])
    table.notes.append(
        "Dazi: the model itself by name (no tools, no memory), what dazi serve runs, pages included."
    )
    table.notes.append(
        f"Paced: {STREAMS} streams of {PACED_CHUNKS} pieces, one each {PACED_SECONDS * 1000:.0f} "
        "ms; a request's own cost is spread over its pieces."
    )
    table.notes.extend(
        f"{f.side.name}, streams: {f.side.no_streams}." for f in found if f.side.no_streams
    )
    table.notes.append(
        "Where the side's core is not busy, req/s is what load generator and upstream can do: "
        "compare CPU per request there."
    )
    table.notes.extend(notes)
    return table


def _ratios(found: Sequence[Found]) -> Table:
    table = Table(
        "gateway_ratios",
        "Gateway: ratios in this run",
        ("what", "audit in memory", "audit durable", "goal (aim)"),
    )
    ours = [f for f in found if f.side.name.startswith("Dazi")]
    by_name = {f.side.name.split()[0].lower().rstrip(","): f for f in found}
    nginx, litellm = by_name.get("nginx"), by_name.get("litellm")
    direct = found[0].p50() or 0.0

    def row(what: str, values: list[float | None], goal: str) -> None:
        table.rows.append((what, *(f"{v:.3g}x" if v is not None else None for v in values), goal))

    def added(f: Found) -> float | None:
        p50 = f.p50()
        return p50 - direct if p50 is not None else None

    if litellm is not None:
        row("req/s against LiteLLM", [ratio(f.rate(), litellm.rate()) for f in ours],
            ">= 60x (130x)")  # fmt: skip
    if nginx is not None:
        row("CPU/request against nginx",
            [ratio(f.cpu_request(), nginx.cpu_request()) for f in ours], "<= 10x (5x)")  # fmt: skip
        row("added p50 against nginx", [ratio(added(f), added(nginx)) for f in ours],
            "<= 5x (2.5x)")  # fmt: skip
        row("paced CPU/piece against nginx",
            [ratio(f.cpu_chunk(), nginx.cpu_chunk()) for f in ours], "<= 2.5x (1.7x)")  # fmt: skip
    portkey = by_name.get("portkey")
    if portkey is not None:
        row("req/s against Portkey's gateway", [ratio(f.rate(), portkey.rate()) for f in ours], "")
    fastapi = by_name["fastapi"]
    row("req/s against FastAPI + aiohttp", [ratio(f.rate(), fastapi.rate()) for f in ours], "")
    return table
