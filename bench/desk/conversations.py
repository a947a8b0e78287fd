"""Scripted service conversations: seeded lists of events, and what is tried in vain between them.

Times are whole minutes. Each kind is a story; a tenth of the steps is something that may not be
possible at all, which both sides must say of it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

ZONE = "Asia/Shanghai"
SETTINGS: Mapping[str, Any] = {
    "desk": {
        "zone": ZONE,
        "hours": {
            "mon": ["09:00-12:00", "13:30-18:00"],
            "tue": ["09:00-12:00", "13:30-18:00"],
            "wed": ["09:00-12:00", "13:30-18:00"],
            "thu": ["09:00-12:00", "13:30-18:00"],
            "fri": ["09:00-12:00", "13:30-17:00"],
            "sat": "10:00-14:00",
        },
        "holidays": [f"2026-10-0{d}" for d in range(1, 8)],
        "workdays": {"2026-09-27": "mon", "2026-10-10": "tue"},
    }
}
"""As a ``dazi.toml`` may say it: a lunch break, half a Saturday, a week of holidays, and two days
that make up for it."""
FIRST = int(datetime(2026, 9, 14, tzinfo=ZoneInfo(ZONE)).timestamp())
DAYS = 35


@dataclass(frozen=True, slots=True)
class Step:
    """``minute``: since ``FIRST``."""

    minute: int
    actor: str
    act: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Conversation:
    """``looks``: the minutes at which clocks are compared."""

    number: int
    kind: str
    steps: tuple[Step, ...]
    looks: tuple[int, ...]


PRIORITIES = ("urgent", "high", "normal", "low")
ACTORS = ("customer", "agent", "supervisor", "assistant", "system")
ACTS = (
    "open", "assign", "unassign", "customer_wrote", "reply", "ask_customer", "wait_inside",
    "resolve", "close", "reopen", "hand_over", "hand_back", "prioritise", "categorise", "attach",
    "note", "rate", "spam", "merge", "warned", "breached",
)  # fmt: skip
Story = list[tuple[str, str]]


def conversations(count: int, seed: int = 7) -> Iterator[Conversation]:
    for number in range(count):
        rng = random.Random(f"{seed}/{number}")
        kind = list(KINDS)[number % len(KINDS)]
        yield _conversation(number, kind, rng)


def _conversation(number: int, kind: str, rng: random.Random) -> Conversation:
    minute = rng.randrange(DAYS * 1_440)
    if kind == "night":
        minute = minute // 1_440 * 1_440 + rng.choice((5, 119, 538, 539, 540, 1_079, 1_080, 1_430))
    if kind == "holidays":
        minute = rng.randrange(16 * 1_440, 25 * 1_440)
    first = {"priority": rng.choice(PRIORITIES), "category": "order_status"}
    steps = [Step(minute, rng.choice(("customer", "assistant", "agent")), "create", first)]
    for actor, act in KINDS[kind](rng):
        minute += _pause(rng)
        steps.append(Step(minute, actor, act, _data(act, rng)))
        if rng.random() < 0.1:  # what may well be impossible
            wild = rng.choice(ACTS)
            steps.append(Step(minute, rng.choice(ACTORS), wild, _data(wild, rng)))
    last = minute + rng.choice((0, 1, 30, 600, 3_000))
    looks = {steps[0].minute, rng.randint(steps[0].minute, last), last}
    return Conversation(number, kind, tuple(steps), tuple(sorted(looks)))


def _pause(rng: random.Random) -> int:
    least, most = rng.choice(((0, 3), (1, 15), (5, 90), (30, 600), (600, 2_900)))
    return rng.randint(least, most)


def _data(act: str, rng: random.Random) -> Mapping[str, Any]:
    match act:
        case "assign":
            return {"to": rng.choice(("zhou", "wu", "zheng"))}
        case "prioritise":
            return {"priority": rng.choice(PRIORITIES)}
        case "categorise":
            return {"category": rng.choice(("refund", "invoice"))}
        case "attach":
            return {"orders": [f"ORD{rng.randint(12_340, 12_350)}"]}
        case "rate":
            return {"stars": rng.randint(1, 5)}
        case "merge":
            return {"into": "T999"}
        case "hand_over":
            return {"summary": {}}
        case "warned" | "breached":
            return {"clock": rng.choice(("response", "resolution"))}
    return {}


def _simple(rng: random.Random) -> Story:
    take = [("system", "assign")] if rng.random() < 0.5 else [("agent", "assign")]
    return [*take, ("agent", "reply"), ("agent", "resolve"), ("system", "close")]


def _assistant(rng: random.Random) -> Story:
    end = ("assistant", "resolve") if rng.random() < 0.7 else ("customer", "hand_over")
    return [("system", "open"), end, ("agent", "reply"), ("agent", "resolve")]


def _handover(rng: random.Random) -> Story:
    asks = rng.choice((("customer", "hand_over"), ("assistant", "hand_over")))
    back = [("agent", "hand_back"), ("customer", "customer_wrote")]
    again = [("customer", "hand_over"), ("agent", "reply")] if rng.random() < 0.4 else []
    return [asks, ("system", "assign"), ("agent", "reply"), *back, *again, ("agent", "resolve")]


def _waiting(rng: random.Random) -> Story:
    out: Story = [("agent", "assign")]
    for _ in range(rng.randint(1, 4)):
        out += [("agent", "ask_customer"), ("customer", "customer_wrote")]
        if rng.random() < 0.5:
            out += [("agent", "wait_inside"), ("agent", "reply")]
        if rng.random() < 0.3:
            out += [("agent", "ask_customer"), ("agent", "wait_inside")]
    return [*out, ("agent", "resolve")]


def _reopened(rng: random.Random) -> Story:
    out: Story = [("agent", "reply"), ("agent", "resolve")]
    for _ in range(rng.randint(1, 3)):
        out += [(rng.choice(("customer", "agent")), "reopen"), ("agent", "reply")]
        out += [("agent", "resolve"), ("customer", "rate")]
    return [*out, ("system", "close"), ("customer", "reopen")]


def _late(rng: random.Random) -> Story:
    slow: Story = [("system", "assign")] + [("agent", "note")] * rng.randint(3, 9)
    return [
        *slow,
        ("system", "warned"),
        ("system", "breached"),
        ("agent", "reply"),
        ("agent", "resolve"),
    ]


def _ended(rng: random.Random) -> Story:
    end = ("agent", rng.choice(("spam", "merge")))
    return [
        ("agent", "assign"),
        end,
        ("customer", "reopen"),
        ("customer", "rate"),
        ("agent", "note"),
    ]


def _priorities(rng: random.Random) -> Story:
    out: Story = [("agent", "assign")]
    for _ in range(rng.randint(2, 5)):
        out += [
            ("supervisor", "prioritise"),
            ("agent", rng.choice(("reply", "note", "wait_inside"))),
        ]
    return [*out, ("supervisor", "assign"), ("agent", "resolve"), ("customer", "close")]


def _rated(rng: random.Random) -> Story:
    again = [("customer", "rate")] if rng.random() < 0.5 else []
    return [
        ("agent", "reply"),
        ("agent", "resolve"),
        ("customer", "rate"),
        *again,
        ("system", "close"),
    ]


def _anything(rng: random.Random) -> Story:
    return [(rng.choice(ACTORS), rng.choice(ACTS)) for _ in range(rng.randint(5, 25))]


KINDS: Mapping[str, Callable[[random.Random], Story]] = {
    "simple": _simple,
    "assistant": _assistant,
    "handover": _handover,
    "waiting": _waiting,
    "reopened": _reopened,
    "late": _late,
    "ended": _ended,
    "priorities": _priorities,
    "rated": _rated,
    "night": _waiting,
    "holidays": _reopened,
    "anything": _anything,
}
