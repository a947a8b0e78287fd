"""All alerts, what people said of them, and what is to be told now."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from dazi.ops.alerts.machine import Alert, fingerprint, step, unread
from dazi.ops.alerts.measure import Reading
from dazi.ops.alerts.message import Message, What
from dazi.ops.alerts.rules import Rule, Severity

FAILED_S = 60.0
"""So long after no route took a message it is tried again."""


@dataclass(frozen=True, slots=True)
class Silence:
    """``rule`` and ``labels``: regular expressions for the whole; nothing is told of what they fit
    ``until`` then."""

    id: str
    rule: str
    labels: Mapping[str, str] = field(hash=False)
    until: float
    who: str
    why: str
    at: float

    def covers(self, alert: Alert, now: float) -> bool:
        if now >= self.until or re.fullmatch(self.rule, alert.rule) is None:
            return False
        has = dict(alert.labels)
        return all(re.fullmatch(v, has.get(k, "")) is not None for k, v in self.labels.items())


@dataclass(frozen=True, slots=True)
class Ack:
    """Somebody looks after it. It counts for the firing that began at ``fired``."""

    fingerprint: str
    fired: float
    who: str
    at: float


@dataclass(frozen=True, slots=True)
class Pace:
    """``group_s``: what fires meanwhile by the same rule comes in one message. ``repeat_s``: when it is
    told again of what goes on and nobody has acknowledged. ``escalate_s``: when another is told, by
    severity; none where it is missing."""

    group_s: float = 30.0
    repeat_s: Mapping[Severity, float] = field(
        default_factory=lambda: {"critical": 3_600.0, "warning": 14_400.0, "info": 86_400.0},
        hash=False,
    )


class Book:
    """``way`` tells alerts apart that go to different people; ``escalate_s``: after how long without an
    acknowledgement somebody else is told, ``None``: nobody."""

    def __init__(self, rules: Sequence[Rule], pace: Pace, url: str = "") -> None:
        self.rules = {r.name: r for r in rules}
        self.pace, self.url = pace, url
        self.alerts: dict[str, Alert] = {}
        self.silences: dict[str, Silence] = {}
        self.acks: dict[str, Ack] = {}
        self.way: Callable[[Alert], int] = lambda _: 0
        self.escalate_s: Callable[[Alert], float | None] = lambda _: None
        self.changed: set[str] = set()
        self.ended: list[Alert] = []
        """Over since somebody last took them from here."""
        self._under_way: set[str] = set()
        self._not_before: dict[str, float] = {}

    # --- what is so ------------------------------------------------------------------------------

    def observe(self, rule: Rule, readings: Iterable[Reading], now: float) -> None:
        """All that was read for a rule this time."""
        seen: set[str] = set()
        for reading in readings:
            key = fingerprint(rule.name, reading.labels)
            seen.add(key)
            self._put(key, step(self.alerts.get(key), rule, reading, now))
        for key, alert in tuple(self.alerts.items()):
            if alert.rule == rule.name and key not in seen:
                self._put(key, unread(alert, now))

    def forget_unknown(self, now: float) -> None:
        """Alerts of rules that there are no more."""
        for key, alert in tuple(self.alerts.items()):
            if alert.rule not in self.rules:
                self._put(key, None)

    def _put(self, key: str, after: Alert | None) -> None:
        before = self.alerts.get(key)
        if after == before:
            return
        self.changed.add(key)
        if after is None:
            self.alerts.pop(key, None)
            return
        self.alerts[key] = after
        over = after.state == "resolved" and before is not None and before.state == "firing"
        if over:
            self.ended.append(after)

    def acked(self, alert: Alert) -> Ack | None:
        found = self.acks.get(alert.fingerprint)
        return found if found is not None and found.fired == alert.fired else None

    def silenced(self, alert: Alert, now: float) -> Silence | None:
        return next((s for s in self.silences.values() if s.covers(alert, now)), None)

    def firing(self) -> list[Alert]:
        return [a for a in self.alerts.values() if a.state == "firing"]

    # --- what is told ----------------------------------------------------------------------------

    def due(self, now: float) -> list[Message]:
        """What to tell now. Each alert in it is under way until ``sent`` says what became of it."""
        made = [*self._ends(now), *self._begins(now), *self._again(now)]
        self._under_way.update(a.fingerprint for m in made for a in m.alerts)
        return made

    def sent(self, message: Message, well: bool, now: float) -> None:
        for told in message.alerts:
            key = told.fingerprint
            self._under_way.discard(key)
            alert = self.alerts.get(key)
            if not well:
                self._not_before[key] = now + FAILED_S
            if alert is None or not well:
                continue
            self._not_before.pop(key, None)
            match message.what:
                case "firing":
                    after = replace(alert, told=now, again=now)
                case "still":
                    after = replace(alert, again=now)
                case "escalated":
                    after = replace(alert, escalated=True)
                case "resolved":
                    over = alert.state == "resolved"
                    after = replace(alert, told_end=True) if over else replace(alert, told=0.0)
                case "test":
                    after = alert
            self._put(key, after)

    def _free(self, now: float) -> Iterator[Alert]:
        for key, alert in self.alerts.items():
            if key in self._under_way or self._not_before.get(key, 0.0) > now:
                continue
            if alert.rule in self.rules:
                yield alert

    def _begins(self, now: float) -> Iterator[Message]:
        new = [
            a
            for a in self._free(now)
            if a.state == "firing" and not a.told and self.silenced(a, now) is None
        ]
        for rule, alerts in self._grouped(new):
            if now - min(a.fired for a in alerts) >= self.pace.group_s:
                yield self._message("firing", rule, alerts, now)

    def _again(self, now: float) -> Iterator[Message]:
        again, higher = [], []
        for a in self._free(now):
            if a.state != "firing" or not a.told or self.acked(a) or self.silenced(a, now):
                continue
            after = self.escalate_s(a)
            if after is not None and not a.escalated and now - a.told >= after:
                higher.append(a)
            elif now - a.again >= self.pace.repeat_s[self.rules[a.rule].severity]:
                again.append(a)
        for rule, alerts in self._grouped(higher):
            yield self._message("escalated", rule, alerts, now)
        for rule, alerts in self._grouped(again):
            yield self._message("still", rule, alerts, now)

    def _ends(self, now: float) -> Iterator[Message]:
        over = []
        for a in tuple(self._free(now)):
            if a.state != "resolved" or not a.told or a.told_end:
                continue
            if self.silenced(a, now) is not None:
                self._put(a.fingerprint, replace(a, told_end=True))
            else:
                over.append(a)
        for rule, alerts in self._grouped(over):
            if now - min(a.ended for a in alerts) >= self.pace.group_s:
                yield self._message("resolved", rule, alerts, now)

    def _message(self, what: What, rule: str, alerts: Sequence[Alert], now: float) -> Message:
        return Message(what, self.rules[rule], tuple(alerts), now, self.url)

    def _grouped(self, alerts: Iterable[Alert]) -> Iterator[tuple[str, list[Alert]]]:
        """Those of one rule that go to the same people."""
        out: dict[tuple[str, int], list[Alert]] = {}
        for a in alerts:
            out.setdefault((a.rule, self.way(a)), []).append(a)
        return ((rule, found) for (rule, _), found in out.items())
