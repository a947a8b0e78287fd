"""An alert's life: pending, firing, resolved. Pure: what it was, what is read, what it is now."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import Literal

from dazi.ops.alerts.measure import Labels, Reading
from dazi.ops.alerts.rules import Rule, Severity

State = Literal["pending", "firing", "resolved"]
FLAP_S = 3_600.0
FLAPS = 3
CALM_S = 900.0
"""What has fired ``FLAPS`` times within ``FLAP_S`` is over only after ``CALM_S`` of good readings: so
no series can make it fire more than ``most_firings`` times."""
GONE_S = 600.0
"""What is read no more (a server that was taken out of the file) is over after so long."""


@dataclass(frozen=True, slots=True)
class Alert:
    """Times in seconds since the epoch; 0 is never. ``told``: of the first message, ``again``: of the
    latest; ``firings``: within the last ``FLAP_S``."""

    fingerprint: str
    rule: str
    severity: Severity
    labels: Labels
    state: State
    since: float
    seen: float
    value: float | None
    worst: float | None = None
    fired: float = 0.0
    well_since: float = 0.0
    ended: float = 0.0
    told: float = 0.0
    again: float = 0.0
    told_end: bool = False
    escalated: bool = False
    firings: tuple[float, ...] = field(default=())

    @property
    def flapping(self) -> bool:
        """As it was when it fired: an alert that goes on and off all the time stays one."""
        return len(self.firings) >= FLAPS

    @property
    def label_text(self) -> str:
        return ", ".join(f"{k}={v}" for k, v in self.labels)


def fingerprint(rule: str, labels: Labels) -> str:
    """The same alert in every process and after every restart."""
    said = json.dumps([rule, sorted(labels)], ensure_ascii=False)
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def most_firings(seconds: float) -> int:
    """How often an alert can fire within so long, whatever is read."""
    hours = int(seconds // FLAP_S) + 1
    return hours * (FLAPS + round(FLAP_S / CALM_S))


def step(before: Alert | None, rule: Rule, reading: Reading, now: float) -> Alert | None:
    """``None``: there is nothing to say of it."""
    if before is None or before.state == "resolved":
        return _begun(before, rule, reading, now) if reading.bad else _rested(before, now)
    kept = replace(
        before, seen=now, value=reading.value, worst=_worse(rule, before.worst, reading.value)
    )
    if kept.state == "pending":
        if not reading.bad:
            return _rested(_calm(kept), now)
        return _fired(kept, now) if now - kept.since >= rule.for_s else kept
    if not reading.well:
        return replace(kept, well_since=0.0)
    well_since = kept.well_since or now
    wait = max(rule.clear_for_s, CALM_S) if kept.flapping else rule.clear_for_s
    if now - well_since >= wait:
        return replace(kept, state="resolved", ended=now, well_since=well_since)
    return replace(kept, well_since=well_since)


def unread(before: Alert, now: float) -> Alert | None:
    """Nothing was read of it this time."""
    if before.state == "resolved":
        return _rested(before, now)
    if now - before.seen < GONE_S:
        return before
    return _rested(_calm(before), now) if before.state == "pending" else replace(
        before, state="resolved", ended=now
    )  # fmt: skip


def _begun(before: Alert | None, rule: Rule, reading: Reading, now: float) -> Alert:
    print_ = fingerprint(rule.name, reading.labels)
    firings = _recent(before.firings, now) if before is not None else ()
    made = Alert(
        print_, rule.name, rule.severity, reading.labels, "pending", now, now, reading.value,
        reading.value, firings=firings,
    )  # fmt: skip
    if before is not None and before.told and not before.told_end:
        # Nobody has been told that it was over: for them it goes on.
        made = replace(made, told=before.told, again=before.again, escalated=before.escalated)
    return _fired(made, now) if rule.for_s <= 0 else made


def _fired(alert: Alert, now: float) -> Alert:
    return replace(alert, state="firing", fired=now, firings=(*_recent(alert.firings, now), now))


def _calm(pending: Alert) -> Alert | None:
    """One that never fired is forgotten, unless it has fired of late."""
    if not pending.firings:
        return None
    return replace(pending, state="resolved", ended=pending.seen, told_end=not pending.told)


def _rested(before: Alert | None, now: float) -> Alert | None:
    """An alert that is over is remembered for as long as its firings count."""
    if before is None or (before.told and not before.told_end):
        return before
    return before if _recent(before.firings, now) else None


def _recent(firings: tuple[float, ...], now: float) -> tuple[float, ...]:
    return tuple(f for f in firings if now - f < FLAP_S)


def _worse(rule: Rule, before: float | None, value: float | None) -> float | None:
    if value is None or before is None:
        return before if value is None else value
    below = getattr(rule.test, "side", "above") == "below"
    return min(before, value) if below else max(before, value)
