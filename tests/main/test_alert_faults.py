"""Parts of a running company are taken away: somebody is told in time, and that it is over."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.resilience import faults_alerts
from bench.resilience.faults_alerts import opened

WITHIN_S = {
    "tool-failing": 180.0,
    "model-down": 75.0,
    "database-down": 75.0,
    "disk-low": 120.0,
}
"""What a rule waits, thirty seconds of grouping, and a few looks; of a share within a window also what
it takes to fill it."""


async def test_each_is_told_and_over_once_it_is_mended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(faults_alerts, "AFTER_S", 15.0)
    monkeypatch.setattr(faults_alerts, "CALLS_A_STEP", 1)
    found = await faults_alerts.run()
    print(faults_alerts.table(found))
    assert {"tool-failing", "model-down", "database-down"} <= {m.rule for m in found}
    for m in found:
        assert m.told_s is not None and m.told_s <= WITHIN_S[m.rule], m
        assert m.over_s is not None, m


async def test_an_only_model_server_that_dies_is_told_without_anybody_asking(
    tmp_path: Path,
) -> None:
    (fault,) = (f for f in faults_alerts.FAULTS if f.rule == "model-down")
    async with opened(tmp_path, pool=False) as place:
        place.asks = False
        await place.pass_(60)
        assert place.hook.got == []
        await fault.begin(place)
        assert await place.until("model-down", "firing") is not None
        await fault.end(place)
        assert await place.until("model-down", "resolved") is not None
        assert {g["groupLabels"]["alertname"] for g in place.hook.got} == {"model-down"}


async def test_one_that_is_no_longer_evaluated_is_noticed_from_outside(tmp_path: Path) -> None:
    """The guard is broken on purpose: nothing is told, the heartbeat stays away, and the age of the
    last evaluation, which a Prometheus outside reads, grows."""
    async with opened(tmp_path) as place:
        place.asks = False
        await place.pass_(130)
        alerts, watching = place.runtime.alerts, place.runtime.watching
        assert alerts is not None and watching is not None
        beats = place.hook.beats
        assert beats >= 2
        place.evaluates = False
        place.model.go()
        alerts.evaluator.clocks.now = lambda: place.now
        alerts.evaluator.evaluated = place.now
        await place.pass_(300)
        assert place.hook.got == [] and place.hook.beats == beats
        age = watching.history.latest("dazi_alerts_evaluated_seconds", place.now)
        assert age is not None and age > 120, "the limit of alerts-late"
