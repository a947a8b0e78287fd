"""The course of instruments: sums over any span, a file that outlives the process, a fixed size."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from dazi.observe.history import History, Ring, key
from dazi.observe.instruments import Registry, quantile
from dazi.observe.queries import Queries

RINGS = (Ring(10, 60), Ring(60, 60))
T = 1_700_000_000.0


def made(folder: Path | None = None, series: int = 64) -> History:
    return History(folder, RINGS, series)


def test_a_count_is_what_happened_within_each_slot() -> None:
    registry, history = Registry(), made()
    counter = registry.counter("c", "c", "how", kept=True)
    for step in range(12):  # two takings a slot of 10 s, one more each time
        counter.add(("well",), step + 1)
        history.take(registry, T + 5 * step)
    name = key("c", ("how",), ("well",))
    course = history.course([name], T, T + 55)
    assert course.values.tolist() == [3, 7, 11, 15, 19, 23]
    assert course.at[1] - course.at[0] == 10
    assert history.total([name], T + 40, T + 55) == 19 + 23
    assert history.names("c", how="well") == [name] and history.names("c", how="ill") == []
    # Of a span that the fine ring does not hold, the coarse one tells.
    assert history.total([name], T - 3_000, T + 55) == 78


def test_a_count_that_begins_anew_is_not_negative() -> None:
    history = made()
    for values in ((5, 7), (2, 3)):  # two processes, one after the other
        registry = Registry()
        counter = registry.counter("c", "c", kept=True)
        for value in values:
            counter.values[()] = value
            history.take(registry, T)
    assert history.total(["c"], T, T) == 7 + 3


def test_a_gauge_keeps_its_last_value_and_forgets_it() -> None:
    registry, history, value = Registry(), made(), 1.0
    registry.gauge("g", "g", lambda: [((), value)])
    for step in range(4):
        value = float(step)
        history.take(registry, T + 5 * step)
    assert history.latest("g", T + 15) == 3.0
    assert history.course(["g"], T, T + 15, "last").values.tolist() == [1.0, 3.0]
    assert history.latest("g", T + 200) is None
    assert math.isnan(history.course(["g"], T + 100, T + 120, "last").values[-1])


def test_what_is_a_round_old_is_gone() -> None:
    registry, history = Registry(), made()
    counter = registry.counter("c", "c", kept=True)
    counter.add()
    history.take(registry, T)
    later = T + 10 * 60 * 3
    counter.add()
    history.take(registry, later)
    course = history.course(["c"], later - 300, later)
    assert np.nansum(course.values) == 1
    assert len(course.values) == 31


def test_quantiles_of_a_span() -> None:
    registry, history = Registry(), made(series=200)
    timed = registry.histogram("h", "h", "where", kept=True)
    for i in range(100):
        timed.observe(0.02 if i < 99 else 8.0, ("x",))
    history.take(registry, T)
    counts = history.buckets("h", timed.bounds, T - 50, T, where="x")
    assert sum(counts) == 100
    p50, p999 = (quantile(timed.bounds, counts, q) for q in (0.5, 0.999))
    assert p50 is not None and 0.01 <= p50 <= 0.025
    assert p999 is not None and 7.5 <= p999 <= 10
    assert sum(history.buckets("h", timed.bounds, T - 50, T, where="y")) == 0


def test_it_outlives_the_process(tmp_path: Path) -> None:
    first = made(tmp_path)
    registry = Registry()
    counter = registry.counter("c", "c", kept=True)
    counter.add(amount=4)
    first.take(registry, T)
    first.close()
    again = made(tmp_path)
    assert again.total(["c"], T, T) == 4
    fresh = Registry()
    fresh.counter("c", "c", kept=True).add(amount=2)
    again.take(fresh, T + 10)
    assert again.total(["c"], T, T + 10) == 6


def test_a_second_process_keeps_its_own(tmp_path: Path) -> None:
    first, second = made(tmp_path), made(tmp_path)
    registry = Registry()
    registry.counter("c", "c", kept=True).add()
    second.take(registry, T)
    assert second.total(["c"], T, T) == 1 and first.total(["c"], T, T) == 0
    second.close()
    first.close()
    assert made(tmp_path).total(["c"], T, T) == 0


@pytest.mark.parametrize("ruin", ["short", "other form", "no names", "nonsense"])
def test_a_ruined_file_is_a_new_beginning(tmp_path: Path, ruin: str) -> None:
    registry = Registry()
    registry.counter("c", "c", kept=True).add()
    first = made(tmp_path)
    first.take(registry, T)
    first.close()
    if ruin == "short":
        (tmp_path / "values").write_bytes(b"x")
    elif ruin == "other form":
        made(None)
        other = History(tmp_path, (Ring(5, 10),), 8)
        other.close()
    elif ruin == "no names":
        (tmp_path / "series.json").unlink()
    else:
        (tmp_path / "series.json").write_text("[1, 2")
    again = made(tmp_path)
    again.take(registry, T)
    assert again.total(["c"], T, T) == 1


def test_there_is_room_for_so_many_series() -> None:
    registry, history = Registry(), made(series=8)
    counter = registry.counter("c", "c", "n", kept=True)
    for i in range(20):
        counter.add((str(i),))
    registry.counter("quiet", "not kept").add()
    history.take(registry, T)
    assert len(history.names("c")) == 8 and history.left_out == 12
    assert history.names("quiet") == []


def test_a_clock_that_is_set_back_goes_on_where_it_was() -> None:
    registry, history = Registry(), made()
    counter = registry.counter("c", "c", kept=True)
    for at in (T, T - 3_600, T + 1):
        counter.add()
        history.take(registry, at)
    assert history.total(["c"], T - 100, T + 10) == 3


def test_a_chart_has_so_many_points_and_loses_nothing() -> None:
    registry, history = Registry(), made(series=256)
    counter = registry.counter("c", "c", "model", "how", kept=True)
    timed = registry.histogram("h_seconds", "h", "model", kept=True)
    level = 0.0
    registry.gauge("g", "g", lambda: [(("x",), level)], "at")
    for step in range(60):  # ten minutes
        counter.add(('m"1', "well"), 2)
        counter.add(("m2", "ill"))
        timed.observe(0.3 if step < 30 else 3.0, ("m2",))
        level = float(step % 10)
        history.take(registry, T + 10 * step)
    queries = Queries(history, 600, T + 595, points=20)
    rates = queries.rates("c", "model")
    assert len(rates.at) == len(rates.lines["m2"]) <= 21
    assert list(rates.lines) == ['m"1', "m2"]
    assert rates.lines['m"1'][5] == pytest.approx(12) and rates.lines["m2"][5] == pytest.approx(6)
    width = rates.at[1] - rates.at[0]
    total = sum(v for v in rates.lines["m2"] if v is not None) * width / 60
    assert total == pytest.approx(60, abs=2)
    assert queries.total("c", how="ill") == 60 and queries.total("c", how="other") == 0
    assert list(queries.totals("c", "model").items()) == [('m"1', 120.0), ("m2", 60.0)]
    quantiles = queries.quantiles(timed, (0.5, 0.95), model="m2").lines
    assert 0.25 <= (quantiles["p50"][3] or 0) <= 0.35 and 2.5 <= (quantiles["p95"][-2] or 0) <= 3.5
    assert queries.quantile(timed, 0.99, model="m2") == pytest.approx(3.5, abs=1)
    assert queries.quantile(timed, 0.99, model="nobody") is None
    assert max(v or 0 for v in queries.levels("g", "at").lines["x"]) == 9.0
    assert queries.values("model", "c") == ['m"1', "m2"]
    assert queries.rates("nothing").lines == {}
    long = Queries(history, 3_000, T + 595)  # of which most was before anything was kept
    assert None in long.rates("c").lines[""]
