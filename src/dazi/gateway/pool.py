"""``/v1/dazi/pool``: how the model servers are, for administrators."""

from __future__ import annotations

from msgspec import Struct

from dazi.core.engine import Engine
from dazi.core.errors import AccessError
from dazi.core.language import Language
from dazi.gateway.exchange import Exchange
from dazi.gateway.reply import encode
from dazi.inference.pool.backend import Backend
from dazi.inference.pool.engine import PoolEngine
from dazi.inference.remote import RemoteEngine

MAY_SEE = frozenset({"admin", "sysadmin"})


class BackendView(Struct, frozen=True):
    """``state``: ``up``, ``unknown``, ``busy``, ``resting``, ``down`` or ``draining``; ``moved``:
    requests that went on elsewhere before their first token; ``cut``: answers that ended in the
    middle; ``rests_s``: until it is tried again; ``first_ms``: about, to the first token of its last
    requests; ``cached``: of its prompt tokens, the share that was in its cache, 0 to 1."""

    name: str
    model: str
    state: str
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
    trouble: str


class PoolView(Struct, frozen=True):
    """``waiting``: requests without a place; ``mistake``: why the file as it is now is not used. Without
    a pool ``data`` is empty; ``state`` (``up``, ``unknown``, ``down``) and ``trouble`` are of the only
    server then, and empty for a model in the process."""

    data: list[BackendView]
    waiting: int = 0
    mistake: str = ""
    state: str = ""
    trouble: str = ""
    object: str = "list"


async def pool(x: Exchange) -> None:
    if not x.principal.has_role(*MAY_SEE):
        raise AccessError(
            "forbidden", "只有管理员能看模型服务的状态", "only administrators see the model servers"
        )
    await x.reply(encode(pool_view(x.state.engine, x.spoken)))


def pool_view(engine: Engine, language: Language) -> PoolView:
    if isinstance(engine, RemoteEngine):
        health = engine.health
        state = "unknown" if health.well is None else "up" if health.well else "down"
        trouble = health.trouble.message(language) if health.trouble is not None else ""
        return PoolView([], state=state, trouble=trouble)
    if not isinstance(engine, PoolEngine):
        return PoolView([])
    views = [_view(b, language) for b in engine.backends]
    mistake = engine.mistake.message(language) if engine.mistake is not None else ""
    return PoolView(views, engine.places.waiting, mistake)


def _view(b: Backend, language: Language) -> BackendView:
    c = b.counts
    return BackendView(
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
        b.trouble.message(language) if b.trouble is not None else "",
    )
