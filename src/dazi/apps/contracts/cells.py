"""Tables that the template fills in and the contract fills in otherwise: service levels, times of response, rates."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from rapidfuzz import fuzz

from dazi.apps.contracts.clauses import Clause, Contract
from dazi.apps.contracts.findings import Finding, at
from dazi.apps.contracts.lines import blank, cells
from dazi.apps.contracts.values import percents, periods
from dazi.core.language import Text

Rows = list[list[str]]
SAME_ROW = 80
"""How alike, of 100, the names of two rows are."""


def changed_cells(template: Contract, contract: Contract) -> Iterator[Finding]:
    """One finding for each row whose periods or rates differ from the template's."""
    theirs = [(c, rows_of(c)) for c in contract.clauses if c.table]
    for clause in template.clauses:
        if not clause.table:
            continue
        ours = rows_of(clause)
        if len(ours) < 2:
            continue
        for row in ours[1:]:
            found = _row_like(row, ours[0], theirs)
            if found is None:
                continue
            where, other = found
            for mine, said in zip(row[1:], other[1:], strict=False):
                if _differ(mine, said):
                    yield at(
                        where,
                        "changed_cell",
                        "deviation",
                        "medium",
                        Text(
                            f"表里“{_name(other)}”是“{said}”,范本是“{mine}”",
                            f"the table has “{said}” for “{_name(other)}”, the template “{mine}”",
                        ),
                        Text(f"按范本改回“{mine}”", f"restore “{mine}”"),
                        " ".join(other),
                        " ".join(row),
                    )
                    break


def rows_of(clause: Clause) -> Rows:
    return [
        cells(r) for r in clause.text.split("\n") if r.strip() and not re.fullmatch(r"[|\s:\-]+", r)
    ]


def _row_like(
    row: list[str], header: list[str], tables: Sequence[tuple[Clause, Rows]]
) -> tuple[Clause, list[str]] | None:
    """The row of the same name, in a table with the like header."""
    if len(_name(row)) < 2 or re.fullmatch(r"[\d\W]+", _name(row)):
        return None
    best: tuple[float, Clause, list[str]] | None = None
    for clause, rows in tables:
        if fuzz.ratio(" ".join(header), " ".join(rows[0] if rows else [])) < 50:
            continue
        for other in rows[1:]:
            score = fuzz.ratio(_name(row), _name(other))
            if len(other) == len(row) and (best is None or score > best[0]):
                best = score, clause, other
    return (best[1], best[2]) if best is not None and best[0] >= SAME_ROW else None


def _name(row: list[str]) -> str:
    """Its first cell, and the next where that is a number or a letter."""
    short = len(row[0]) < 3 and len(row) > 1
    return f"{row[0]} {row[1]}".lower() if short else row[0].lower()


def _differ(ours: str, theirs: str) -> bool:
    if blank(ours) or blank(theirs) or not ours or not theirs:
        return False
    mine, other = _numbers(ours), _numbers(theirs)
    return bool(mine) and bool(other) and mine != other


def _numbers(cell: str) -> set[tuple[str, Decimal]]:
    return {("%", p.value) for p in percents(cell)} | {
        ("d", Decimal(str(round(p.days, 3)))) for p in periods(cell)
    }
