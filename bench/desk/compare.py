"""Conversations through the desk and through the oracle: what differs.

PYTHONPATH=src:. python -m bench.desk.compare --count 500
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from bench.desk import oracle
from bench.desk.conversations import FIRST, SETTINGS, Conversation, Step, conversations
from dazi.apps.desk.clocks import Clock, Clocking, clocks_of
from dazi.apps.desk.machine import Refused, apply, created
from dazi.apps.desk.model import Event, Ticket
from dazi.apps.desk.rules import rules_of


@dataclass
class Told:
    conversations: int = 0
    steps: int = 0
    refused: int = 0
    looks: int = 0
    differences: list[str] = field(default_factory=list)
    standings: Counter[str] = field(default_factory=Counter)


def compare(found: Iterator[Conversation]) -> Told:
    rules = rules_of(SETTINGS).clocking
    told = Told()
    for one in found:
        told.conversations += 1
        for difference in _differences(one, rules, told):
            told.differences.append(f"{one.number} ({one.kind}): {difference}")
    return told


def _differences(one: Conversation, rules: Clocking, told: Told) -> Iterator[str]:
    done, fine, after = oracle.told(one.steps)
    events = [_event(one.steps[0])]
    ticket = created(events[0])
    for step, ok, seen in zip(one.steps[1:], fine[1:], after[1:], strict=True):
        told.steps += 1
        event = _event(step)
        try:
            ticket = apply(ticket, event, rules.reopen_days)
            events.append(event)
            did = True
        except Refused:
            told.refused += 1
            did = False
        if did != ok:
            yield f"{step.act} by {step.actor}: {did} instead of {ok}"
            return
        yield from _unlike(f"after {step.act}", _plain(ticket), _expected(seen))
    for minute in one.looks:
        told.looks += 1
        got = clocks_of(events, float(FIRST + 60 * minute), rules)
        want = oracle.clocks(done, minute)
        for clock in got.both:
            told.standings[f"{clock.kind} {clock.standing}"] += 1
            yield from _unlike(f"{clock.kind} at {minute}", _minutes(clock), want[clock.kind])


def _event(step: Step) -> Event:
    actor, act = cast(Any, step.actor), cast(Any, step.act)
    return Event(float(FIRST + 60 * step.minute), step.actor, actor, act, "", step.data)


def _plain(t: Ticket) -> dict[str, Any]:
    return {
        "state": t.state,
        "priority": t.priority,
        "category": t.category,
        "assignee": t.assignee,
        "person": t.holder == "person",
        "answered": t.answered,
        "orders": t.orders,
        "ended": t.ended or "",
        "resolutions": t.resolutions,
        "reopened": t.reopened,
        "rated": t.rated,
    }


def _expected(s: oracle.Seen) -> dict[str, Any]:
    return {
        "state": s.state,
        "priority": s.priority,
        "category": s.category,
        "assignee": s.assignee,
        "person": s.person_has_it,
        "answered": s.person_answered,
        "orders": s.orders,
        "ended": s.how_it_ended,
        "resolutions": s.times_resolved,
        "reopened": s.times_reopened,
        "rated": s.rated_for,
    }


def _minutes(clock: Clock) -> dict[str, Any]:
    return {
        "used": clock.used / 60,
        "due": -1 if clock.due is None else (clock.due - FIRST) / 60,
        "warn_at": -1 if clock.warn_at is None else (clock.warn_at - FIRST) / 60,
        "limit": clock.limit / 60,
        "standing": clock.standing,
    }


def _unlike(where: str, got: dict[str, Any], want: Any) -> Iterator[str]:
    for name, value in got.items():
        if value != want[name]:
            yield f"{where}: {name} is {value!r}, not {want[name]!r}"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    began = time.perf_counter()
    told = compare(conversations(given.count, given.seed))
    seconds = time.perf_counter() - began
    for line in told.differences[:20]:
        print(line)
    print(
        json.dumps(
            {
                "conversations": told.conversations,
                "steps": told.steps,
                "refused": told.refused,
                "clocks compared": told.looks * 2,
                "standings": dict(sorted(told.standings.items())),
                "differences": len(told.differences),
                "seconds": round(seconds, 1),
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
