"""Which of several equal servers a request goes to."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from hashlib import blake2b
from typing import Protocol

from dazi.core.engine import GenerateRequest
from dazi.inference.pool.config import Balance, PoolRules

POINTS = 64
"""Places of a server on the ring, a unit of weight."""


class Loaded(Protocol):
    """What choosing needs to know of a server."""

    @property
    def name(self) -> str: ...

    @property
    def weight(self) -> float: ...

    @property
    def under_way(self) -> int: ...


class Balancer(Protocol):
    def pick(self, free: Sequence[Loaded], request: GenerateRequest) -> int:
        """The index of one of ``free``, which is not empty."""
        ...


def balancer(rules: PoolRules) -> Balancer:
    made: dict[Balance, Balancer] = {
        "least": Least(),
        "round-robin": RoundRobin(),
        "prefix": Prefix(rules.load_bound, rules.load_slack),
    }
    return made[rules.balance]


class Least:
    """Least outstanding requests, by weight; equals take turns."""

    def __init__(self) -> None:
        self._turn = 0

    def pick(self, free: Sequence[Loaded], request: GenerateRequest) -> int:
        self._turn += 1
        n = len(free)
        return min(
            ((i + self._turn) % n for i in range(n)),
            key=lambda i: free[i].under_way / free[i].weight,
        )


class RoundRobin:
    def __init__(self) -> None:
        self._turn = -1

    def pick(self, free: Sequence[Loaded], request: GenerateRequest) -> int:
        self._turn += 1
        return self._turn % len(free)


class Prefix:
    """Consistent hashing with bounded loads: requests that begin alike go to the server that has
    their beginning in its cache, unless it has more to do than ``bound`` times its share and
    ``slack``."""

    def __init__(self, bound: float, slack: int = 0) -> None:
        self._bound, self._slack = bound, slack
        self._rings: dict[tuple[str, ...], tuple[list[int], list[int]]] = {}

    def pick(self, free: Sequence[Loaded], request: GenerateRequest) -> int:
        if len(free) == 1:
            return 0
        points, owners = self._ring(free)
        total = sum(b.under_way for b in free) + 1
        weight = sum(b.weight for b in free)
        start = bisect_right(points, affinity(request))
        passed: set[int] = set()
        for step in range(len(points)):
            i = owners[(start + step) % len(points)]
            if i in passed:
                continue
            share = math.ceil(self._bound * total * free[i].weight / weight)
            if free[i].under_way < share + self._slack:
                return i
            passed.add(i)
            if len(passed) == len(free):
                break
        return min(range(len(free)), key=lambda i: free[i].under_way / free[i].weight)

    def _ring(self, free: Sequence[Loaded]) -> tuple[list[int], list[int]]:
        names = tuple([b.name for b in free])
        ring = self._rings.get(names)
        if ring is None:
            placed = sorted(
                (_point(f"{b.name}#{n}".encode()), i)
                for i, b in enumerate(free)
                for n in range(max(1, round(POINTS * b.weight)))
            )
            if len(self._rings) > 256:
                self._rings.clear()
            ring = self._rings[names] = [p for p, _ in placed], [i for _, i in placed]
        return ring


def affinity(request: GenerateRequest) -> int:
    """Where on the ring: by the model, the tools, and the messages up to the person's first, which
    stay as they are while a conversation goes on."""
    parts = [request.model, *[t.name for t in request.tools]]
    for message in request.messages:
        parts.append(message.content)
        if message.role == "user":
            break
    return _point("\0".join(parts).encode())


def _point(data: bytes) -> int:
    return int.from_bytes(blake2b(data, digest_size=8).digest())
