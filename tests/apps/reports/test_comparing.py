"""Two runs beside each other."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from dazi.apps.reports.comparing import compare
from dazi.apps.reports.result import Run
from dazi.core.errors import CallerError
from dazi.core.language import Language


def altered(run: Run) -> Run:
    table = run.table("overview")
    first = {**table.rows[0], "spent": Decimal(1_000_000)}
    changed = replace(table, rows=(first, *table.rows[1:]))
    tables = tuple(changed if t.id == "overview" else t for t in run.tables)
    check = replace(run.checks[0], ok=False)
    return replace(run, tables=tables, checks=(check, *run.checks[1:]))


def test_the_cell_that_changed_and_the_check_that_fails(costs: Run) -> None:
    assert compare(costs, costs) == []
    cell, check = compare(costs, altered(costs))
    assert cell.place == "overview[市场部 2025年第1季度].spent"
    assert (cell.old, cell.new) == ("920,000.00元", "1,000,000.00元")
    assert cell.difference == 80_000
    assert (check.old, check.new) == ("true", "false")


def test_rows_that_came_and_went(costs: Run) -> None:
    table = costs.table("overview")
    fewer = replace(costs, tables=(replace(table, rows=table.rows[:1]),))
    assert [c.kind for c in compare(costs, fewer)] == ["removed"]
    assert [c.kind for c in compare(fewer, replace(costs, tables=(table,)))] == ["added"]


def test_only_the_same_report_can_be_compared(runs: dict[tuple[str, Language], Run]) -> None:
    with pytest.raises(CallerError):
        compare(runs["orders", "zh"], runs["inventory", "zh"])
    with pytest.raises(CallerError):
        compare(runs["orders", "zh"], runs["orders", "en"])
