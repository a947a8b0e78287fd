"""What clouds cost a day: reserved before a request leaves, settled by what it really used."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from dazi.access.limits.counters import Counters, ProcessCounters, Refusal, Taken, Want
from dazi.access.limits.rules import MICRO
from dazi.access.limits.rules import Price as Rates
from dazi.core.engine import Usage
from dazi.core.errors import OperatorError
from dazi.inference.pool.config import Price


class Reserved(Protocol):
    async def settle(self, used: Usage | None) -> None:
        """``used``: ``None`` where that cannot be known; then all that was reserved counts."""
        ...


class Spending(Protocol):
    async def reserve(self, price: Price, most: Usage, yuan: float) -> Reserved | None:
        """So much as ``most`` costs, of ``yuan`` a day; ``None`` where there is not so much left.

        Raises ``OperatorError`` where it cannot be counted.
        """
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class _Free:
    async def settle(self, used: Usage | None) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Unlimited:
    """Nothing is counted."""

    async def reserve(self, price: Price, most: Usage, yuan: float) -> Reserved | None:
        return _Free()

    async def close(self) -> None:
        return None


UNLIMITED = Unlimited()


@dataclass(frozen=True, slots=True)
class _Taken:
    counters: Counters
    taken: Taken
    rates: Rates

    async def settle(self, used: Usage | None) -> None:
        amount = self.taken.wants[0].amount if used is None else self.rates.cost(used)
        with suppress(OperatorError):  # more stays reserved than was used, never less
            await self.counters.settle(self.taken, [amount])


@dataclass(frozen=True, slots=True)
class Counted:
    """Implements ``Spending`` over the counters that limits use."""

    counters: Counters
    today: Callable[[], date] = date.today

    async def reserve(self, price: Price, most: Usage, yuan: float) -> Reserved | None:
        rates = Rates(round(price.read * MICRO), round(price.written * MICRO))
        want = Want("total", self._key, round(yuan * MICRO), rates.cost(most))
        found = await self.counters.take(secrets.token_hex(8), [want])
        return None if isinstance(found, Refusal) else _Taken(self.counters, found, rates)

    @property
    def _key(self) -> str:
        return f"all::cloud:day{self.today().isoformat()}"

    def spent(self) -> float | None:
        """Yuan of today, what is promised among them; ``None`` where other processes count."""
        if not isinstance(self.counters, ProcessCounters):
            return None
        return self.counters.used(Want("total", self._key, 0, 0)) / MICRO

    async def close(self) -> None:
        await self.counters.close()
