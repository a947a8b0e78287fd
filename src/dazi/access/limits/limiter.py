"""Who may use how much: taken before the work, settled by what it really was."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from dazi.access.limits.counters import Counters, ProcessCounters, Refusal, Taken, Want
from dazi.access.limits.rules import MICRO, LimitRule, Price, micros
from dazi.core.engine import Usage
from dazi.core.errors import OperatorError, OverloadError
from dazi.core.language import Text
from dazi.core.principal import Principal

Unit = str
_SAID: Mapping[Unit, Text] = {
    "requests": Text("每分钟最多 {n} 次请求", "at most {n} requests a minute"),
    "tokens": Text("每分钟最多 {n} 个词元", "at most {n} tokens a minute"),
    "concurrent": Text("同时最多 {n} 个请求", "at most {n} requests at once"),
    "month": Text("本月预算 {n} 元", "a budget of CNY {n} this month"),
}
_CODES = {
    "requests": "rate_requests",
    "tokens": "rate_tokens",
    "concurrent": "rate_concurrent",
    "month": "quota_month",
}
_WHO = {
    "key": Text("这个密钥", "this key"),
    "user": Text("这个用户", "this user"),
    "role": Text("这个角色", "this role"),
    "tenant": Text("这个租户", "this tenant"),
    "channel": Text("这个渠道", "this channel"),
    "all": Text("整个系统", "the whole system"),
}


@dataclass(slots=True)
class Admission:
    """A request that was let in. ``settle`` it exactly once, however it ended."""

    counters: Counters | None = None
    taken: Taken | None = None
    price: Price | None = None
    _open: bool = field(default=True, init=False)

    async def settle(self, usage: Usage, yuan: float | None = None) -> None:
        """``yuan``: what it cost, where others than the model that was asked for may have answered."""
        if self.taken is None or self.counters is None or not self._open:
            return
        self._open = False
        # What cannot be settled stays as it was reserved: more than was used, never less.
        with suppress(OperatorError):
            await self.counters.settle(
                self.taken, [self._used(want, usage, yuan) for want in self.taken.wants]
            )

    def _used(self, want: Want, usage: Usage, yuan: float | None) -> int:
        match want.key.rpartition(":")[2]:
            case "tokens":
                return usage.prompt + usage.completion
            case unit if unit.startswith("month"):
                if yuan is not None:
                    return micros(yuan)
                return self.price.cost(usage) if self.price else 0
            case _:
                return want.amount


@dataclass(frozen=True, slots=True)
class Standing:
    """How much of one number of ``rule`` is used now, of ``limit``. ``unit``: ``requests``,
    ``tokens`` (both within a minute), ``concurrent`` or ``month`` (millionths of a yuan)."""

    rule: LimitRule
    scope: str
    unit: Unit
    used: int
    limit: int


FREE = Admission()
"""Where nothing is limited."""


class Limiter:
    """``rules`` over ``counters``; every limit that applies must have room."""

    def __init__(
        self,
        rules: Sequence[LimitRule] = (),
        prices: Mapping[str, Price] | None = None,
        counters: Counters | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._rules = tuple(rules)
        self._prices = prices or {}
        self._counters = counters or ProcessCounters()
        self._now = now

    @property
    def limits_something(self) -> bool:
        return bool(self._rules)

    async def admit(
        self, principal: Principal, model: str, most: Usage, key: str = ""
    ) -> Admission:
        """``most``: what the request may use at the most; so much is taken until it is settled.

        Raises ``OverloadError`` that says which limit and when to come again, and
        ``OperatorError`` where the limits cannot be looked at.
        """
        if not self._rules:
            return FREE
        price = self._prices.get(model)
        month = f"month{self._now():%Y-%m}"
        cost = price.cost(most) if price else 0
        amounts = {"requests": 1, "tokens": most.prompt + most.completion, "concurrent": 1}
        wants = [
            want
            for rule in self._rules
            for scope in rule.scopes(principal, key)
            for want in _wants(rule, scope, amounts, month, cost)
        ]
        if not wants:
            return FREE
        found = await self._counters.take(secrets.token_hex(8), wants)
        if isinstance(found, Refusal):
            raise self._refused(found)
        return Admission(self._counters, found, price)

    @property
    def rules(self) -> tuple[LimitRule, ...]:
        return self._rules

    async def standing(self, principal: Principal, key: str = "") -> list[Standing]:
        """Every limit that ``principal``'s requests count in. Raises ``OperatorError``."""
        month = f"month{self._now():%Y-%m}"
        nothing = {"requests": 0, "tokens": 0, "concurrent": 0}
        found = [
            (rule, scope, want)
            for rule in self._rules
            for scope in rule.scopes(principal, key)
            for want in _wants(rule, scope, nothing, month, 0)
        ]
        used = await self._counters.look([want for _, _, want in found])
        return [
            Standing(rule, scope, _unit(want), n, want.limit)
            for (rule, scope, want), n in zip(found, used, strict=True)
        ]

    def cost(self, model: str, usage: Usage, base: str = "") -> float | None:
        """Yuan, by the company's prices; ``base``: the model that it is an adapter of. ``None`` for a
        model that has none."""
        price = self._prices.get(model) or self._prices.get(base)
        return price.yuan(usage) if price else None

    async def close(self) -> None:
        await self._counters.close()

    def _refused(self, refusal: Refusal) -> OverloadError:
        want = refusal.want
        per = want.key.partition(":")[0]
        unit = _unit(want)
        wait = refusal.retry_after
        if unit == "month":
            wait = _until_next_month(self._now())
        n = f"{want.limit / MICRO:g}" if unit == "month" else f"{want.limit:,}"
        who, said = _WHO[per], _SAID[unit]
        seconds = max(1, round(wait))
        too_much = unit == "tokens" and want.amount > want.limit
        zh = "请缩短内容或减小 max_tokens" if too_much else f"请 {seconds} 秒后再试"
        en = "shorten it or lower max_tokens" if too_much else f"try again in {seconds} seconds"
        return OverloadError(
            _CODES[unit],
            f"{who.zh}{said.zh.format(n=n)};{zh}",
            f"{who.en} has {said.en.format(n=n)}; {en}",
            wait,
        )


@lru_cache(4096)
def _keys(scope: str, month: str) -> tuple[str, str, str, str]:
    return f"{scope}:requests", f"{scope}:tokens", f"{scope}:concurrent", f"{scope}:{month}"


def _wants(
    rule: LimitRule, scope: str, amounts: Mapping[str, int], month: str, cost: int
) -> list[Want]:
    requests, tokens, concurrent, total = _keys(scope, month)
    out: list[Want] = []
    if rule.requests_per_minute:
        out.append(Want("window", requests, rule.requests_per_minute, amounts["requests"]))
    if rule.tokens_per_minute:
        out.append(Want("window", tokens, rule.tokens_per_minute, amounts["tokens"]))
    if rule.concurrent:
        out.append(Want("lease", concurrent, rule.concurrent, amounts["concurrent"]))
    if rule.micros_per_month:
        out.append(Want("total", total, rule.micros_per_month, cost))
    return out


def _unit(want: Want) -> Unit:
    unit = want.key.rpartition(":")[2]
    return "month" if unit.startswith("month") else unit


def _until_next_month(now: datetime) -> float:
    first = (now.replace(day=1, hour=0, minute=0, second=0, microsecond=0) + timedelta(32)).replace(
        day=1
    )
    return (first - now).total_seconds()
