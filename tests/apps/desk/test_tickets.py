"""A ticket's life, working time, settings and who gets it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from dazi.apps.desk.assignment import Agent, Load, choose
from dazi.apps.desk.calendar import Calendar
from dazi.apps.desk.clocks import clocks_of, queue_key
from dazi.apps.desk.machine import TRANSITIONS, Refused, apply, possible, replay
from dazi.apps.desk.model import Act, Event, Ticket
from dazi.apps.desk.rules import rules_of
from dazi.core.errors import ConfigError

RULES = rules_of({})
DAY = 86_400.0


def at(text: str, zone: str = "Asia/Shanghai") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


MONDAY = at("2026-11-02 10:00")


def event(act: str, actor: str = "agent", when: float = MONDAY, **data: Any) -> Event:
    return Event(when, actor, cast(Any, actor), cast(Any, act), "", data)


def start(priority: str = "normal", when: float = MONDAY) -> Event:
    return event("create", "customer", when, priority=priority, category="other")


def ticket(*events: Event) -> Ticket:
    return replay([start(), *events], RULES.reopen_days)


def test_a_refusal_says_what_is_possible() -> None:
    resolved = ticket(event("resolve"))
    with pytest.raises(Refused) as refused:
        apply(resolved, event("reply"), 7)
    assert "resolved" in str(refused.value) and "reopen" in str(refused.value)
    assert set(refused.value.possible) == set(possible(resolved, "agent", MONDAY, 7))
    for act in refused.value.possible:
        apply(resolved, event(act, orders=["x"], category="refund"), 7)


def test_what_is_listed_as_possible_is_and_nothing_else() -> None:
    data = {"to": "a", "priority": "low", "category": "x", "orders": [], "stars": 5}
    data |= {"into": "T2", "summary": {}, "clock": "response"}
    for before in ([], [event("ask_customer")], [event("resolve")], [event("spam")]):
        now = ticket(*before)
        for actor in ("customer", "agent", "supervisor", "assistant", "system"):
            can = possible(now, cast(Any, actor), MONDAY, 7)
            for act in TRANSITIONS:
                try:
                    apply(now, event(act, actor, **data), 7)
                    did = True
                except Refused:
                    did = False
                assert did == (act in can), (now.state, actor, act)


def test_it_is_reopened_until_the_last_second_of_its_days() -> None:
    resolved = ticket(event("resolve"))
    assert apply(resolved, event("reopen", "customer", MONDAY + 7 * DAY), 7).state == "open"
    with pytest.raises(Refused, match="more than 7 days"):
        apply(resolved, event("reopen", "customer", MONDAY + 7 * DAY + 1), 7)


def test_a_rating_counts_once_for_each_resolution() -> None:
    rated = ticket(event("resolve"), event("rate", "customer", stars=2))
    with pytest.raises(Refused, match="rated already"):
        apply(rated, event("rate", "customer", stars=5), 7)
    again = apply(apply(rated, event("reopen", "customer"), 7), event("resolve"), 7)
    assert [r.stars for r in apply(again, event("rate", "customer", stars=5), 7).ratings] == [2, 5]


def test_events_do_not_go_back_in_time() -> None:
    with pytest.raises(Refused, match="before the last step"):
        ticket(event("reply", when=MONDAY - 60))


def test_a_person_who_has_it_keeps_the_assistant_from_resolving_it() -> None:
    handed = ticket(event("hand_over", "customer", summary={}))
    assert handed.holder == "person"
    with pytest.raises(Refused):
        apply(handed, event("resolve", "assistant"), 7)
    back = apply(apply(handed, event("open"), 7), event("hand_back"), 7)
    assert apply(back, event("resolve", "assistant"), 7).resolved_as == "assistant"


def test_working_time_goes_over_nights_weekends_and_a_change_of_the_clocks() -> None:
    calendar = RULES.clocking.calendar
    friday = at("2026-11-06 17:30")
    assert calendar.worked(friday, at("2026-11-09 09:30")) == 3_600
    assert calendar.after(friday, 3_600) == at("2026-11-09 09:30")
    assert calendar.after(friday, 1_800) == at("2026-11-06 18:00")
    assert calendar.after(friday, 1_801) == at("2026-11-09 09:00") + 1
    berlin = Calendar("Europe/Berlin", {6: ((0, 1_440),)})
    spring, autumn = "2026-03-29", "2026-10-25"
    for day, hours in ((spring, 23), (autumn, 25)):
        begin = at(f"{day} 00:00", "Europe/Berlin")
        assert berlin.worked(begin, begin + 2 * DAY) == hours * 3_600
    assert Calendar(hours={}).after(MONDAY, 60) is None


def test_the_queue_begins_with_what_is_due_first() -> None:
    urgent, low = [start("urgent")], [start("low", MONDAY - DAY)]
    waits = [start("urgent", MONDAY - 60), event("ask_customer")]
    keys = {}
    for name, events in (("low", low), ("urgent", urgent), ("waits", waits)):
        clocks = clocks_of(events, MONDAY + 60, RULES.clocking)
        keys[name] = queue_key(replay(events, 7), clocks)
    assert sorted(keys, key=keys.__getitem__) == ["urgent", "low", "waits"]


def test_whoever_has_the_skill_and_least_to_do_gets_it_in_turn() -> None:
    agents = [Agent("a", frozenset({"refund"})), Agent("b", frozenset({"refund"})), Agent("c")]
    assert choose(agents, "refund", {}) == "a"
    assert choose(agents, "refund", {"a": Load(1, 5.0)}) == "b"
    assert choose(agents, "refund", {"a": Load(1, 5.0), "b": Load(1, 9.0)}) == "a"
    assert choose(agents, "refund", {"a": Load(1, 9.0), "b": Load(1, 5.0)}) == "b"
    assert choose(agents, "invoice", {}) == "c"
    full = {"a": Load(20), "b": Load(20), "c": Load(20)}
    assert choose(agents, "refund", full) == ""


@pytest.mark.parametrize(
    "given",
    [
        {"colour": 1},
        {"zone": "Asia/Nowhere"},
        {"hours": {"mon": "9-18"}},
        {"hours": {"funday": "09:00-18:00"}},
        {"hours": {"mon": ["09:00-12:00", "11:00-18:00"]}},
        {"holidays": ["1 October"]},
        {"targets": {"urgent": {"response": 0, "resolution": 5}}},
        {"targets": {"asap": {"response": 1, "resolution": 5}}},
        {"warn_percent": 200},
        {"agents": [{"user": "a", "skills": ["juggling"]}]},
        {"orders": {"tool": "get_order_status"}},
    ],
)
def test_a_wrong_setting_is_named(given: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as wrong:
        rules_of({"desk": given})
    assert next(iter(given)) in str(wrong.value)


def test_every_act_has_a_place_in_the_table() -> None:
    assert set(TRANSITIONS) == set(Act.__args__) - {"create"}  # type: ignore[attr-defined]
