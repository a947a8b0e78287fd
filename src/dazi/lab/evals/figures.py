"""The metrics of a run: shares with their bounds, times, tokens and cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dazi.lab.evals.intervals import grouped_share, share
from dazi.lab.evals.metrics import percentile
from dazi.lab.evals.runs import ItemRecord, Metric, Tokens

RIGHT = "right"
NO_SHARES = frozenset(
    {"ms_p50", "ms_p95", "prompt_tokens", "completion_tokens", "cached_tokens", "cost", "errors"}
)
"""Metrics that are no shares of items: times in ms, tokens and yuan of a mean item, a count."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A record without its trace: of long runs not everything is held in memory."""

    id: str
    group: str
    language: str
    scores: dict[str, float | None]
    tokens: Tokens
    ms: float
    cost: float | None
    error: str
    conversation: str


def scored(records: Iterable[ItemRecord]) -> list[Scored]:
    """The last record of each item. Whether all was right is a score like the others."""
    return list(
        {
            r.id: Scored(
                r.id,
                r.group,
                r.language,
                {RIGHT: float(r.right), **r.scores},
                r.tokens,
                r.ms,
                r.cost,
                r.error,
                r.conversation,
            )
            for r in records
        }.values()
    )


def metrics_of(items: Sequence[Scored], seed: int = 0) -> dict[str, Metric]:
    """Of each score its mean over the items it says something of, if there are any; ``errors`` counts
    items."""
    out: dict[str, Metric] = {}
    for name in dict.fromkeys(n for i in items for n in i.scores):
        of = [i for i in items if i.scores.get(name) is not None]
        if of:
            out[name] = _mean(name, of, seed)
    n = len(items)
    if n:
        times = sorted(i.ms for i in items)
        out["ms_p50"] = Metric(percentile(times, 0.5), n=n)
        out["ms_p95"] = Metric(percentile(times, 0.95), n=n)
        for kind in ("prompt", "completion", "cached"):
            total = sum(getattr(i.tokens, kind) for i in items)
            out[f"{kind}_tokens"] = Metric(total / n, n=n)
        costs = [i.cost for i in items if i.cost is not None]
        if costs:
            out["cost"] = Metric(sum(costs) / len(costs), n=len(costs))
        out["errors"] = Metric(float(sum(bool(i.error) for i in items)), n=n)
    return out


def groups_of(items: Sequence[Scored], seed: int = 0) -> dict[str, dict[str, Metric]]:
    """By group and by language, where there are several; the scores alone."""
    parts = {f"{i.group}": [x for x in items if x.group == i.group] for i in items}
    spoken = {f"[{i.language}]": [x for x in items if x.language == i.language] for i in items}
    out: dict[str, dict[str, Metric]] = {}
    for kind in (parts, spoken):
        if len(kind) > 1:
            for name, some in kind.items():
                found = metrics_of(some, seed)
                out[name] = {k: m for k, m in found.items() if k not in NO_SHARES}
    return out


def _mean(name: str, of: Sequence[Scored], seed: int) -> Metric:
    values = [float(i.scores[name] or 0.0) for i in of]
    together = [i.conversation for i in of if i.conversation]
    if len(set(together)) < len(together):
        found = grouped_share(values, [i.conversation or i.id for i in of], seed)
    else:
        found = share(values, seed)
    return Metric(round(found.value, 6), round(found.low, 6), round(found.high, 6), len(of))
