"""What is watched of a running Dazi besides what the work itself tells."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

from prometheus_client.parser import text_string_to_metric_families

from dazi.core.errors import ConfigError
from dazi.gateway.channels.service import ChannelService
from dazi.gateway.gate import Gate
from dazi.inference.pool.backend import Backend
from dazi.inference.pool.engine import PoolEngine
from dazi.main.model_health import model_well
from dazi.main.runtime import Runtime
from dazi.net.egress import fetch
from dazi.net.rules import EgressForbidden, Rule
from dazi.observe.hardware import Gpus, watch_certificate, watch_disk
from dazi.observe.history import History
from dazi.observe.instruments import Labels, Registry
from dazi.observe.otlp import Collector, Exporter
from dazi.observe.sampling import Sampler
from dazi.observe.tracing import Tracer

Read = Iterator[tuple[Labels, float]]
WITHIN_S = 3.0
LONGEST = 4_000_000
SERVERS = {
    "vllm:num_requests_running": "running",
    "vllm:num_requests_waiting": "waiting",
    "vllm:kv_cache_usage_perc": "kv_cache",
    "vllm:gpu_cache_usage_perc": "kv_cache",
    "sglang:num_running_reqs": "running",
    "sglang:num_queue_reqs": "waiting",
    "sglang:token_usage": "kv_cache",
    "tgi_batch_current_size": "running",
    "tgi_queue_size": "waiting",
}
"""Gauges that model servers tell of themselves, and what we call them."""


@dataclass(slots=True)
class Watching:
    sampler: Sampler
    history: History
    scrapes: Scrapes
    exporter: Exporter | None = None


def watch(runtime: Runtime, gate: Gate) -> Watching:
    """Gauges of everything that has a number of its own, and the history that they are kept in."""
    registry = runtime.observer.registry
    data = runtime.settings.data_folder(runtime.company.folder)
    history = History(data / "history")
    scrapes = Scrapes(runtime)
    sampler = Sampler(registry, history)
    sampler.looks += [scrapes.look, lambda: _ready(runtime, parts)]
    parts: dict[str, bool] = {}

    gauge = registry.gauge
    gauge("dazi_turns_running", "Turns under way", lambda: [((), float(gate.taken))])
    gauge("dazi_turns_waiting", "Turns that wait for a place", lambda: [((), float(gate.waiting))])
    gauge("dazi_places", "Turns at once, at most", lambda: [((), float(gate.places))])
    gauge(
        "dazi_ready",
        "Whether a part can serve",
        lambda: [((name,), float(well)) for name, well in parts.items()],
        "part",
    )
    gauge(
        "dazi_history_left_out",
        "Series that the history had no room for",
        lambda: [((), float(history.left_out))],
    )
    watch_disk(registry, data)
    if runtime.settings.tls_cert is not None:
        watch_certificate(registry, runtime.settings.tls_cert)
    Gpus().watch(registry)
    _watch_pool(registry, runtime)
    if runtime.channels is not None:
        sampler.looks.append(_watch_channels(registry, runtime.channels))
    scrapes.watch(registry)
    return Watching(sampler, history, scrapes, trace(runtime))


def _watch_channels(registry: Registry, channels: ChannelService) -> Callable[[], Awaitable[None]]:
    """What waits in messaging channels; what is given back looks for it."""
    found: dict[str, tuple[int, float]] = {}

    async def look() -> None:
        now = await channels.inbox.open()
        found.update({name: now.get(name, (0, 0.0)) for name in channels.names})

    registry.gauge(
        "dazi_channel_waiting",
        "Messages of channels that are not answered whole",
        lambda: [((name,), float(n)) for name, (n, _) in found.items()],
        "channel",
    )
    registry.gauge(
        "dazi_channel_oldest_seconds",
        "How long the oldest of them has waited",
        lambda: [((name,), age) for name, (_, age) in found.items()],
        "channel",
    )
    return look


def trace(runtime: Runtime) -> Exporter | None:
    """Begin to make spans, where there is a collector for them. Raises ``ConfigError``."""
    settings = runtime.settings
    if not settings.otlp_url:
        return None
    resource = {
        "service.name": "dazi",
        "service.version": version("dazi"),
        "service.instance.id": f"{socket.gethostname()}:{os.getpid()}",
    }
    collector = Collector(checked_url(settings.otlp_url), _headers(settings.otlp_headers), resource)
    exporter = Exporter(collector, runtime.observer.meters.traces)
    runtime.observer.tracer = Tracer(exporter.give, settings.trace_share)
    return exporter


def checked_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(
            "DAZI_OTLP_URL",
            None,
            f"{url} 不是收集器的地址,例如 http://collector:4318",
            f"{url} is no collector's address, such as http://collector:4318",
        )
    return url


def _headers(text: str) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in text.split(",") if pair.strip())
    return {name.strip(): value.strip() for name, _, value in pairs}


async def parts_of(runtime: Runtime) -> dict[str, bool]:
    """What it takes to serve, and whether each can."""
    try:
        await runtime.database.ping()
        database = True
    except Exception:
        database = False
    return {
        "model": runtime.model_reached,
        "database": database,
        "audit": runtime.ledger.healthy,
    }


async def _ready(runtime: Runtime, parts: dict[str, bool]) -> None:
    """Without a model server that answers we are ready all the same: balancers would find no process
    at all, and nobody could even be told."""
    found = await parts_of(runtime)
    parts |= {**found, "model": found["model"] and model_well(runtime)}


def _watch_pool(registry: Registry, runtime: Runtime) -> None:
    def backends() -> Iterator[Backend]:
        if isinstance(runtime.engine, PoolEngine):
            yield from runtime.engine.backends

    def of(read: Any) -> Any:
        return lambda: [((b.name,), float(read(b))) for b in backends()]

    gauge = registry.gauge
    gauge("dazi_pool_up", "Whether a server can be used", of(lambda b: b.usable), "backend")
    gauge("dazi_pool_running", "Requests under way", of(lambda b: b.under_way), "backend")
    gauge("dazi_pool_at_once", "Requests at once, at most", of(lambda b: b.spec.at_once), "backend")
    for name, help in (
        ("served", "Requests answered"),
        ("failed", "Requests failed"),
        ("moved", "Requests that went on elsewhere before their first token"),
        ("cut", "Answers that ended in the middle"),
        ("prompt_tokens", "Tokens of prompts"),
        ("cached_tokens", "Tokens of prompts found in the server's cache"),
    ):
        read = of(lambda b, name=name: getattr(b.counts, name))
        gauge(f"dazi_pool_{name}", help, read, "backend", kind="counter")

    def waiting() -> Read:
        if isinstance(runtime.engine, PoolEngine):
            yield (), float(runtime.engine.places.waiting)

    gauge("dazi_pool_waiting", "Requests without a place at any server", waiting)


@dataclass(slots=True)
class Scrapes:
    """What model servers tell of themselves at ``/metrics``."""

    runtime: Runtime
    found: dict[tuple[str, str], float] = field(default_factory=dict)

    def watch(self, registry: Registry) -> None:
        registry.gauge(
            "dazi_server",
            "What a model server tells of itself: running, waiting, share of its cache in use",
            lambda: list(self.found.items()),
            "backend",
            "figure",
        )

    async def look(self) -> None:
        engine = self.runtime.engine
        if not isinstance(engine, PoolEngine):
            return
        asked = [b for b in engine.backends if b.spec.url and b.place == "private"]
        told = await asyncio.gather(*(_scraped(b.spec.url) for b in asked))
        self.found = {
            (b.name, figure): value
            for b, figures in zip(asked, told, strict=True)
            for figure, value in figures.items()
        }


async def _scraped(url: str) -> dict[str, float]:
    """Nothing where a server tells nothing."""
    base = url.rstrip("/").removesuffix("/v1")
    try:
        answer = await fetch(f"{base}/metrics", Rule.to(base), limit=LONGEST, seconds=WITHIN_S)
        text = answer.body.decode() if answer.status == 200 else ""
        return figures(text)
    except (OSError, EgressForbidden, ValueError):
        return {}


def figures(text: str) -> dict[str, float]:
    """Those we know, over all models of a server. Raises ``ValueError``."""
    out: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        name = SERVERS.get(family.name)
        if name is not None:
            values = [s.value for s in family.samples]
            out[name] = max(values) if name == "kv_cache" else sum(values)
    return out
