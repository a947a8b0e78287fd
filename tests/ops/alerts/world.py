"""A registry, its history, and a clock that a test turns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dazi.core.language import Text
from dazi.observe.history import History
from dazi.observe.instruments import Registry
from dazi.ops.alerts.measure import Measure, bounds_in
from dazi.ops.alerts.message import Message
from dazi.ops.alerts.notify import NotSent
from dazi.ops.alerts.rules import Rule, Test

STEP_S = 5.0
BEGAN = 1_800_000_000.0


def rule(test: Test, name: str = "r", **more: Any) -> Rule:
    return Rule(name, more.pop("severity", "warning"), Text("某事", "something"),
                Text("看看", "look"), test, **more)  # fmt: skip


@dataclass
class World:
    registry: Registry = field(default_factory=Registry)
    history: History = field(default_factory=lambda: History(None, series=200))
    now: float = BEGAN

    @property
    def measure(self) -> Measure:
        return Measure(self.history, bounds_in(self.registry))

    def step(self, seconds: float = STEP_S) -> None:
        self.now += seconds
        self.history.take(self.registry, self.now)

    def pass_(self, seconds: float, each: Callable[[], object] = lambda: None) -> None:
        """Time in steps, ``each`` of which something happens in."""
        until = self.now + seconds
        while self.now < until:
            each()
            self.step()


@dataclass
class Kept:
    """A route that keeps what it is given; ``fails`` so many times first."""

    got: list[Message] = field(default_factory=list)
    fails: int = 0
    again: bool = True
    asked: int = 0

    async def send(self, message: Message) -> None:
        self.asked += 1
        if self.fails > 0:
            self.fails -= 1
            raise NotSent(Text("坏了", "broken"), again=self.again)
        self.got.append(message)

    async def close(self) -> None:
        return None


async def no_sleep(_: float) -> None:
    return None
