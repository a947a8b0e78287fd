"""The desk's rules told a second time, as simply as they can be: minute by minute.

It shares nothing with ``dazi.apps.desk``: states are words, working time is asked of each minute
on its own, and clocks count minutes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from bench.desk.conversations import FIRST, Step

LIMITS = {"urgent": (15, 240), "high": (60, 480), "normal": (240, 1440), "low": (480, 2880)}
REOPEN_DAYS = 7
MOST_MINUTES = 200_000


@cache
def works(minute: int) -> bool:
    """Whether the minute that begins then is worked. China has no summer time."""
    local = datetime(1970, 1, 1) + timedelta(seconds=FIRST + 60 * minute, hours=8)
    day = local.strftime("%Y-%m-%d")
    name = local.strftime("%a")
    if "2026-10-01" <= day <= "2026-10-07":
        return False
    if day == "2026-09-27":
        name = "Mon"
    if day == "2026-10-10":
        name = "Tue"
    clock = local.strftime("%H:%M")
    if name == "Sun":
        return False
    if name == "Sat":
        return "10:00" <= clock < "14:00"
    end = "17:00" if name == "Fri" else "18:00"
    return "09:00" <= clock < "12:00" or "13:30" <= clock < end


@dataclass
class Seen:
    """What a person with a stop-watch would have written down."""

    state: str = "new"
    priority: str = ""
    category: str = ""
    assignee: str = ""
    person_has_it: bool = False
    person_answered: bool = False
    orders: tuple[str, ...] = ()
    how_it_ended: str = ""
    times_resolved: int = 0
    times_reopened: int = 0
    rated_for: int = 0
    resolved_minute: int = -1


def allowed(seen: Seen, step: Step) -> bool:
    desk = step.actor in ("agent", "supervisor")
    alive = seen.state not in ("resolved", "closed")
    ended_well = seen.how_it_ended == "resolved"
    if step.act == "open":
        return seen.state == "new" and (desk or step.actor == "system")
    if step.act in ("assign", "prioritise"):
        return alive and (desk or step.actor == "system")
    if step.act == "unassign":
        return alive and desk and seen.assignee != ""
    if step.act == "customer_wrote":
        return alive and step.actor == "customer"
    if step.act in ("reply", "spam", "merge"):
        return alive and desk
    if step.act == "ask_customer":
        return alive and desk and seen.state != "waiting_customer"
    if step.act == "wait_inside":
        return alive and desk and seen.state != "waiting_inside"
    if step.act == "resolve":
        return alive and (desk or (step.actor == "assistant" and not seen.person_has_it))
    if step.act == "close":
        return seen.state == "resolved" and step.actor in ("supervisor", "customer", "system")
    if step.act == "reopen":
        soon = step.minute - seen.resolved_minute <= REOPEN_DAYS * 24 * 60
        return not alive and ended_well and soon and (desk or step.actor == "customer")
    if step.act == "hand_over":
        asks = desk or step.actor in ("customer", "assistant")
        return alive and asks and not seen.person_has_it
    if step.act == "hand_back":
        return alive and seen.state != "new" and desk and seen.person_has_it
    if step.act == "categorise":
        return seen.state != "closed" and (desk or step.actor == "system")
    if step.act == "attach":
        return seen.state != "closed" and step.actor != "customer"
    if step.act == "note":
        return desk
    if step.act == "rate":
        fresh = seen.rated_for < seen.times_resolved
        return not alive and ended_well and fresh and step.actor == "customer"
    if step.act == "warned":
        return alive and step.actor == "system"
    if step.act == "breached":
        return step.actor == "system"
    raise AssertionError(step.act)


def happen(seen: Seen, step: Step) -> None:
    if step.act == "open":
        seen.state = "open"
    if step.act == "assign":
        seen.assignee = step.data["to"]
        if seen.state == "new":
            seen.state = "open"
    if step.act == "unassign":
        seen.assignee = ""
    if step.act == "reply" and seen.state == "new":
        seen.state = "open"
    if step.act == "ask_customer":
        seen.state = "waiting_customer"
    if step.act in ("reply", "ask_customer"):
        seen.person_has_it = seen.person_answered = True
    if step.act == "wait_inside":
        seen.state = "waiting_inside"
    if step.act in ("customer_wrote", "hand_over") and seen.state == "waiting_customer":
        seen.state = "open"
    if step.act == "hand_over":
        seen.person_has_it = True
    if step.act == "hand_back":
        seen.person_has_it = False
    if step.act == "resolve":
        seen.state = seen.how_it_ended = "resolved"
        seen.times_resolved += 1
        seen.resolved_minute = step.minute
        seen.person_has_it = False
        if step.actor != "assistant":
            seen.person_answered = True
    if step.act == "close":
        seen.state = "closed"
    if step.act == "reopen":
        seen.state, seen.how_it_ended = "open", ""
        seen.times_reopened += 1
    if step.act == "prioritise":
        seen.priority = step.data["priority"]
    if step.act == "categorise":
        seen.category = step.data["category"]
    if step.act == "attach":
        new = [o for o in step.data["orders"] if o not in seen.orders]
        seen.orders = (*seen.orders, *new)
    if step.act == "rate":
        seen.rated_for = seen.times_resolved
    if step.act in ("spam", "merge"):
        seen.state, seen.person_has_it = "closed", False
        seen.how_it_ended = "spam" if step.act == "spam" else "merged"


def told(steps: Sequence[Step]) -> tuple[list[Step], list[bool], list[Seen]]:
    """The steps that were possible; for each step whether it was; the ticket after each."""
    seen = Seen(priority=steps[0].data["priority"], category=steps[0].data["category"])
    done, fine, after = [steps[0]], [True], [Seen(**vars(seen))]
    for step in steps[1:]:
        ok = allowed(seen, step)
        if ok:
            happen(seen, step)
            done.append(step)
        fine.append(ok)
        after.append(Seen(**vars(seen)))
    return done, fine, after


def clocks(done: Sequence[Step], now: int) -> dict[str, Mapping[str, Any]]:
    """Both clocks at the minute ``now``, after what was done until then."""
    return {which: _clock(which, done, now) for which in ("response", "resolution")}


def _clock(which: str, done: Sequence[Step], now: int) -> Mapping[str, Any]:
    past = [s for s in done if s.minute <= now]
    seen = Seen(priority=past[0].data["priority"])
    final = Seen(priority=past[0].data["priority"])
    for step in past[1:]:
        happen(final, step)
    limit = LIMITS[final.priority][0 if which == "response" else 1]
    share = limit * 75 / 100
    used, i, minute = 0, 1, past[0].minute
    reached = {"due": -1.0, "warn_at": -1.0}
    while minute < past[0].minute + MOST_MINUTES:
        while i < len(past) and past[i].minute == minute:
            happen(seen, past[i])
            i += 1
        if minute == now:
            at_now = used
        if minute >= now and (not _goes(which, seen) or reached["due"] >= 0):
            break
        if _goes(which, seen) and works(minute):
            for name, goal in (("warn_at", share), ("due", limit)):
                if used < goal <= used + 1:
                    reached[name] = minute + (goal - used)
            used += 1
        minute += 1
    due, warn = reached["due"], reached["warn_at"]
    standing = _standing(which, final, at_now > limit, 0 <= warn <= now)
    return {"used": at_now, "due": due, "warn_at": warn, "limit": limit, "standing": standing}


def _goes(which: str, seen: Seen) -> bool:
    if seen.how_it_ended in ("spam", "merged"):
        return False
    if which == "response":
        return not seen.person_answered and seen.times_resolved == 0
    return seen.state in ("new", "open", "waiting_inside")


def _standing(which: str, seen: Seen, over: bool, warned: bool) -> str:
    if seen.how_it_ended in ("spam", "merged"):
        return "void"
    if which == "response":
        if seen.person_answered:
            return "missed" if over else "met"
        if seen.times_resolved:
            return "void"
    elif seen.state in ("resolved", "closed"):
        return "missed" if over else "met"
    if over:
        return "breached"
    if seen.state == "waiting_customer" and which == "resolution":
        return "paused"
    return "warning" if warned else "running"
