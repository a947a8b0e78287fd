"""The benchmark's made-up world is the same each time, and what it says is planted is there."""

from __future__ import annotations

from bench.risk import CASES, data_of
from bench.risk_world import BEGIN, NEW_PATTERN, world


def test_the_same_seed_gives_the_same_world() -> None:
    first, again, other = (world(20, 60, seed, 40) for seed in (1, 1, 2))
    assert first == again and first.transactions != other.transactions


def test_what_is_planted_is_there_and_mostly_reported() -> None:
    made = world(30, 110, 1, 70, (6, 6))
    by_id = {t.id: t for t in made.transactions}
    planted = {i: p for i, p in made.planted.items() if i in by_id}
    assert {p.pattern for p in planted.values()} == {
        "takeover", "mule", "structuring", "card testing", "refund abuse", NEW_PATTERN,
    }  # fmt: skip
    reported = [by_id[i].outcome == "fraud" for i in planted]
    assert 0.85 < sum(reported) / len(reported) < 1
    assert all((t.outcome is None) or t.id in planted for t in made.transactions)
    new = [by_id[i] for i, p in planted.items() if p.pattern == NEW_PATTERN]
    assert new and min((t.at - BEGIN).days for t in new) >= 70


def test_the_benchmark_sees_the_truth_and_the_reports_apart() -> None:
    d = data_of(20, 1)
    assert d.reported.sum() <= d.fraud.sum() and (d.fraud | ~d.new).all()
    assert len(d.rows) == len(d.days) == len(d.world.transactions) > CASES
