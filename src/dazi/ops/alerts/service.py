"""What people see of alerts, and what they may do: acknowledge, silence, try a route."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from dazi.access.duties import may
from dazi.access.recording import Record, recorded
from dazi.core.errors import AccessError, CallerError, NotFound
from dazi.core.language import Text
from dazi.core.principal import Principal
from dazi.ops.alerts.book import Ack, Book, Silence
from dazi.ops.alerts.declare import Alerting
from dazi.ops.alerts.machine import Alert, fingerprint
from dazi.ops.alerts.measure import Measure, Reading
from dazi.ops.alerts.message import Message
from dazi.ops.alerts.notify import Delivery, RouteState
from dazi.ops.alerts.rules import SEVERITIES, Rule, Selection, Threshold
from dazi.ops.alerts.store import AlertStore, Past, new_id

ADMINISTRATOR = "admin"
LONGEST_S = 31 * 86_400.0
LONGEST_WHY = 500
COURSE_S, POINTS = 3_600.0, 30
TEST_RULE = Rule(
    "test", "info", Text("路线测试,不是真的告警", "a test of the route, no real alert"),
    Text("什么也不用做。", "Nothing is to be done."),
    Threshold(Selection("dazi_alerts_firing"), "latest", "above", 0.0),
)  # fmt: skip


def may_see(principal: Principal) -> bool:
    return principal.has_role(ADMINISTRATOR) or may(principal, "settings.read")


def may_act(principal: Principal) -> bool:
    return principal.has_role(ADMINISTRATOR) or may(principal, "settings.change")


@dataclass(frozen=True, slots=True)
class Shown:
    """An alert that fires or waits to, with what was said of it."""

    alert: Alert
    rule: Rule
    ack: Ack | None
    silence: Silence | None


@dataclass(frozen=True, slots=True)
class NewSilence:
    """``seconds`` from now on."""

    rule: str
    seconds: float
    why: str
    labels: Mapping[str, str]


class AlertService:
    """``readings`` gives what was last read of a rule, ``measure`` its course; neither where nothing
    is evaluated (the command line)."""

    def __init__(
        self,
        alerting: Alerting,
        book: Book,
        store: AlertStore,
        delivery: Delivery,
        record: Record,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.alerting, self.book, self.store, self.delivery = alerting, book, store, delivery
        self.readings: Callable[[str], Sequence[Reading]] = lambda _: ()
        self.measure: Measure | None = None
        self.store_well: Callable[[], bool] = lambda: True
        self.clock = clock
        self._record = record

    # --- seeing ----------------------------------------------------------------------------------

    def shown(self, by: Principal) -> list[Shown]:
        """The gravest and the latest first. Raises ``AccessError``."""
        _check(may_see(by))
        now, book = self.clock(), self.book
        found = [
            Shown(a, book.rules[a.rule], book.acked(a), book.silenced(a, now))
            for a in book.alerts.values()
            if a.state != "resolved" and a.rule in book.rules
        ]
        return sorted(found, key=lambda s: (SEVERITIES.index(s.alert.severity), -s.alert.since))

    def count(self, by: Principal) -> int:
        """Of those that nobody looks after, for the bell."""
        if not may_see(by):
            return 0
        return sum(
            s.alert.state == "firing" and s.ack is None and s.silence is None
            for s in self.shown(by)
        )

    async def past(self, by: Principal, limit: int) -> list[Past]:
        _check(may_see(by))
        return await self.store.past(limit)

    def states(self, by: Principal) -> Mapping[str, RouteState]:
        _check(may_see(by))
        return self.delivery.states

    def course(self, shown: Shown, now: float) -> list[float | None]:
        """The value that the rule looks at, over the last hour. For a thread of its own."""
        if self.measure is None:
            return []
        out: list[float | None] = []
        for i in range(POINTS):
            at = now - COURSE_S + (i + 1) * COURSE_S / POINTS
            read = self.measure.readings(shown.rule, at)
            mine = (r.value for r in read if r.labels == shown.alert.labels)
            out.append(next(mine, None))
        return out

    # --- acting ----------------------------------------------------------------------------------

    async def acknowledge(self, by: Principal, print_: str) -> Alert:
        """Raises ``AccessError``, ``NotFound`` and ``OperatorError``."""
        _check(may_act(by))
        alert = self.book.alerts.get(print_)
        if alert is None or alert.state != "firing":
            raise NotFound("alert", "没有这条正在响的告警", "no such alert fires")
        ack = Ack(print_, alert.fired, by.user, self.clock())
        async with recorded(self._record, by, "alert.ack", alert=print_, rule=alert.rule):
            await self.store.acknowledge(ack)
        self.book.acks[print_] = ack
        return alert

    async def silence(self, by: Principal, new: NewSilence) -> Silence:
        """Raises ``AccessError``, ``CallerError`` and ``OperatorError``."""
        _check(may_act(by))
        _check_silence(new)
        now = self.clock()
        made = Silence(
            new_id(), new.rule, dict(new.labels), now + new.seconds, by.user, new.why.strip(), now
        )
        said = {
            "rule": made.rule,
            "labels": dict(made.labels),
            "until": made.until,
            "why": made.why,
        }
        async with recorded(self._record, by, "alert.silence", silence=made.id, **said):
            await self.store.silence(made)
        self.book.silences[made.id] = made
        return made

    async def lift(self, by: Principal, id: str) -> None:
        """End a silence before its time."""
        _check(may_act(by))
        if id not in self.book.silences:
            raise NotFound("silence", "没有这条静默", "no such silence")
        async with recorded(self._record, by, "alert.lift", silence=id):
            await self.store.lift(id)
        self.book.silences.pop(id, None)

    async def test(self, by: Principal, route: str) -> RouteState:
        """Send a message that says that it is a test, once. Raises ``NotFound``."""
        _check(may_act(by))
        if route not in self.delivery.routes:
            raise NotFound("route", f"没有路线 {route}", f"there is no route {route}")
        now = self.clock()
        alert = Alert(
            fingerprint("test", ()), "test", "info", (), "firing", now, now, None, fired=now
        )
        message = Message("test", TEST_RULE, (alert,), now, self.book.url)
        async with recorded(self._record, by, "alert.test", route=route):
            await self.delivery.send(route, message, attempts=1)
        return self.delivery.states[route]


def _check(allowed: bool) -> None:
    if not allowed:
        raise AccessError(
            "forbidden", "告警只给管理员看和处理", "alerts are for administrators to see and handle"
        )


def _check_silence(new: NewSilence) -> None:
    if not 0 < new.seconds <= LONGEST_S:
        raise CallerError("until", "静默最长 31 天", "a silence lasts for 31 days at the most")
    if not new.why.strip() or len(new.why) > LONGEST_WHY:
        raise CallerError(
            "why",
            f"写明为什么,最多 {LONGEST_WHY} 字",
            f"say why, in up to {LONGEST_WHY} characters",
        )
    if not new.rule or len(new.rule) > 200 or len(new.labels) > 20:
        raise CallerError("rule", "写明哪条规则", "name a rule")
    for pattern in (new.rule, *new.labels.values()):
        try:
            re.compile(pattern)
        except re.error as e:
            raise CallerError(
                "rule",
                f"“{pattern[:80]}” 不是正则表达式",
                f"“{pattern[:80]}” is no regular expression",
            ) from e
