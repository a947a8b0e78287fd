from __future__ import annotations

import pytest

from dazi.lab.tuning.gate import judged, paired


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
    exactly = paired("old", every, {i: int(i) >= 2 for i in ids})
    assert judged([better], [exactly], gain=1.0, loss=0.02).passed, "0.98 - 1 is not quite -0.02"
    refused = judged([paired("new", none, none)], [same], gain=0.4, loss=0.02)
    assert not refused.passed and len(refused.why) == 2
