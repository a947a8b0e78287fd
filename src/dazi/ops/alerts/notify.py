"""Whoever takes a message somewhere, and what has become of it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from dazi.core.language import Text
from dazi.ops.alerts.message import Message

ATTEMPTS = 4
FIRST_WAIT_S = 1.0
"""Before the second try; each wait after it is twice as long."""
WITHIN_S = 15.0
log = logging.getLogger("dazi.alerts")

Sleep = Callable[[float], Awaitable[None]]


class NotSent(Exception):
    """It did not get through. ``again``: it may if it is tried once more."""

    def __init__(self, text: Text, *, again: bool = True) -> None:
        super().__init__(text.en)
        self.text = text
        self.again = again


class Notifier(Protocol):
    async def send(self, message: Message) -> None:
        """Raises ``NotSent``."""
        ...

    async def close(self) -> None: ...


@dataclass(slots=True)
class RouteState:
    """``failing``: since when nothing gets through, 0 while it does."""

    sent: int = 0
    last: float = 0.0
    failing: float = 0.0
    trouble: Text | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """To all of ``to``; where one of them fails, to the first of ``instead`` that gets through."""

    to: tuple[str, ...] = ()
    instead: tuple[str, ...] = ()


class Delivery:
    """The routes by name."""

    def __init__(
        self,
        routes: Mapping[str, Notifier],
        sleep: Sleep = asyncio.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.routes = dict(routes)
        self.states = {name: RouteState() for name in self.routes}
        self._sleep, self._clock = sleep, clock

    async def deliver(self, message: Message, plan: Plan) -> bool:
        """Whether anybody has got it; with nowhere to send it to, the pages alone tell of it."""
        if not plan.to:
            return True
        taken = await asyncio.gather(*(self.send(name, message) for name in plan.to))
        if all(taken):
            return True
        for name in plan.instead:
            if name not in plan.to and await self.send(name, message):
                return True
        return any(taken)

    async def send(self, name: str, message: Message, attempts: int = ATTEMPTS) -> bool:
        """By one route, tried again and again."""
        state, wait = self.states[name], FIRST_WAIT_S
        for attempt in range(attempts):
            try:
                async with asyncio.timeout(WITHIN_S):
                    await self.routes[name].send(message)
            except NotSent as e:
                trouble, again = e.text, e.again
            except TimeoutError:
                trouble, again = Text("没有回应", "no answer"), True
            except Exception:
                log.exception("route %s of alerts", name)
                trouble, again = Text("意外的错误,见日志", "an unforeseen error; see the log"), True
            else:
                state.sent += 1
                state.last, state.failing, state.trouble = self._clock(), 0.0, None
                return True
            if not again or attempt + 1 == attempts:
                break
            await self._sleep(wait)
            wait *= 2
        state.failing, state.trouble = state.failing or self._clock(), trouble
        log.error("an alert did not get through by %s: %s", name, trouble.en)
        return False

    def failing(self) -> Sequence[tuple[tuple[str, ...], float]]:
        """For the gauge."""
        return [((name,), float(bool(s.failing))) for name, s in self.states.items()]

    async def close(self) -> None:
        for notifier in self.routes.values():
            await notifier.close()
