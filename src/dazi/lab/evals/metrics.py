"""The figures of an evaluation: shares of cases, dialogues and tools."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, TypeVar

from dazi.lab.evals.cases import CaseTurn
from dazi.lab.evals.scoring import CaseResult, Verdict
from dazi.lab.evals.turns import SeenTurn

T = TypeVar("T")

NONE = "(none)"
"""In the confusion of tools: no call was expected, or none was made."""


@dataclass(frozen=True, slots=True)
class Row:
    """Single cases. Shares are ``None`` where there is nothing to share.

    ``n`` counts all. ``name_accuracy`` and ``exact_match`` are over those that are not forbidden
    (``scored``), ``calls_exact`` over those of them that expect a call, ``false_call_rate`` over
    those that expect none (``no_call``). ``forbidden_right``: nothing was done that may not be.
    """

    n: int
    scored: int
    no_call: int
    forbidden: int
    name_accuracy: float | None
    exact_match: float | None
    calls_exact: float | None
    false_call_rate: float | None
    forbidden_right: float | None


@dataclass(frozen=True, slots=True)
class DialogueRow:
    """``approvals_respected`` is over the confirmations that came up and were decided;
    ``approvals_reached`` over the turns that were to decide one."""

    n: int
    turns: int
    dialogue_success: float | None
    turn_success: float | None
    approvals_respected: float | None
    approvals_reached: float | None


@dataclass(frozen=True, slots=True)
class ToolRow:
    """Calls of one tool that were expected, and the shares of them made, and made exactly."""

    expected: int
    name: float | None
    exact: float | None


def row(results: Sequence[CaseResult]) -> Row:
    judged = [(r.case.turns[0], r.verdicts[0]) for r in results]
    scored = [(t, v) for t, v in judged if not t.forbidden]
    calls = [v for t, v in scored if t.expect]
    none = [v for t, v in scored if not t.expect]
    refused = [v for t, v in judged if t.forbidden]
    return Row(
        n=len(results),
        scored=len(scored),
        no_call=len(none),
        forbidden=len(refused),
        name_accuracy=share(scored, lambda p: bool(p[1].name)),
        exact_match=share(scored, lambda p: bool(p[1].exact)),
        calls_exact=share(calls, lambda v: bool(v.exact)),
        false_call_rate=share(none, lambda v: v.false_call),
        forbidden_right=share(refused, lambda v: v.right),
    )


def dialogue_row(results: Sequence[CaseResult]) -> DialogueRow:
    verdicts = [v for r in results for v in r.verdicts]
    approving = [s for r in results for t, s in pairs(r) if t.approval is not None]
    decisions = [d for s in approving for d in s.decisions]
    return DialogueRow(
        n=len(results),
        turns=len(verdicts),
        dialogue_success=share(results, lambda r: r.right),
        turn_success=share(verdicts, lambda v: v.right),
        approvals_respected=share(decisions, lambda d: d.honoured),
        approvals_reached=share(approving, lambda s: bool(s.decisions)),
    )


def by_language(
    results: Sequence[CaseResult], count: Callable[[Sequence[CaseResult]], T]
) -> dict[str, T]:
    """``count`` (``row`` or ``dialogue_row``) for each language that occurs, Chinese first."""
    found = sorted({r.case.language for r in results}, reverse=True)
    return {name: count([r for r in results if r.case.language == name]) for name in found}


def by_tool(
    verdicts: Iterable[Verdict],
) -> tuple[dict[str, ToolRow], dict[str, dict[str, int]]]:
    """The row of each expected tool, and the confusion: expected -> called -> times."""
    expected: Counter[str] = Counter()
    exact: Counter[str] = Counter()
    confusion: dict[str, Counter[str]] = {}
    for verdict in verdicts:
        if verdict.name is None:
            continue
        made = Counter(c.name for c in verdict.considered)
        wanted = Counter(c.name for c in verdict.chosen)
        for name in wanted:
            expected[name] += wanted[name]
            exact[name] += wanted[name] if verdict.exact else 0
        met = [(name, name) for name in (wanted & made).elements()]
        extra = [] if verdict.name else sorted((made - wanted).elements())
        met += zip_longest(sorted((wanted - made).elements()), extra, fillvalue=NONE)
        for want, got in met or [(NONE, NONE)]:
            confusion.setdefault(want, Counter())[got] += 1
    rows = {
        name: ToolRow(n, confusion[name][name] / n, exact[name] / n)
        for name, n in sorted(expected.items())
    }
    return rows, {want: dict(got.most_common()) for want, got in sorted(confusion.items())}


def pairs(result: CaseResult) -> Iterable[tuple[CaseTurn, SeenTurn]]:
    return zip(result.case.turns, result.turns, strict=True)


def share(items: Sequence[Any], right: Callable[[Any], bool]) -> float | None:
    return sum(map(right, items)) / len(items) if items else None


def percentile(ordered: Sequence[float], at: float) -> float:
    """The value of nearest rank; ``at`` from 0 to 1."""
    return ordered[max(math.ceil(at * len(ordered)) - 1, 0)] if ordered else 0.0
