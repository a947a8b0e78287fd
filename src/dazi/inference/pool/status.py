"""How a pool is, for whoever runs it."""

from __future__ import annotations

from dataclasses import dataclass

from dazi.core.language import Text
from dazi.inference.pool.backend import Backend, State
from dazi.inference.pool.engine import PoolEngine


@dataclass(frozen=True, slots=True)
class BackendStatus:
    """``rests_s``: until it is tried again; ``first_ms``: to the first token, about, of its last
    requests; ``cached``: of its prompt tokens, the share that was in its cache."""

    name: str
    model: str
    state: State
    place: str
    tier: int
    under_way: int
    at_once: int
    served: int
    failed: int
    moved: int
    cut: int
    rests_s: float
    first_ms: float
    cached: float
    trouble: Text | None


@dataclass(frozen=True, slots=True)
class PoolStatus:
    waiting: int
    backends: tuple[BackendStatus, ...]


def status(pool: PoolEngine) -> PoolStatus:
    return PoolStatus(pool.places.waiting, tuple(_status(b) for b in pool.backends))


def _status(b: Backend) -> BackendStatus:
    c = b.counts
    return BackendStatus(
        b.name,
        b.engine.profile.name,
        b.state,
        b.place,
        b.tier,
        b.under_way,
        b.spec.at_once,
        c.served,
        c.failed,
        c.moved,
        c.cut,
        round(b.breaker.rests_s, 1),
        round(b.latency_ms, 1),
        round(c.cached_tokens / c.prompt_tokens, 3) if c.prompt_tokens else 0.0,
        b.trouble.text if b.trouble is not None else None,
    )
