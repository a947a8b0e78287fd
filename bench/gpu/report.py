"""The tables of what was measured, beside the limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.gpu import same
from bench.gpu.limits import Ceilings, Limits, decode_limit, first_token_limit, limits_of
from bench.tables import Table, ratio
from dazi.ops.plan.models import Shape

Results = Mapping[str, Mapping[str, Any]]
"""By step: ``cases``, and in each its ``rows``."""


def rows_of(results: Results, step: str) -> list[dict[str, Any]]:
    cases = results.get(step, {}).get("cases", {})
    return [row for case in cases.values() for row in case["rows"]]


def tables(results: Results, shape: Shape, device: str, memory: int) -> list[Table]:
    measured = rows_of(results, "ceilings")
    ceilings = Ceilings(**measured[0]) if measured else None
    limits = limits_of(device, memory, ceilings)
    return [
        _ceilings(limits, device),
        _decode(rows_of(results, "decode"), shape, limits),
        _first(rows_of(results, "first_token"), shape, limits),
        _same(rows_of(results, "same")),
    ]


def _ceilings(limits: Limits, device: str) -> Table:
    table = Table("ceilings", f"{device}: what it reaches", ("what", "data sheet", "here", "ratio"))
    for what, name in (("bandwidth, GB/s", "bandwidth"), ("bf16, TFLOP/s", "bf16")):
        sheet, here = (getattr(g, name) if g else None for g in (limits.sheet, limits.measured))
        table.rows.append((what, sheet, here, ratio(here, sheet)))
    if limits.sheet is None:
        table.notes.append("The planner has no data sheet of this device.")
    return table


def _decode(rows: list[dict[str, Any]], shape: Shape, limits: Limits) -> Table:
    columns = ("side", "at once", "context", "tokens/s", "of the data sheet's limit", "of what it reaches")  # fmt: skip
    table = Table("decode", f"{shape.name}, random weights: tokens a second", columns)
    for r in rows:
        bounds = [
            decode_limit(shape, gpu, r["context"], r["batch"])
            for gpu in (limits.sheet, limits.measured)
        ]
        shares = [ratio(r["tokens_per_second"], bound) for bound in bounds]
        table.rows.append((r["side"], r["batch"], r["context"], r["tokens_per_second"], *shares))
    return table


def _first(rows: list[dict[str, Any]], shape: Shape, limits: Limits) -> Table:
    columns = ("side", "tokens read", "seconds", "of the data sheet's limit", "of what it reaches")
    table = Table("first_token", f"{shape.name}, random weights: to the first token", columns)
    for r in rows:
        bounds = [
            first_token_limit(shape, gpu, r["tokens"]) for gpu in (limits.sheet, limits.measured)
        ]
        shares = [ratio(bound, r["seconds"]) for bound in bounds]
        table.rows.append((r["side"], r["tokens"], r["seconds"], *shares))
    table.notes.append("1 would be as fast as the hardware allows.")
    return table


def _same(rows: list[dict[str, Any]]) -> Table:
    columns = ("side", "rows", "tokens alike to the end", "parted at a tie", "wrong")
    table = Table("same", "Greedy tokens alone and among eight", columns)
    for side in dict.fromkeys(r["side"] for r in rows):
        of = [r for r in rows if r["side"] == side]
        alike = sum(r["same"] == r["of"] for r in of)
        wrong = sum(not same.explained(r) for r in of)
        table.rows.append((side, len(of), alike, len(of) - alike - wrong, wrong))
    return table
