"""Two runs of a report beside each other: which cells, calculations and checks have changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from dazi.apps.reports.formats import written
from dazi.apps.reports.functions import difference, growth
from dazi.apps.reports.result import Run, Table, Value
from dazi.core.errors import CallerError

Kind = Literal["changed", "added", "removed"]


@dataclass(frozen=True, slots=True)
class Change:
    """``place``: of a cell ``table[row].column``, of a calculation its name. ``old`` and ``new`` as they
    are written; ``difference`` and ``growth`` of numbers."""

    kind: Kind
    place: str
    label: str
    old: str
    new: str
    difference: Decimal | None = None
    growth: Decimal | None = None


def compare(old: Run, new: Run) -> list[Change]:
    """Rows are told apart by their texts: of the same texts, by their order. Raises ``CallerError``
    for runs of different reports or in different languages."""
    if old.report != new.report or old.language != new.language:
        raise CallerError(
            "compare",
            f"只能比较同一个报表、同一种语言:{old.report}/{old.language},{new.report}/{new.language}",
            f"these are not of one report and language: {old.report}/{old.language}, "
            f"{new.report}/{new.language}",
        )
    out: list[Change] = []
    before = {t.id: t for t in old.tables}
    for table in new.tables:
        if table.id in before:
            out += _table(before[table.id], table, new)
    values = {c.name: c for c in old.calculations}
    for c in new.calculations:
        was = values.get(c.name)
        if was is not None and was.value != c.value:
            out.append(_change(c.name, c.label, was.value, c.value, was.text, c.text))
    checks = {c.name: c for c in old.checks}
    for check in new.checks:
        earlier = checks.get(check.name)
        if earlier is not None and earlier.ok != check.ok:
            was_ok, is_ok = str(earlier.ok).lower(), str(check.ok).lower()
            out.append(Change("changed", "checks", check.name, was_ok, is_ok))
    return out


def _table(old: Table, new: Table, run: Run) -> Iterator[Change]:
    before, after = dict(_rows(old, run)), dict(_rows(new, run))
    old_columns = {c.name for c in old.columns}
    for key, row in after.items():
        name = " ".join(key[0])
        if key not in before:
            yield Change("added", f"{new.id}[{name}]", new.title, "", name)
            continue
        for column in new.columns:
            if column.name not in old_columns:
                continue
            was, now = before[key][column.name], row[column.name]
            if was != now:
                said = [written(v, column.format, run.language) for v in (was, now)]
                place = f"{new.id}[{name}].{column.name}"
                yield _change(place, f"{new.title} · {name} · {column.label}", was, now, *said)
    for key in before.keys() - after.keys():
        name = " ".join(key[0])
        yield Change("removed", f"{new.id}[{name}]", new.title, name, "")


def _rows(table: Table, run: Run) -> Iterator[tuple[tuple[tuple[str, ...], int], dict[str, Value]]]:
    seen: dict[tuple[str, ...], int] = {}
    for row in table.rows:
        key = tuple(
            written(row[c.name], c.format, run.language)
            for c in table.columns
            if isinstance(row[c.name], str)
        )
        seen[key] = seen.get(key, -1) + 1
        yield (key, seen[key]), row


def _change(place: str, label: str, was: Value, now: Value, old: str, new: str) -> Change:
    if isinstance(was, Decimal) and isinstance(now, Decimal):
        return Change("changed", place, label, old, new, difference(now, was), growth(now, was))
    return Change("changed", place, label, old, new)
