"""Tables out of rows: columns calculated, rows joined, grouped, turned, sorted; what stands out marked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from dazi.apps.reports import functions
from dazi.apps.reports.anomalies import NAMES, Rule, find
from dazi.apps.reports.definition import Pivot, TableSpec
from dazi.apps.reports.expressions import PLACE, Expression, ExpressionError, Scope, evaluate
from dazi.apps.reports.formats import is_number, written
from dazi.apps.reports.result import Column, Mark, Paragraph, Table, Value
from dazi.apps.reports.templates import filled, template_of
from dazi.core.language import Language, Text

_NOTE = {
    "year": Text(
        "标出的{label}:比上年同期变动达到 {limit|percent} 或以上(方法:{method})。",
        "Marked in {label}: changes of {limit|percent} or more (method: {method}).",
    ),
    "deviation": Text(
        "标出的{label}:偏离中位数 {median|number},修正 z 分数的绝对值大于 {limit|number}(方法:{method})。",
        "Marked in {label}: far from the median of {median|number}, modified z-score above"
        " {limit|number} either way (method: {method}).",
    ),
}
MOST_ROWS = 5_000


def build(spec: TableSpec, scope: Scope, language: Language) -> tuple[Table, list[dict[str, Any]]]:
    """The table, and its rows as the names of a report see them, with ``anomaly`` told. Raises
    ``ExpressionError``."""
    source = evaluate(spec.rows, scope) or []
    if not isinstance(source, Sequence) or isinstance(source, str):
        raise ExpressionError(f"“{spec.rows.source}”: {type(source).__name__}")
    rows = [dict(r) for r in source[:MOST_ROWS]]
    if spec.join:
        rows = _joined(spec, rows, scope)
    if spec.group is not None:
        rows = _grouped(spec.group, rows, scope)
    columns, cells = (
        _pivoted(spec.pivot, rows, scope, language)
        if spec.pivot is not None
        else _calculated(spec, rows, scope, language)
    )
    if spec.sort:
        by = spec.sort.removeprefix("-")
        cells = functions.order(cells, by if spec.sort.startswith("-") else f"-{by}")  # type: ignore[assignment]
    if spec.limit:
        cells = cells[: spec.limit]
    totals: dict[str, Value] = {
        c.name: functions.total([row[c.name] for row in cells]) for c in columns if c.total
    }
    marks: list[Mark] = []
    notes: list[Paragraph] = []
    for rule in spec.anomalies:
        values = [_number(row[rule.column]) for row in cells]
        against = [_number(row[rule.against]) for row in cells] if rule.against else []
        found = find(rule, values, against)
        marks += [Mark(a.row, a.column, a.method, a.expected, a.measure) for a in found]
        notes.append(_note(rule, columns, values, language))
    table = Table(
        spec.id, spec.title(language), columns, tuple(cells), totals, tuple(marks), tuple(notes)
    )
    return table, _as_seen(table)


def _number(value: Value) -> Decimal | None:
    return value if isinstance(value, Decimal) else None


def _as_seen(table: Table) -> list[dict[str, Any]]:
    out = []
    for n, row in enumerate(table.rows):
        marks = [m for m in table.marks if m.row == n]
        seen: dict[str, Any] = {**row, "anomaly": bool(marks)}
        seen["expected"] = marks[0].expected if marks else None
        seen["measure"] = marks[0].measure if marks else None
        seen[PLACE] = f"{table.id}[{n + 1} {row[table.columns[0].name]}]"
        out.append(seen)
    return out


def _joined(spec: TableSpec, rows: list[dict[str, Any]], scope: Scope) -> list[dict[str, Any]]:
    others = {}
    for name, expression in spec.join.items():
        found = evaluate(expression, scope) or []
        others[name] = {row.get(spec.key): row for row in found}
    return [
        {**row, **{name: by_key.get(row.get(spec.key)) for name, by_key in others.items()}}
        for row in rows
    ]


def _grouped(by: Expression, rows: list[dict[str, Any]], scope: Scope) -> list[dict[str, Any]]:
    groups: dict[Any, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(evaluate(by, scope.within(row)), []).append(row)
    return [{"group": key, "rows": members} for key, members in groups.items()]


def _calculated(
    spec: TableSpec, rows: Iterable[Mapping[str, Any]], scope: Scope, language: Language
) -> tuple[tuple[Column, ...], list[dict[str, Value]]]:
    columns = tuple(
        Column(c.name, c.label(language), c.format, c.value.source, c.total) for c in spec.columns
    )
    out: list[dict[str, Value]] = []
    for row in rows:
        cells: dict[str, Value] = {}
        for c in spec.columns:
            value = evaluate(
                c.value, scope.within({**row, **{k: v for k, v in cells.items() if k not in row}})
            )
            cells[c.name] = _cell(value, c.format, f"{spec.id}.{c.name}")
        out.append(cells)
    return columns, out


def _pivoted(
    pivot: Pivot, rows: Sequence[Mapping[str, Any]], scope: Scope, language: Language
) -> tuple[tuple[Column, ...], list[dict[str, Value]]]:
    found = [
        (
            evaluate(pivot.row, scope.within(r)),
            evaluate(pivot.column, scope.within(r)),
            evaluate(pivot.value, scope.within(r)),
        )
        for r in rows
    ]
    heads = functions.unique([c for _, c, _ in found])
    names = {head: f"c{n}" for n, head in enumerate(heads, 1)}
    columns = (
        Column("name", pivot.row_label(language), "text", pivot.row.source),
        *(
            Column(names[h], str(h), pivot.format, pivot.value.source, is_number(pivot.format))
            for h in heads
        ),
    )
    out: dict[Any, dict[str, Value]] = {}
    for row, head, value in found:
        cells = out.setdefault(row, {"name": str(row), **dict.fromkeys(names.values())})
        there = cells[names[head]]
        cells[names[head]] = value if there is None else there + value
    return columns, list(out.values())


def _cell(value: Any, format: str, where: str) -> Value:
    """Raises ``ExpressionError`` for a value that its format cannot write."""
    if value is None or isinstance(value, Decimal | str):
        kept: Value = value
    elif isinstance(value, bool):
        kept = str(value).lower()
    elif isinstance(value, list):
        kept = "、".join(map(str, value))
    else:
        raise ExpressionError(f"{where}: {type(value).__name__}")
    try:
        written(kept, format, "zh")
    except ValueError as e:
        raise ExpressionError(f"{where}: {e}") from None
    return kept


def _note(
    rule: Rule, columns: tuple[Column, ...], values: Sequence[Any], language: Language
) -> Paragraph:
    label = next(c.label for c in columns if c.name == rule.column)
    scope = Scope(
        {
            "label": label,
            "limit": rule.limit,
            "method": NAMES[rule.method](language),
            "median": functions.median(values),
        }
    )
    return Paragraph(*filled(template_of(_NOTE[rule.method](language)), scope, language))
