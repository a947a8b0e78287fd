"""How many replicas a load needs, damped in both directions."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

TOLERANCE = 0.1
"""Of what runs: a need that differs by less changes nothing (as Kubernetes' autoscaler has it)."""
_SLACK = 1e-9


@dataclass(frozen=True, slots=True)
class ScalingRules:
    """``target``: the share of a replica's places that is to be taken; ``least`` and ``most``
    replicas; more are asked for once they were needed for ``up_s`` seconds on end, fewer once they
    would have done for ``down_s``."""

    target: float = 0.7
    least: int = 1
    most: int = 10
    up_s: float = 30.0
    down_s: float = 300.0


@dataclass(slots=True)
class Damper:
    """Needs as they came, and the replicas that follow from them.

    Of the needs within ``up_s`` the least counts upwards, of those within ``down_s`` the greatest
    downwards: a peak that passes adds nothing, and a lull takes nothing away (the stabilisation
    windows of Kubernetes' HorizontalPodAutoscaler).
    """

    rules: ScalingRules
    _seen: deque[tuple[float, float]] = field(default_factory=deque)

    def desired(self, now: float, replicas: int, needed: float) -> int:
        """Replicas there should be, where ``replicas`` run and ``needed``, a fraction of them as it may
        be, would be taken to ``target``. ``now``: seconds of any clock that only goes on."""
        seen, rules = self._seen, self.rules
        seen.append((now, needed))
        longest = now - max(rules.up_s, rules.down_s)
        while seen[0][0] < longest:
            seen.popleft()
        low = min(n for at, n in seen if at >= now - rules.up_s)
        high = max(n for at, n in seen if at >= now - rules.down_s)
        up, down = _whole(low, replicas), _whole(high, replicas)
        wanted = up if up > replicas else min(down, replicas)
        return max(rules.least, min(rules.most, wanted))


def _whole(needed: float, replicas: int) -> int:
    if replicas and abs(needed / replicas - 1) <= TOLERANCE:
        return replicas
    return math.ceil(needed - _SLACK)


@dataclass(slots=True)
class Dampers:
    """One for each thing that is scaled, by name."""

    rules: ScalingRules = field(default_factory=ScalingRules)
    _of: dict[str, Damper] = field(default_factory=dict)

    def of(self, name: str) -> Damper:
        if name not in self._of:
            self._of[name] = Damper(self.rules)
        return self._of[name]
