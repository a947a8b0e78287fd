"""An experiment with its history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from dazi.ops.experiments.plan import Plan

State = Literal["draft", "running", "paused", "stopped", "promoted"]
STATES: tuple[State, ...] = ("draft", "running", "paused", "stopped", "promoted")


class Stage(Struct, frozen=True):
    """Shares of the arms beside the first since ``at``, in seconds since the epoch. ``step`` of the ramp
    that they are of, -1 where somebody set them."""

    at: float
    shares: dict[str, float]
    step: int = -1


class Experiment(Struct, frozen=True):
    """``salt`` makes its assignment independent of all others. ``stopped``: arms that nobody comes to any
    more, and why. ``revision`` counts its changes. ``paused``: since when, 0 where it is not; ``rested``:
    for how many seconds it was before."""

    plan: Plan
    salt: str
    state: State
    author: str
    created: float
    started: float = 0.0
    ended: float = 0.0
    stages: tuple[Stage, ...] = ()
    stopped: dict[str, str] = {}
    promoted: str = ""
    revision: int = 1
    paused: float = 0.0
    rested: float = 0.0

    @property
    def name(self) -> str:
        return self.plan.name

    @property
    def shares(self) -> Mapping[str, float]:
        """As they are now, of the arms beside the first."""
        return self.stages[-1].shares if self.stages else {}


class Event(Struct, frozen=True):
    """What was done to an experiment; ``by`` is empty where it was done by itself."""

    at: float
    by: str
    act: str
    detail: str = ""
