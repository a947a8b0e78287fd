"""Counters of many processes, in Redis or Valkey: checked and taken by one script there, with the
server's clock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dazi.access.limits.counters import (
    SLOT_S,
    SLOTS,
    WINDOW_S,
    Refusal,
    Taken,
    Want,
    wait_for,
)
from dazi.core.errors import OperatorError

LEASE_S = 600
"""A process that ends without giving back holds its places for so long."""
TOTAL_S = 40 * 24 * 3600
ANSWER_S = 2.0
CONNECTIONS = 32
PREFIX = "dazi:limit:"

# KEYS: one a want. ARGV: id, slot seconds, slots, window seconds, lease seconds, total seconds, then
# kind, limit, amount of each. Answers {0, slot} or {place of the want, slot, now, slots and counts}.
_TAKE = """
local t = redis.call('TIME')
local now = tonumber(t[1]) + tonumber(t[2]) / 1000000
local slot = math.floor(now / tonumber(ARGV[2]))
for i = 1, #KEYS do
  local kind, limit, amount = ARGV[4 + 3 * i], tonumber(ARGV[5 + 3 * i]), tonumber(ARGV[6 + 3 * i])
  local used, flat = 0, {}
  if kind == 'window' then
    flat = redis.call('HGETALL', KEYS[i])
    local kept = {}
    for j = 1, #flat, 2 do
      if tonumber(flat[j]) <= slot - tonumber(ARGV[3]) then redis.call('HDEL', KEYS[i], flat[j])
      else used = used + tonumber(flat[j + 1]); kept[#kept + 1] = flat[j]; kept[#kept + 1] = flat[j + 1] end
    end
    flat = kept
  elseif kind == 'lease' then
    redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', now)
    used = redis.call('ZCARD', KEYS[i])
  else
    used = tonumber(redis.call('GET', KEYS[i]) or '0')
  end
  if used + amount > limit then return {i, slot, tostring(now), flat} end
end
for i = 1, #KEYS do
  local kind, amount = ARGV[4 + 3 * i], tonumber(ARGV[6 + 3 * i])
  if kind == 'window' then
    redis.call('HINCRBY', KEYS[i], slot, amount)
    redis.call('EXPIRE', KEYS[i], tonumber(ARGV[4]) + 2 * tonumber(ARGV[2]))
  elseif kind == 'lease' then
    redis.call('ZADD', KEYS[i], now + tonumber(ARGV[5]), ARGV[1])
    redis.call('EXPIRE', KEYS[i], tonumber(ARGV[5]))
  else
    redis.call('INCRBY', KEYS[i], amount)
    redis.call('EXPIRE', KEYS[i], tonumber(ARGV[6]))
  end
end
return {0, slot}
"""

# ARGV: id, slot, then kind and difference of each.
_SETTLE = """
for i = 1, #KEYS do
  local kind, by = ARGV[1 + 2 * i], tonumber(ARGV[2 + 2 * i])
  if kind == 'lease' then redis.call('ZREM', KEYS[i], ARGV[1])
  elseif kind == 'window' then
    if by ~= 0 and redis.call('EXISTS', KEYS[i]) == 1 then redis.call('HINCRBY', KEYS[i], ARGV[2], by) end
  elseif by ~= 0 then redis.call('INCRBY', KEYS[i], by) end
end
return 1
"""

# KEYS: one a want. ARGV: slot seconds, slots, then the kind of each. Answers how much is taken.
_LOOK = """
local t = redis.call('TIME')
local now = tonumber(t[1]) + tonumber(t[2]) / 1000000
local slot = math.floor(now / tonumber(ARGV[1]))
local out = {}
for i = 1, #KEYS do
  local kind, used = ARGV[2 + i], 0
  if kind == 'window' then
    local flat = redis.call('HGETALL', KEYS[i])
    for j = 1, #flat, 2 do
      if tonumber(flat[j]) > slot - tonumber(ARGV[2]) then used = used + tonumber(flat[j + 1]) end
    end
  elseif kind == 'lease' then
    used = redis.call('ZCOUNT', KEYS[i], now, '+inf')
  else
    used = tonumber(redis.call('GET', KEYS[i]) or '0')
  end
  out[i] = used
end
return out
"""


class SharedCounters:
    """``url``: as in ``redis://host:6379/0``. Limits that cannot be looked at refuse."""

    def __init__(self, url: str) -> None:
        # An extra: only where there are many processes.
        from redis.asyncio import BlockingConnectionPool, Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff
        from redis.exceptions import ConnectionError

        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=CONNECTIONS,
            timeout=ANSWER_S,
            socket_timeout=ANSWER_S,
            socket_connect_timeout=ANSWER_S,
            # Redis may have been restarted since a connection was last used. What was counted
            # twice where only the answer was lost errs on the strict side.
            retry=Retry(NoBackoff(), 1, (ConnectionError,)),
        )
        self._redis = Redis.from_pool(pool)
        self._take = self._redis.register_script(_TAKE)
        self._settle = self._redis.register_script(_SETTLE)
        self._look = self._redis.register_script(_LOOK)

    async def take(self, id: str, wants: Sequence[Want]) -> Taken | Refusal:
        times = (SLOT_S, SLOTS, WINDOW_S, LEASE_S, TOTAL_S)
        each = [a for w in wants for a in (w.kind, w.limit, w.amount)]
        found = await self._ask(self._take, [_key(w) for w in wants], [id, *times, *each])
        place, slot = int(found[0]), int(found[1])
        if place == 0:
            return Taken(tuple(wants), slot, id)
        want = wants[place - 1]
        if want.kind != "window":
            return Refusal(want, 1.0)
        flat = [int(n) for n in found[3]]
        slots = dict(zip(flat[::2], flat[1::2], strict=True))
        return Refusal(want, wait_for(slots, want, float(found[2])) or 1.0)

    async def settle(self, taken: Taken, amounts: Sequence[int]) -> None:
        changes = [
            a
            for want, used in zip(taken.wants, amounts, strict=True)
            for a in (want.kind, used - want.amount)
        ]
        await self._ask(
            self._settle, [_key(w) for w in taken.wants], [taken.id, taken.slot, *changes]
        )

    async def look(self, wants: Sequence[Want]) -> list[int]:
        if not wants:
            return []
        kinds = [want.kind for want in wants]
        found = await self._ask(self._look, [_key(w) for w in wants], [SLOT_S, SLOTS, *kinds])
        return [int(n) for n in found]

    async def close(self) -> None:
        await self._redis.aclose()

    async def _ask(self, script: Any, keys: list[str], args: list[Any]) -> Any:
        from redis.exceptions import RedisError

        try:
            return await script(keys=keys, args=args)
        except (TimeoutError, RedisError, OSError) as e:
            raise OperatorError(
                "limits",
                f"限额服务(Redis)连不上:{e}。请检查 DAZI_REDIS",
                f"the limits cannot be looked at, Redis does not answer: {e}. Check DAZI_REDIS",
            ) from e


def _key(want: Want) -> str:
    return f"{PREFIX}{want.key}"
