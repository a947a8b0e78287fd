"""An alert's life, by table and for any series of readings."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dazi.core.language import Text
from dazi.ops.alerts import machine
from dazi.ops.alerts.book import Book, Pace
from dazi.ops.alerts.machine import CALM_S, FLAP_S, Alert, most_firings, step, unread
from dazi.ops.alerts.measure import Reading
from dazi.ops.alerts.rules import Rule, Selection, Threshold

EVERY_S = 15.0
SELECTION = Selection("dazi_x")
RULE = Rule(
    "x", "warning", Text("某事", "something"), Text("看看", "look"),
    Threshold(SELECTION, "latest", "above", 10.0, 8.0), for_s=30.0, clear_for_s=60.0,
)  # fmt: skip


def reading(value: float | None, rule: Rule = RULE) -> Reading:
    test = rule.test
    assert isinstance(test, Threshold)
    if value is None:
        return Reading((), None, False, True)
    return Reading((), value, test.beyond(value, test.limit), not test.beyond(value, test.clears))


def course(values: list[float | None], rule: Rule = RULE) -> str:
    """The state after each reading, by its first letter."""
    alert: Alert | None = None
    out = ""
    for i, value in enumerate(values):
        alert = step(alert, rule, reading(value, rule), 1_000.0 + EVERY_S * i)
        out += alert.state[0] if alert is not None else "-"
    return out


@pytest.mark.parametrize(
    ("values", "states"),
    [
        ([1, 11, 11, 11, 11], "-ppff"),
        ([11, 1, 11, 11, 1], "p-pp-"),  # not long enough
        ([11, 11, 11, 9, 9, 9, 9, 9, 9, 9], "ppffffffff"),  # between the two nothing changes
        ([11, 11, 11, 1, 1, 1, 1, 1], "ppfffffr"),
        ([11, 11, 11, 1, 1, 9, 1, 1, 1, 1, 1], "ppffffffffr"),  # well again, and from the beginning
        ([11, 11, 11, None, None, None, None, None], "ppfffffr"),
        ([9, 9, 9, 9], "----"),
    ],
)
def test_an_alerts_life(values: list[float | None], states: str) -> None:
    assert course(values) == states


def test_without_a_wait_it_fires_at_once() -> None:
    assert course([11, 1], replace(RULE, for_s=0.0)) == "ff"


def test_what_is_read_no_more_is_over_in_the_end() -> None:
    alert: Alert | None = None
    for i in range(3):
        alert = step(alert, RULE, reading(11), EVERY_S * i)
    assert alert is not None and alert.state == "firing"
    soon = unread(alert, 30 + machine.GONE_S - 1)
    assert soon is not None and soon.state == "firing"
    late = unread(alert, 30 + machine.GONE_S)
    assert late is not None and late.state == "resolved"


def test_what_flaps_is_over_only_after_a_calm() -> None:
    book, now, firings = Book([RULE], Pace(group_s=0)), 0.0, 0
    # Bad for a minute and well for two, for three hours.
    while now < 3 * FLAP_S:
        value = 11.0 if now % 180 < 60 else 1.0
        book.observe(RULE, [reading(value)], now)
        firings += sum(a.fired == now and a.state == "firing" for a in book.alerts.values())
        now += EVERY_S
    assert firings == machine.FLAPS, "the third firing goes on: it is never calm for long enough"
    (alert,) = book.firing()
    assert now - alert.fired > FLAP_S


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([1.0, 9.0, 11.0, None]), st.integers(1, 120)), max_size=60)
)
def test_no_series_makes_many_messages(runs: list[tuple[float | None, int]]) -> None:
    """``runs``: a value, and for how many readings it stays."""
    rule = replace(RULE, for_s=0.0, clear_for_s=0.0)
    book, now, told = Book([rule], Pace(group_s=0)), 0.0, Counter[str]()
    for value, many in runs:
        for _ in range(many):
            book.observe(rule, [reading(value, rule)], now)
            for message in book.due(now):
                told[message.what] += 1
                book.sent(message, True, now)
            now += EVERY_S
    assert told["firing"] <= most_firings(now)
    assert told["resolved"] <= told["firing"]
    assert told["still"] <= now / book.pace.repeat_s["warning"] + 1


def test_without_the_calm_it_would_make_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard above is what keeps the number down."""
    monkeypatch.setattr(machine, "CALM_S", 0.0)
    rule = replace(RULE, for_s=0.0, clear_for_s=0.0)
    book, now, told = Book([rule], Pace(group_s=0)), 0.0, 0
    while now < FLAP_S:
        book.observe(rule, [reading(11.0 if now % 30 < 15 else 1.0, rule)], now)
        for message in book.due(now):
            told += message.what == "firing"
            book.sent(message, True, now)
        now += EVERY_S
    monkeypatch.undo()
    assert told > most_firings(FLAP_S) and CALM_S > 0
