"""What a report may calculate with. All of it is exact decimal arithmetic; a value that is missing
makes the result missing, and so does a division by nought.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

Number = Decimal | None
_SLOT = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})")
_MONTH = re.compile(r"(\d{4})-(\d{2})")
_QUARTER = re.compile(r"(\d{4})-Q([1-4])")


def _numbers(values: Any) -> list[Decimal]:
    """Those that are there; of one value, itself."""
    many = values if isinstance(values, Sequence) and not isinstance(values, str) else [values]
    return [v for v in many if isinstance(v, Decimal)]


def total(values: Sequence[Any]) -> Decimal:
    return sum(_numbers(values), Decimal(0))


def count(values: Sequence[Any]) -> Decimal:
    return Decimal(len(values or ()))


def mean(values: Sequence[Any]) -> Number:
    found = _numbers(values)
    return sum(found, Decimal(0)) / len(found) if found else None


def median(values: Sequence[Any]) -> Number:
    found = sorted(_numbers(values))
    if not found:
        return None
    middle = len(found) // 2
    return found[middle] if len(found) % 2 else (found[middle - 1] + found[middle]) / 2


def least(values: Sequence[Any]) -> Number:
    return min(_numbers(values), default=None)


def most(values: Sequence[Any]) -> Number:
    return max(_numbers(values), default=None)


def difference(now: Number, before: Number) -> Number:
    return None if now is None or before is None else now - before


def growth(now: Number, before: Number) -> Number:
    """The change as a part of what it was before: 0.1 where 100 became 110. None of what was
    nothing or less."""
    return None if now is None or before is None or before <= 0 else (now - before) / before


def share(part: Number, whole: Number) -> Number:
    return None if part is None or not whole else part / whole


def ratio(a: Number, b: Number) -> Number:
    return share(a, b)


def rank(value: Number, values: Sequence[Any]) -> Number:
    """From 1, the largest first; equals share the better place."""
    return None if value is None else Decimal(1 + sum(v > value for v in _numbers(values)))


def first(rows: Sequence[Any]) -> Any:
    return rows[0] if rows else None


def last(rows: Sequence[Any]) -> Any:
    return rows[-1] if rows else None


def take(rows: Sequence[Any], most: Decimal) -> list[Any]:
    return list(rows or ())[: int(most)]


def order(rows: Sequence[Mapping[str, Any]], by: str) -> list[Mapping[str, Any]]:
    """By a column, the largest first; ``-column`` for the least first. What is missing stands last."""
    name = by.removeprefix("-")
    there = [r for r in rows if r.get(name) is not None]
    gone = [r for r in rows if r.get(name) is None]
    return [*sorted(there, key=lambda r: r[name], reverse=not by.startswith("-")), *gone]


def where(rows: Sequence[Mapping[str, Any]], name: str, value: Any) -> list[Mapping[str, Any]]:
    return [r for r in rows or () if r.get(name) == value]


def having(rows: Sequence[Mapping[str, Any]], name: str) -> list[Mapping[str, Any]]:
    return [r for r in rows or () if r.get(name) is not None]


def distance(value: Number) -> Number:
    return None if value is None else abs(value)


def above(rows: Sequence[Mapping[str, Any]], name: str, value: Decimal) -> list[Mapping[str, Any]]:
    return [r for r in rows or () if r.get(name) is not None and r[name] > value]


def below(rows: Sequence[Mapping[str, Any]], name: str, value: Decimal) -> list[Mapping[str, Any]]:
    return [r for r in rows or () if r.get(name) is not None and r[name] < value]


def flat(lists: Sequence[Any]) -> list[Any]:
    """Lists in a list as one."""
    return [v for part in lists or () for v in (part or ())]


def nest(rows: Sequence[Mapping[str, Any]], inner: str) -> list[dict[str, Any]]:
    """The rows in each row's list, each with what its outer row says beside."""
    out = []
    for row in rows or ():
        outer = {k: v for k, v in row.items() if not isinstance(v, list | dict)}
        out += [{**outer, **r} for r in row.get(inner) or ()]
    return out


def unique(values: Iterable[Any]) -> list[Any]:
    return list(dict.fromkeys(values))


def flagged(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The rows that a table marks as anomalies."""
    return [r for r in rows if r.get("anomaly")]


def hours(slots: str | None) -> Decimal:
    """The length of what a calendar writes as ``09:00-10:30, 14:00-15:00``, in hours."""
    minutes = 0
    for match in _SLOT.finditer(slots or ""):
        a, b, c, d = map(int, match.groups())
        minutes += (c * 60 + d) - (a * 60 + b)
    return Decimal(minutes) / 60


# --- periods ------------------------------------------------------------------------------------


def shifted(period: str, by: Decimal | int) -> str:
    """``period``, a month or a quarter as ISO writes it, so many later. Raises ``ValueError``."""
    if match := _MONTH.fullmatch(period):
        n = int(match[1]) * 12 + int(match[2]) - 1 + int(by)
        return f"{n // 12:04}-{n % 12 + 1:02}"
    if match := _QUARTER.fullmatch(period):
        n = int(match[1]) * 4 + int(match[2]) - 1 + int(by)
        return f"{n // 4:04}-Q{n % 4 + 1}"
    raise ValueError(period)


def before(period: str) -> str:
    return shifted(period, -1)


def year_before(period: str) -> str:
    return shifted(period, -4 if "Q" in period else -12)


def last_periods(period: str, number: Decimal) -> list[str]:
    """So many up to ``period``, the earliest first."""
    return [shifted(period, n) for n in range(1 - int(number), 1)]


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "sum": total, "count": count, "mean": mean, "median": median, "min": least, "max": most,
    "difference": difference, "growth": growth, "share": share, "ratio": ratio, "rank": rank,
    "first": first, "last": last, "take": take, "order": order, "where": where, "having": having,
    "abs": distance, "above": above, "below": below, "flat": flat, "nest": nest, "unique": unique, "flagged": flagged,
    "hours": hours, "before": before, "year_before": year_before, "shifted": shifted,
    "last_periods": last_periods,
}  # fmt: skip
