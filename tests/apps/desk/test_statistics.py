"""The figures, counted by hand; replies with variables; the intents."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from dazi.apps.desk.desk import wants_person
from dazi.apps.desk.intents.kinds import INTENTS, OTHER
from dazi.apps.desk.intents.recogniser import WEIGHTS, recogniser
from dazi.apps.desk.machine import replay
from dazi.apps.desk.model import Event
from dazi.apps.desk.records import Card, Filed
from dazi.apps.desk.replies import by_name, filled, load_replies, values_of
from dazi.apps.desk.rules import rules_of
from dazi.apps.desk.statistics import statistics_of
from dazi.core.errors import CallerError, ConfigError, NotFound
from dazi.main.settings import demo_folder

CLOCKING = rules_of({}).clocking
DAY, MINUTE = 86_400.0, 60.0
MONDAY = datetime(2026, 11, 2, 10, tzinfo=ZoneInfo("Asia/Shanghai")).timestamp()
CARD = Card(
    "T00001",
    "default",
    "lin",
    "",
    "web",
    "屏幕碎了",
    "open",
    "damaged",
    "high",
    "",
    "assistant",
    MONDAY,
    MONDAY,
)


def filed(
    begun: float, *steps: tuple[float, str, str], category: str = "refund", **more: Any
) -> Filed:
    """``steps``: (minutes after the beginning, actor, act)."""
    first = {"priority": "normal", "category": category}
    events = [Event(begun, "lin", "customer", "create", "", first)]
    for minutes, actor, act in steps:
        name = {"agent": "zhou", "agent2": "wu"}.get(actor, actor)
        kind = actor.removesuffix("2")
        event = Event(begun + MINUTE * minutes, name, cast(Any, kind), cast(Any, act), "", more)
        events.append(event)
    return Filed(CARD, tuple(events))


def test_the_figures_of_a_few_tickets() -> None:
    some = [
        filed(
            MONDAY,
            (10, "agent", "reply"),
            (60, "agent", "resolve"),
            (70, "customer", "rate"),
            stars=4,
        ),
        filed(
            MONDAY, (30, "agent2", "reply"), (90, "agent2", "resolve"), (95, "customer", "reopen")
        ),
        filed(MONDAY, (5, "assistant", "resolve"), category="invoice"),
        filed(MONDAY + 7 * DAY, (300, "agent", "reply")),
        filed(MONDAY, (1, "agent", "spam"), category="price"),
        filed(MONDAY - 30 * DAY),
    ]
    found = statistics_of(some, MONDAY - DAY, MONDAY + 8 * DAY, CLOCKING)
    total = found.total
    assert (total.opened, total.resolved, total.backlog) == (5, 2, 3)
    assert (total.response.count, total.response.median, total.response.p90) == (3, 30.0, 300.0)
    assert total.response.within == round(2 / 3, 4)
    assert (total.resolution.count, total.resolution.median) == (2, 32.5)
    assert total.deflection == 0.5 and total.reopened == round(1 / 3, 4)
    assert (total.rating, total.ratings) == (4.0, 1)
    assert total.intents == {"refund": 3, "invoice": 1}, "spam wants nothing"
    assert {w: f.opened for w, f in found.weeks.items()} == {"2026-11-02": 4, "2026-11-09": 1}
    assert found.weeks["2026-11-02"].backlog == 2
    assert {a: f.resolved for a, f in found.agents.items()} == {"zhou": 1, "wu": 0}


def test_nothing_is_no_figure_and_no_error() -> None:
    found = statistics_of([], 0.0, MONDAY, CLOCKING).total
    assert (found.opened, found.deflection, found.rating, found.response.median) == (
        0,
        None,
        None,
        None,
    )


def test_a_reply_is_filled_by_the_ticket_or_refused() -> None:
    replies = load_replies(demo_folder())
    ticket = replay(filed(MONDAY).events, 7)
    values = values_of(CARD, ticket, {"customer": "林先生", "agent": "周敏"}, "zh")
    assert "林先生" in filled(by_name(replies, "looking-into-it"), values, "zh")
    with pytest.raises(CallerError, match="order"):
        filled(by_name(replies, "shipping"), values, "zh")
    with pytest.raises(NotFound, match="shipping"):
        by_name(replies, "none")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- {name: a, text: '{colour}'}", "colour"),
        ("- {name: a, text: x}\n- {name: a, text: y}", "two of a"),
        ("- {name: a}", "name and text"),
        ("- {name: a, text: x, categories: [juggling]}", "juggling"),
        ("a: b", "list"),
    ],
)
def test_a_wrong_reply_is_named_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "desk").mkdir()
    (tmp_path / "desk" / "replies.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=said) as wrong:
        load_replies(tmp_path)
    assert "replies.yaml" in str(wrong.value)


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("我的快递到哪了", "order_status"),
        ("where is my package", "order_status"),
        ("我要退款", "refund"),
        ("please send me an invoice", "invoice"),
        ("转人工", "human"),
        ("I want to talk to a human", "human"),
        ("你好", "greeting"),
        ("写一首关于秋天的诗", OTHER),
        ("what is the capital of Peru", OTHER),
        ("", OTHER),
        ("𓂀 ∑∑ ~~~", OTHER),
    ],
)
def test_plain_messages_are_recognised(text: str, intent: str) -> None:
    assert recogniser().recognise(text).name == intent


def test_the_recogniser_is_small_and_knows_every_intent() -> None:
    assert WEIGHTS.stat().st_size < 1_000_000
    assert set(recogniser().names) == set(INTENTS)
    found = recogniser().recognise("退款" * 5_000)
    assert 0 <= found.sure <= 1 and len(found.best) == 3


@pytest.mark.parametrize(
    ("text", "wants"),
    [
        ("转人工", True),
        ("请帮我转人工客服", True),
        ("I want to talk to a human", True),
        ("人工智能是什么", False),
        ("人工费多少钱", False),
        (
            "can I talk to an agent about my refund for the order that came broken last week please",
            False,
        ),
        ("你好", False),
    ],
)
def test_who_wants_a_person_gets_one_and_nobody_else(text: str, wants: bool) -> None:
    assert wants_person(text) == wants
