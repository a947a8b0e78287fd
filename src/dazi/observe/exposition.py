"""Instruments as Prometheus and OpenMetrics texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder

from dazi.observe.instruments import Counter, Distribution, Gauge, Histogram, Instrument, Registry


@dataclass(frozen=True, slots=True)
class Exposed:
    content_type: str
    body: bytes


def exposed(registry: Registry, accept: str) -> Exposed:
    """All instruments in the form that ``accept`` asks for."""
    encode, content_type = choose_encoder(accept)
    return Exposed(content_type, encode(_Collected(registry)))


class _Collected:
    """What the encoders know as a registry."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        return map(_family, self._registry)


def _family(instrument: Instrument) -> Metric:
    name, help, labels = instrument.name, instrument.help, instrument.labels
    if isinstance(instrument, Histogram):
        family = HistogramMetricFamily(name, help, labels=labels)
        for values, found in tuple(instrument.values.items()):
            family.add_metric(values, *_buckets(instrument, found))
        return family
    made: CounterMetricFamily | GaugeMetricFamily
    if isinstance(instrument, Counter) or instrument.kind == "counter":
        made = CounterMetricFamily(name, help, labels=labels)
    else:
        made = GaugeMetricFamily(name, help, labels=labels)
    for values, value in read(instrument).items():
        made.add_metric(values, value)
    return made


def _buckets(instrument: Histogram, found: Distribution) -> tuple[list[tuple[str, float]], float]:
    bounds = [*(f"{b:g}" for b in instrument.bounds), "+Inf"]
    counts = map(float, accumulate(found.counts))
    return list(zip(bounds, counts, strict=True)), found.total


def read(instrument: Counter | Gauge) -> Mapping[tuple[str, ...], float]:
    """The series and their values now."""
    return dict(instrument.values if isinstance(instrument, Counter) else instrument.read())
