"""``/metrics``: what is counted and timed, for Prometheus."""

from __future__ import annotations

from dazi.gateway.exchange import Exchange
from dazi.gateway.operator_entry import admit_monitor
from dazi.gateway.route_spec import RouteSpec
from dazi.observe.exposition import exposed


async def metrics(x: Exchange) -> None:
    admit_monitor(x)
    found = exposed(x.state.observer.registry, x.header(b"accept"))
    await x.plain(found.body, found.content_type)


ROUTES = (
    RouteSpec(
        "GET", "/metrics", metrics, "指标(Prometheus) / metrics for Prometheus",
        statuses=(401,), entry="public", files=("text/plain",),
    ),
)  # fmt: skip
