"""Numbers that a template fixes and a contract has otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from dazi.apps.contracts.findings import Severity
from dazi.apps.contracts.money import moneys
from dazi.apps.contracts.values import percents, periods
from dazi.core.language import Text


def changed_numbers(ours: str, theirs: str) -> Iterator[tuple[Severity, Text]]:
    """Periods, rates and sums of one text that the other has others for."""
    before = sorted((p.number, p.unit) for p in periods(ours))
    after = sorted((p.number, p.unit) for p in periods(theirs))
    if before and after:
        gone, new = _days(ours) - _days(theirs), _days(theirs) - _days(ours)
        if gone and new:
            yield (
                "medium",
                Text(
                    f"期限 {_list(gone)} 变成 {_list(new)}(天)",
                    f"periods of {_list(gone)} became {_list(new)} (days)",
                ),
            )
    rates, others = {p.value for p in percents(ours)}, {p.value for p in percents(theirs)}
    if rates and others and rates != others and (rates - others) and (others - rates):
        yield (
            "medium",
            Text(
                f"比例 {_list(rates - others)}% 变成 {_list(others - rates)}%",
                f"{_list(rates - others)} % became {_list(others - rates)} %",
            ),
        )
    elif others and not rates and _LIMITS.search(theirs) and _LIMITS.search(ours):
        yield (
            "medium",
            Text(f"上限变成 {_list(others)}%", f"the limit became {_list(others)} %"),
        )
    sums, more = {m.amount for m in moneys(ours)}, {m.amount for m in moneys(theirs)}
    if sums and more and (sums - more) and (more - sums):
        yield (
            "medium",
            Text(
                f"金额 {_list(sums - more)} 变成 {_list(more - sums)}",
                f"sums of {_list(sums - more)} became {_list(more - sums)}",
            ),
        )


_LIMITS = re.compile(r"为(?:上)?限|上限|exceed|limited|\bcap", re.I)


def _days(text: str) -> set[Decimal]:
    """Periods in days, working days told apart."""
    return {
        Decimal(str(round(p.days, 1))) if p.unit != "workday" else p.number + Decimal("0.5")
        for p in periods(text)
    }


def _list(numbers: set[Decimal]) -> str:
    return "、".join(
        f"{n:f}".rstrip("0").rstrip(".") if "." in f"{n:f}" else f"{n:f}" for n in sorted(numbers)
    )


def kept(ours: str, theirs: str) -> bool:
    """Whether all numbers of one text stand in the other."""
    return (
        _days(ours) <= _days(theirs)
        and {p.value for p in percents(ours)} <= {p.value for p in percents(theirs)}
        and {m.amount for m in moneys(ours)} <= {m.amount for m in moneys(theirs)}
    )
