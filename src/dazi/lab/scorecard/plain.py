"""A scorecard as data; ``docs/*/evaluation.md`` tells its fields."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from dazi.core.language import Text
from dazi.lab.scorecard.declared import DIMENSIONS, MetricSpec
from dazi.lab.scorecard.evidence import RunOf
from dazi.lab.scorecard.scoring import Candidate, Kept, Score, Scorecard

SCHEMA = 1


def as_plain(s: Scorecard) -> dict[str, Any]:
    """What was not measured is ``null``."""
    return {
        "schema": SCHEMA,
        "title": _both(Text.of(s.card.title)),
        "made": s.made,
        "weights": {d: s.card.weights.of(d) for d in DIMENSIONS},
        "cost_scale": {"best": s.card.cost_scale.best, "worst": s.card.cost_scale.worst},
        "requests_a_day": s.card.requests,
        "metrics": [_metric(m, s) for m in s.card.capability],
        "candidates": [_candidate(c, s) for c in s.candidates],
    }


def _metric(m: MetricSpec, s: Scorecard) -> dict[str, Any]:
    return {
        "key": m.key,
        "label": _both(m.text),
        "weight": m.weight,
        "lower_is_better": m.lower,
        "counted": m.key in s.counted,
        "same_items": m.key not in s.unlike,
    }


def _candidate(c: Candidate, s: Scorecard) -> dict[str, Any]:
    keys = [m.key for m in s.card.capability]
    return {
        "name": c.name,
        "scores": {d: _score(c.scores.get(d)) for d in DIMENSIONS} | {"overall": _score(c.overall)},
        "not_measured": list(c.lacking),
        "measured": {k: asdict(c.measured[k]) if k in c.measured else None for k in keys},
        "must": [_kept(k) for k in c.musts],
        "cost": asdict(c.cost) if c.cost else None,
        "compliance": _compliance(c),
        "runs": [_run(r) for r in c.runs],
    }


def _score(score: Score | None) -> dict[str, float] | None:
    return None if score is None else {k: round(v, 4) for k, v in asdict(score).items()}


def _kept(k: Kept) -> dict[str, Any]:
    return {
        "metric": k.must.key,
        "at_most": k.must.at_most,
        "at_least": k.must.at_least,
        "measured": k.measured.value if k.measured else None,
        "holds": k.holds,
    }


def _compliance(c: Candidate) -> dict[str, Any] | None:
    found = c.compliance
    if found is None:
        return None
    return {
        "report": found.path.name,
        "at": found.at,
        "counts": dict(found.counts),
        "failed": [{"framework": f, "id": i, "title": dict(t)} for f, i, t in found.failed],
    }


def _run(r: RunOf) -> dict[str, Any]:
    return {
        "id": r.id,
        "suite": r.suite,
        "model": r.model,
        "model_version": r.version,
        "items": r.done,
        "data": asdict(r.data),
        "tokens": {"read": r.use.read, "written": r.use.written},
        "ms": r.use.ms,
        "at_once": r.use.at_once,
    }


def _both(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}
