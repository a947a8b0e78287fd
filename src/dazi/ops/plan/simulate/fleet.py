"""What serves: Dazi's processes and model servers, ordered, started, let go and paid for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from dazi.ops.plan.simulate.front import FrontDesk
from dazi.ops.plan.simulate.replica import Replica
from dazi.ops.plan.simulate.service import Engine, Front

Kind = Literal["embedded", "server"]
SCANNED = 8
"""Servers that are compared when one is chosen; of a larger fleet so many at random."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """``embedded``: each Dazi process has an engine of its own, and both share a core (``shares``);
    they are scaled together. ``server``: ``fronts`` Dazi processes before model servers, which are scaled
    (0: as many as have places for all that the most of servers work on at once).

    ``at_once``: requests that Dazi gives to a server; more wait, ``queue`` of them at most, for
    ``patience`` seconds. ``start``: seconds until a new one serves. ``price``: yuan an hour of a replica,
    ``front_price`` of a Dazi process before servers.
    """

    kind: Kind
    engine: Engine
    front: Front = field(default_factory=Front)
    fronts: int = 0
    at_once: int = 64
    queue: int = 256
    patience: float = 10.0
    start: float = 0.0
    price: float = 0.0
    front_price: float = 0.0
    shares: bool = False


@dataclass(slots=True)
class Paid:
    """``seconds``: of replicas, from when they were ordered to when they were let go."""

    seconds: float = 0.0
    most: int = 0


class Replicas:
    """Those that are there. ``order`` sets how many there should be."""

    def __init__(self, fleet: Fleet, first: int) -> None:
        self.fleet = fleet
        self.all: list[Replica] = []
        self.fronts: list[FrontDesk] = []
        self.paid = Paid()
        self._number = 0
        self._since: dict[int, float] = {}
        self.gone_busy_s = 0.0
        for _ in range(first):
            self._add(0.0, 0.0)
        if fleet.kind == "server":
            self.fronts = [FrontDesk(n, fleet.front) for n in range(max(1, fleet.fronts))]

    @property
    def kept(self) -> int:
        """Those that serve or will."""
        return sum(not r.draining for r in self.all)

    def serving(self, now: float) -> Iterator[Replica]:
        return (r for r in self.all if not r.draining and r.starts <= now)

    def order(self, wanted: int, now: float) -> list[Replica]:
        """Those that are new; of those too many, the last ordered and least busy go first."""
        surplus = self.kept - wanted
        if surplus > 0:
            idle = sorted(
                (r for r in self.all if not r.draining),
                key=lambda r: (r.starts <= now, r.outstanding, -r.number),
            )
            for replica in idle[:surplus]:
                replica.draining = True
                if isinstance(replica.front, FrontDesk):
                    replica.front.draining = True
                self.retire(replica, now)
        return [self._add(now, now + self.fleet.start) for _ in range(-surplus)]

    def retire(self, replica: Replica, now: float) -> None:
        """Let go of it, if nothing is under way there any more."""
        front = replica.front
        busy = isinstance(front, FrontDesk) and (front.taken or front.queue)
        if not replica.draining or replica.outstanding or busy or replica not in self.all:
            return
        self.all.remove(replica)
        self.gone_busy_s += replica.busy_s
        if isinstance(front, FrontDesk):
            self.fronts.remove(front)
        self.paid.seconds += now - self._since.pop(replica.number)

    def end(self, now: float) -> float:
        """Seconds that were paid for."""
        return self.paid.seconds + sum(now - since for since in self._since.values())

    def busy_s(self) -> float:
        return self.gone_busy_s + sum(r.busy_s for r in self.all)

    def _add(self, now: float, starts: float) -> Replica:
        replica = Replica(self._number, self.fleet.engine, starts)
        if self.fleet.kind == "embedded":
            desk = FrontDesk(self._number, self.fleet.front, starts)
            desk.engine, replica.front = replica, desk
            self.fronts.append(desk)
        self._since[self._number] = now
        self._number += 1
        self.all.append(replica)
        self.paid.most = max(self.paid.most, self.kept)
        return replica
