"""Room for so many turns at once, a short queue before it, and everybody's fair share of both."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType

from dazi.core.errors import OverloadError
from dazi.gateway.load_meter import LoadMeter

Watched = Callable[[], AbstractContextManager[None]]


class Gate:
    """``queued`` may wait for one of the ``places``, at most ``wait_s`` seconds each.

    Tenants take turns, whoever of them has more waiting; where the queue is full, the last of the
    longest line makes room for a tenant with a shorter one. Nothing of a request that waits has
    been read yet, so that a queue costs next to nothing.
    """

    def __init__(self, places: int, queued: int = 0, wait_s: float = 2.0) -> None:
        self.places = places
        self.queued = queued
        self.wait_s = wait_s
        self.taken = 0
        self.meter = LoadMeter()
        self._lines: dict[str, deque[asyncio.Future[None]]] = {}

    @property
    def waiting(self) -> int:
        return sum(map(len, self._lines.values()))

    def place(self, tenant: str, watched: Watched = nullcontext) -> Place:
        """To be entered with ``async with``. Raises ``OverloadError`` where there is no room.
        ``watched`` is around the wait, if there is one: it ends that of whoever leaves."""
        return Place(self, tenant, watched)

    async def enter(self, tenant: str, watched: Watched = nullcontext) -> None:
        if self.taken < self.places:
            self.taken += 1
            self.meter.moved(1)
            return
        if self.waiting >= self.queued and not self._made_room(tenant):
            raise self._busy()
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lines.setdefault(tenant, deque()).append(turn)
        self.meter.moved(1)
        began = self.meter.clock()
        try:
            with watched():
                async with asyncio.timeout(self.wait_s):
                    await turn
        except BaseException as e:
            self._forget(tenant, turn)
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.leave()  # it was let in at the very moment in which it gave up
            else:
                self.meter.moved(-1)
            if isinstance(e, TimeoutError):
                raise self._busy() from None
            raise
        now = self.meter.clock()
        self.meter.waited.add(now, now - began)

    def leave(self) -> None:
        """The place goes to whoever is next, if anybody waits."""
        self.meter.moved(-1)
        while self._lines:
            tenant, line = next(iter(self._lines.items()))
            del self._lines[tenant]
            turn = line.popleft()
            if line:
                self._lines[tenant] = line  # behind the other tenants
            if not turn.done():
                turn.set_result(None)
                return
        self.taken -= 1

    def _made_room(self, tenant: str) -> bool:
        mine = len(self._lines.get(tenant, ()))
        longest = max(self._lines, key=lambda t: len(self._lines[t]), default=None)
        if longest is None or len(self._lines[longest]) <= mine + 1:
            return False
        turn = self._lines[longest].pop()
        if not turn.done():
            turn.set_exception(self._busy())
        return True

    def _forget(self, tenant: str, turn: asyncio.Future[None]) -> None:
        line = self._lines.get(tenant)
        if line is not None and turn in line:
            line.remove(turn)
            if not line:
                del self._lines[tenant]

    def _busy(self) -> OverloadError:
        self.meter.refused.add(self.meter.clock())
        return OverloadError(
            "busy",
            f"正在处理的请求已达上限({self.places} 个),请稍后再试",
            f"{self.places} requests are being answered, which is the limit; try again soon",
            retry_after=1.0,
        )


class Place:
    __slots__ = ("_began", "_gate", "_tenant", "_watched")

    def __init__(self, gate: Gate, tenant: str, watched: Watched) -> None:
        self._gate = gate
        self._tenant = tenant
        self._watched = watched

    async def __aenter__(self) -> None:
        await self._gate.enter(self._tenant, self._watched)
        self._began = self._gate.meter.clock()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        meter = self._gate.meter
        meter.left(meter.clock() - self._began)
        self._gate.leave()
