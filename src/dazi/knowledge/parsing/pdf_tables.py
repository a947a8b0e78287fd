"""Tables on a page, where lines fall into the same clear columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dazi.knowledge.blocks import Box
from dazi.knowledge.parsing.pdf_lines import Cell, Line

_LEAST_CELLS = 6
"""Three rows of two, two of three: fewer may stand side by side by chance."""
_ROW_GAP = 2.5
"""Between rows, in heights of a line; what is farther apart is something else."""
_LONGEST = 300
"""Lines of a page's table."""
_FEW_WORDS = 60
"""Characters of most cells; columns of running text have more."""


@dataclass(frozen=True, slots=True)
class Grid:
    """``lines``: how many of the page's lines it takes."""

    rows: tuple[tuple[str, ...], ...]
    box: Box
    lines: int


def grid_at(lines: Sequence[Line], at: int) -> Grid | None:
    """The table whose header is the line ``at``, if there is one."""
    run = _run(lines, at)
    while len(run) >= 2:
        columns = _columns(run)
        if len(columns) >= 2 and _fits(run, columns):
            return _grid(run, columns)
        run = run[:-1] if len(run) <= 4 else run[: len(run) * 3 // 4]
    return None


def _run(lines: Sequence[Line], at: int) -> list[Line]:
    """Lines of several cells one below the other, and those of one cell that go on between."""
    if len(lines[at].cells) < 2:
        return []
    run = [lines[at]]
    for line in lines[at + 1 : at + _LONGEST]:
        last = run[-1]
        if not line.top - last.top >= 0 or line.top - last.bottom > _ROW_GAP * last.size:
            break
        if len(line.cells) < 2 and not _continues(run, line):
            break
        run.append(line)
    while run and len(run[-1].cells) < 2 and not _continues(run[:-1], run[-1]):
        run.pop()
    return run


def _continues(run: Sequence[Line], line: Line) -> bool:
    """A single cell below one of the row before it, and not below its first: the cell goes on."""
    cell, row = line.cells[0], run[-1].cells
    below = [i for i, c in enumerate(row) if cell.left < c.right and c.left < cell.right]
    return len(below) == 1 and (below[0] > 0 or cell.left > row[0].right)


def _columns(run: Sequence[Line]) -> list[tuple[float, float]]:
    """What is left of the page's width when all gaps that go through every row are taken out."""
    spans = sorted((c.left, c.right) for line in run for c in line.cells)
    columns: list[tuple[float, float]] = []
    for left, right in spans:
        if columns and left < columns[-1][1]:
            columns[-1] = (columns[-1][0], max(columns[-1][1], right))
        else:
            columns.append((left, right))
    return columns


def _fits(run: Sequence[Line], columns: Sequence[tuple[float, float]]) -> bool:
    full = [line for line in run if len(line.cells) >= 2]
    cells = [c for line in full for c in line.cells]
    each_its_own = all(
        len({_column(c, columns) for c in line.cells}) == len(line.cells) for line in run
    )
    short = sum(len(c.text) <= _FEW_WORDS for c in cells) * 2 > len(cells)
    most = max(len(line.cells) for line in full)
    return (
        each_its_own
        and short
        and len(full) >= 2
        and len(cells) >= _LEAST_CELLS
        and len(columns) <= most + 1
    )


def _column(cell: Cell, columns: Sequence[tuple[float, float]]) -> int:
    middle = (cell.left + cell.right) / 2
    return next(i for i, (left, right) in enumerate(columns) if left <= middle <= right)


def _grid(run: Sequence[Line], columns: Sequence[tuple[float, float]]) -> Grid:
    rows: list[list[str]] = []
    for n, line in enumerate(run):
        row = [""] * len(columns)
        for cell in line.cells:
            row[_column(cell, columns)] = cell.text
        goes_on = n > 0 and not row[0] and line.top - run[n - 1].bottom < 0.6 * line.size
        if rows and (goes_on or len(line.cells) == 1):
            rows[-1] = [f"{a} {b}".strip() for a, b in zip(rows[-1], row, strict=True)]
        else:
            rows.append(row)
    box = (
        round(columns[0][0], 1),
        round(min(line.top for line in run), 1),
        round(columns[-1][1], 1),
        round(max(line.bottom for line in run), 1),
    )
    return Grid(tuple(tuple(r) for r in rows), box, len(run))
