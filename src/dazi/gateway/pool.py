"""``/v1/dazi/pool``: how the model servers are, for administrators."""

from __future__ import annotations

from msgspec import Struct

from dazi.core.errors import AccessError
from dazi.gateway.exchange import Exchange
from dazi.gateway.reply import encode
from dazi.inference.pool.engine import PoolEngine
from dazi.inference.pool.status import status

MAY_SEE = frozenset({"admin", "sysadmin"})


class BackendView(Struct, frozen=True):
    """``state``: ``up``, ``unknown``, ``busy``, ``resting``, ``down`` or ``draining``; ``moved``:
    requests that went on elsewhere before their first token; ``cut``: answers that ended in the
    middle. Times in seconds and milliseconds as named; ``cached``: a share from 0 to 1."""

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
    """``waiting``: requests without a place. Without a pool ``data`` is empty."""

    data: list[BackendView]
    waiting: int = 0
    object: str = "list"


async def pool(x: Exchange) -> None:
    if not x.principal.has_role(*MAY_SEE):
        raise AccessError(
            "forbidden", "只有管理员能看模型服务的状态", "only administrators see the model servers"
        )
    engine = x.state.engine
    if not isinstance(engine, PoolEngine):
        await x.reply(encode(PoolView([])))
        return
    found = status(engine)
    views = [
        BackendView(
            b.name, b.model, b.state, b.place, b.tier, b.under_way, b.at_once, b.served, b.failed,
            b.moved, b.cut, b.rests_s, b.first_ms, b.cached,
            b.trouble(x.spoken) if b.trouble is not None else "",
        )
        for b in found.backends
    ]  # fmt: skip
    await x.reply(encode(PoolView(views, found.waiting)))
