from __future__ import annotations

import pytest

from dazi.lab.tuning.gate import judged, newcombe, paired, wilson


def test_wilson_and_newcombe_by_published_figures() -> None:
    """Newcombe 1998 (Statistics in Medicine 17, 2635 ff.), table II: method 10 of each example; Wilson's
    interval of 81 of 263 is in his paper on single proportions."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert newcombe(36, 12, 2, 0) == pytest.approx((0.0569, 0.3404), abs=5e-4)
    assert newcombe(54, 0, 0, 0) == pytest.approx((-0.0664, 0.0664), abs=5e-4)
    assert newcombe(0, 54, 0, 0) == pytest.approx((0.9061, 1.0), abs=5e-4)


def test_pairs_are_of_the_same_cases() -> None:
    before = {"a": True, "b": False, "c": False, "only before": True}
    after = {"a": True, "b": True, "c": True, "only after": False}
    found = paired("x", before, after)
    assert (found.n, found.gained, found.lost) == (3, 2, 0)
    assert (found.before, found.after) == (pytest.approx(1 / 3), 1.0)
    assert found.low < found.difference <= found.high and found.p == 0.5


def test_the_gate_wants_the_gain_and_refuses_a_loss() -> None:
    ids = [f"{i}" for i in range(100)]
    none, every = dict.fromkeys(ids, False), dict.fromkeys(ids, True)
    fewer = {i: int(i) >= 3 for i in ids}
    better, same = paired("new", none, every), paired("old", every, fewer)
    assert judged([better], [same], gain=0.4, loss=0.05).passed
    refused = judged([paired("new", none, none)], [same], gain=0.4, loss=0.02)
    assert not refused.passed and len(refused.why) == 2
