"""Counters, histograms and gauges, and what Prometheus reads of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as classic

from dazi.observe.exposition import exposed
from dazi.observe.instruments import MOST_SERIES, OTHER, SECONDS, Registry, quantile

OPEN_METRICS = "application/openmetrics-text; version=1.0.0"


def registry() -> Registry:
    made = Registry()
    asked = made.counter("asked", "Questions", "who")
    asked.add(("a",))
    asked.add(("a",), 2)
    asked.add(('b"\n\\',))
    took = made.histogram("took_seconds", "Time", "where")
    for value in (0.0005, 0.0011, 0.2, 500.0):
        took.observe(value, ("x",))
    made.gauge("now", "Now", lambda: [((), 7.0)])
    made.gauge("elsewhere", "Counted elsewhere", lambda: [(("b",), 9.0)], "at", kind="counter")
    return made


@pytest.mark.parametrize("accept", ["", "text/plain", OPEN_METRICS])
def test_what_is_exposed_is_read_back(accept: str) -> None:
    found = exposed(registry(), accept)
    parse = open_metrics if "openmetrics" in found.content_type else classic
    families = {f.name: f for f in parse(found.body.decode())}
    samples = {
        (s.name, *sorted(s.labels.items())): s.value for f in families.values() for s in f.samples
    }
    assert samples["asked_total", ("who", "a")] == 3.0
    assert samples["asked_total", ("who", 'b"\n\\')] == 1.0
    assert samples["took_seconds_bucket", ("le", "0.001"), ("where", "x")] == 1.0
    assert samples["took_seconds_bucket", ("le", "0.25"), ("where", "x")] == 3.0
    assert samples["took_seconds_bucket", ("le", "+Inf"), ("where", "x")] == 4.0
    assert samples["took_seconds_sum", ("where", "x")] == pytest.approx(500.2016)
    assert samples["now",] == 7.0 and samples["elsewhere_total", ("at", "b")] == 9.0
    assert families["asked"].type == "counter" and families["took_seconds"].type == "histogram"


def test_nobody_fills_the_memory_by_inventing_labels() -> None:
    made = Registry()
    counter, timed = made.counter("c", "c", "name"), made.histogram("h", "h", "name")
    for i in range(MOST_SERIES * 3):
        counter.add((str(i),))
        timed.observe(0.1, (str(i),))
    assert len(counter.values) == len(timed.values) == MOST_SERIES + 1
    assert counter.values[OTHER,] == MOST_SERIES * 2
    assert sum(timed.values[OTHER,].counts) == MOST_SERIES * 2
    counter.add(("0",))  # those that came first stay themselves
    assert counter.values["0",] == 2 and counter.total(name="0") == 2
    assert counter.total() == MOST_SERIES * 3 + 1


def test_two_instruments_of_one_name_are_a_mistake() -> None:
    made = Registry()
    made.counter("one", "one")
    with pytest.raises(ValueError, match="one"):
        made.gauge("one", "again", list)


@given(
    st.lists(st.floats(0.0001, 119.0), min_size=20, max_size=300),
    st.sampled_from([0.5, 0.95, 0.99]),
)
def test_a_quantile_lies_in_the_bucket_of_the_true_one(values: list[float], share: float) -> None:
    timed = Registry().histogram("h", "h")
    for value in values:
        timed.observe(value)
    found = quantile(timed.bounds, timed.values[()].counts, share)
    true = sorted(values)[max(0, -int(-share * len(values) // 1) - 1)]
    upper = next(b for b in SECONDS if b >= true)
    lower = max((b for b in SECONDS if b < upper), default=0.0)
    assert found is not None and lower <= found <= upper + 1e-12


def test_quantiles_of_nothing_and_of_what_is_beyond() -> None:
    assert quantile((1.0, 2.0), [0, 0, 0], 0.5) is None
    assert quantile((1.0, 2.0), [0, 0, 5], 0.5) == 2.0
