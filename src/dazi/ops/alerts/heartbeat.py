"""A sign of life for somebody outside: where it stays away, he tells."""

from __future__ import annotations

import logging
import os

import msgspec

from dazi.core.language import Text
from dazi.ops.alerts.declare import HEARTBEAT, Heartbeat
from dazi.ops.alerts.notify import Delivery, NotSent, RouteState
from dazi.ops.alerts.posting import post

log = logging.getLogger("dazi.alerts")


class Beats:
    """Sent after an evaluation, never without one."""

    def __init__(self, given: Heartbeat | None, delivery: Delivery) -> None:
        self._given = given
        self._last = 0.0
        self.state = RouteState()
        if given is not None:
            delivery.states[HEARTBEAT] = self.state

    def due(self, now: float) -> bool:
        if self._given is None or now - self._last < self._given.every_s - 1.0:
            return False
        self._last = now
        return True

    async def send(self, now: float, firing: int) -> None:
        assert self._given is not None
        url = self._given.url or os.environ.get(self._given.env, "")
        body = msgspec.json.encode({"service": "dazi", "at": round(now), "firing": firing})
        try:
            if not url:
                raise NotSent(Text(f"没有 {self._given.env}", f"there is no {self._given.env}"))
            await post(url, body, {"Content-Type": "application/json"})
        except NotSent as e:
            self.state.failing, self.state.trouble = self.state.failing or now, e.text
            log.error("the heartbeat did not get through: %s", e.text.en)
        else:
            self.state.sent += 1
            self.state.last, self.state.failing, self.state.trouble = now, 0.0, None
