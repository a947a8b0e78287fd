"""What a benchmark found, as a table for a terminal, for Markdown and for JSON."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Cell = str | float | int | None


@dataclass(frozen=True, slots=True)
class Table:
    """``None`` in a row was not measured; ``notes`` say why, and what is on and off."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: list[tuple[Cell, ...]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "title": self.title,
            "columns": list(self.columns),
            "rows": [list(row) for row in self.rows],
            "notes": list(self.notes),
        }

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Table:
        rows = [tuple(row) for row in data["rows"]]
        return cls(data["name"], data["title"], tuple(data["columns"]), rows, list(data["notes"]))

    def text(self) -> str:
        cells = self._cells()
        widths = [max(map(_width, column)) for column in zip(*cells, strict=True)]
        lines = [_line(row, widths) for row in cells]
        rule = "-" * _width(lines[0])
        notes = [f"  {note}" for note in self.notes]
        return "\n".join([self.title, rule, lines[0], rule, *lines[1:], rule, *notes])

    def markdown(self) -> str:
        head, *rows = self._cells()
        lines = [_pipes(head), "|" + " --- |" * len(head), *map(_pipes, rows)]
        notes = [f"- {note}" for note in self.notes]
        return "\n".join([f"### {self.title}", "", *lines, "", *notes]).rstrip()

    def _cells(self) -> list[list[str]]:
        return [list(self.columns), *([shown(c) for c in row] for row in self.rows)]


def shown(cell: Cell) -> str:
    """Three figures are as many as a timing has."""
    if cell is None:
        return "-"
    if isinstance(cell, str):
        return cell
    if abs(cell) >= 100:
        return f"{cell:,.0f}"
    return f"{cell:.3g}"


def ratio(a: float | None, b: float | None) -> float | None:
    """``a / b``, or ``None`` where one of them was not measured."""
    return a / b if a is not None and b else None


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(
        cell + pad if i == 0 else pad + cell
        for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        for pad in [" " * (width - _width(cell))]
    )


def _pipes(row: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
