"""Replicas of the model by the requests that Dazi has for it: a policy for Ray Serve.

Runs in Serve's controller, which may not wait: a thread asks Dazi (``DAZI_SCALING_URL``, with
``DAZI_SCALING_TOKEN``) now and then, and the policy goes by its last answer, which counts those that
wait in Dazi's own queue too. Where no answer is fresh it goes by Serve's count of requests, as Serve
would without this. Needs nothing but Python: Dazi is not installed where Ray runs.
"""

from __future__ import annotations

import json
import logging
import math
import os
import threading
import time
import urllib.request
from collections import deque
from typing import Any

EVERY_S = 10.0
FRESH_S = 60.0
TIMEOUT_S = 5.0
PER_REPLICA = 48.0
"""Requests that a replica is to work on at once."""
UP_S, DOWN_S = 30.0, 900.0
"""More are asked for once they were needed for so long on end, fewer once they would have done."""
log = logging.getLogger("ray.serve")


class Asker:
    """Asks Dazi how much it has for ``model``, behind the policy's back."""

    def __init__(self, url: str, token: str, model: str) -> None:
        self._url, self._token, self._model = url, token, model
        self._said: tuple[float, float] | None = None
        self._thread: threading.Thread | None = None

    def load(self, now: float) -> float | None:
        """Requests there and waiting; ``None`` where nothing fresh is known."""
        if self._url and (self._thread is None or not self._thread.is_alive()):
            self._thread = threading.Thread(target=self._keep_asking, daemon=True)
            self._thread.start()
        said = self._said
        return said[1] if said is not None and now - said[0] < FRESH_S else None

    def ask(self) -> None:
        """Raises ``OSError``, and ``ValueError`` where the answer is not as it should be."""
        headers = {"authorization": f"Bearer {self._token}"}
        request = urllib.request.Request(self._url, headers=headers)
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            models = json.load(answer).get("models", ())
        mine = [m for m in models if m["name"] == self._model]
        if not mine:
            raise ValueError(f"Dazi has no server of {self._model}")
        self._said = time.monotonic(), sum(m["outstanding"] + m["waiting"] for m in mine)

    def _keep_asking(self) -> None:
        while True:
            try:
                self.ask()
            except (OSError, ValueError, KeyError, TypeError, AttributeError) as e:
                log.warning("Dazi was not asked for its load: %s", e)
            time.sleep(EVERY_S)


class Windows:
    """Of the needs in ``UP_S`` the least counts upwards, of those in ``DOWN_S`` the greatest down."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def wanted(self, now: float, running: int, needed: int) -> int:
        self._seen.append((now, needed))
        while self._seen[0][0] < now - DOWN_S:
            self._seen.popleft()
        low = min(n for at, n in self._seen if at >= now - UP_S)
        high = max(n for _, n in self._seen)
        return low if low > running else min(high, running)


_ASKER = Asker(
    os.environ.get("DAZI_SCALING_URL", ""),
    os.environ.get("DAZI_SCALING_TOKEN", ""),
    os.environ.get("DAZI_SCALING_MODEL", "Qwen3-14B"),
)
_WINDOWS = Windows()


def by_dazi(ctx: Any) -> tuple[int, dict[str, Any]]:
    """``ctx``: Ray's ``AutoscalingContext``. The replicas there should be, and no state."""
    now = time.monotonic()
    load = _ASKER.load(now)
    if load is None:
        own = ctx.total_num_requests
        load = own() if callable(own) else own
    wanted = _WINDOWS.wanted(now, ctx.target_num_replicas, math.ceil(load / PER_REPLICA))
    least, most = ctx.capacity_adjusted_min_replicas, ctx.capacity_adjusted_max_replicas
    return max(least, min(most, wanted)), {}
