"""Places at servers, and the queue for them: who came first is first, at each server that suits."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from dazi.core.engine import GenerateRequest
from dazi.core.errors import OverloadError
from dazi.inference.pool.backend import Backend
from dazi.inference.pool.balance import Balancer


@dataclass(eq=False, slots=True)
class _Waiter:
    suits: frozenset[Backend]
    given: asyncio.Future[Backend | None]


@dataclass(slots=True)
class Places:
    """``take`` one, and ``give_back`` it. One event loop."""

    most_waiting: int
    patience_s: float
    _waiting: deque[_Waiter] = field(default_factory=deque)

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def waiting_for(self, backend: Backend) -> int:
        """Requests that this server, perhaps among others, would suit."""
        return sum(backend in w.suits for w in self._waiting)

    def waiting_at(self, backends: Sequence[Backend]) -> int:
        """Requests that one of these would suit."""
        return sum(not w.suits.isdisjoint(backends) for w in self._waiting)

    async def take(
        self, suits: Sequence[Backend], balance: Balancer, request: GenerateRequest
    ) -> Backend | None:
        """A place at one of ``suits``; ``None`` where none of them can be used any more.

        Raises ``OverloadError`` where the queue is full, or no place came free in time.
        """
        if self._waiting:
            self.look_again()
        free = [b for b in suits if b.free]
        if free and not self._awaited(free):
            chosen = free[balance.pick(free, request)]
            chosen.under_way += 1
            return chosen
        if len(self._waiting) >= self.most_waiting:
            raise full(self.patience_s)
        waiter = _Waiter(frozenset(suits), asyncio.get_running_loop().create_future())
        self._waiting.append(waiter)
        try:
            async with asyncio.timeout(self.patience_s):
                return await waiter.given
        except BaseException as e:
            if waiter in self._waiting:
                self._waiting.remove(waiter)
            elif waiter.given.done() and not waiter.given.cancelled() and waiter.given.result():
                self.give_back(waiter.given.result())  # type: ignore[arg-type]
            if isinstance(e, TimeoutError):
                raise full(self.patience_s) from None
            raise

    def give_back(self, backend: Backend) -> None:
        """The place goes to whoever has waited longest for one there."""
        if backend.usable:
            for waiter in self._waiting:
                if backend in waiter.suits and not waiter.given.done():
                    self._waiting.remove(waiter)
                    waiter.given.set_result(backend)
                    return
        backend.leave()

    def look_again(self) -> None:
        """A server has changed: those for whom none is left are told, and free places are given."""
        for waiter in list(self._waiting):
            usable = [b for b in waiter.suits if b.usable]
            if usable and not any(b.free for b in usable):
                continue
            self._waiting.remove(waiter)
            if waiter.given.done():
                continue
            taken = next((b for b in usable if b.free), None)
            if taken is not None:
                taken.under_way += 1
            waiter.given.set_result(taken)

    def _awaited(self, free: Sequence[Backend]) -> bool:
        """Does somebody wait for one of these already?"""
        return bool(self._waiting) and any(
            not w.suits.isdisjoint(free) and not w.given.done() for w in self._waiting
        )


def full(wait_s: float) -> OverloadError:
    return OverloadError(
        "model_busy",
        f"模型服务都满了,等了 {wait_s:g} 秒还没有空位;请稍后再试。",
        f"All model servers are full, and none came free within {wait_s:g} s; try again later.",
        retry_after=wait_s,
    )
