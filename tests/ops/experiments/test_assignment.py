"""Subjects stay where they are, unless a share grows over them."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dazi.core.errors import CallerError
from dazi.core.principal import Principal
from dazi.ops.experiments.assignment import (
    arm_at,
    digest,
    held_out,
    person_of,
    place,
    subject_of,
    takes_part,
)
from dazi.ops.experiments.plan import (
    Arm,
    Eligible,
    Guardrail,
    Plan,
    Step,
    check,
    percent,
    wrong_shares,
)


def plan(arms: int = 2, *, holdout: float = 0.0) -> Plan:
    names = ["control", *(f"t{i}" for i in range(1, arms))]
    made = tuple(Arm(name, i) for i, name in enumerate(names))
    return Plan("p", made, (Step(0, dict.fromkeys(names[1:], 0.0)),), holdout=holdout)


@st.composite
def growing(draw: st.DrawFn) -> tuple[Plan, list[dict[str, float]]]:
    """A plan, and shares that never get smaller."""
    made = plan(draw(st.integers(2, 5)))
    most = 1 / len(made.treatments)
    columns = {
        a.name: sorted(draw(st.lists(st.floats(0, most * 0.98), min_size=4, max_size=4)))
        for a in made.treatments
    }
    return made, [{name: column[i] for name, column in columns.items()} for i in range(4)]


@settings(max_examples=40, deadline=None)
@given(growing(), st.integers(0, 10**9))
def test_as_shares_grow_subjects_only_move_from_the_first_arm_to_a_treatment(
    made: tuple[Plan, list[dict[str, float]]], seed: int
) -> None:
    p, ramp = made
    for before, after in pairwise(ramp):
        assert wrong_shares(p, after, before) is None
    for i in range(200):
        at = place(digest("salt", f"{seed}/{i}"))
        arms = [arm_at(p, shares, at) for shares in ramp]
        moves = [(a, b) for a, b in pairwise(arms) if a != b]
        assert len(moves) <= 1 and all(a == "control" for a, _ in moves)
        assert arms == [arm_at(p, shares, at) for shares in ramp]


def test_arms_get_their_shares() -> None:
    p = plan(3)
    shares = {"t1": 0.1, "t2": 0.4}
    counts = Counter(arm_at(p, shares, place(digest("s", str(i)))) for i in range(20_000))
    assert counts["t1"] == pytest.approx(2_000, abs=150)
    assert counts["t2"] == pytest.approx(8_000, abs=250)


def test_experiments_do_not_know_of_each_other() -> None:
    """Whoever is treated in one is in the other as often as anybody."""
    p, shares = plan(), {"t1": 0.5}
    both = Counter(
        tuple(arm_at(p, shares, place(digest(salt, str(i)))) for salt in ("a", "b"))
        for i in range(20_000)
    )
    assert all(n == pytest.approx(5_000, abs=250) for n in both.values())


def test_held_out_are_the_same_people_everywhere() -> None:
    small, large = plan(holdout=0.05), plan(3, holdout=0.1)
    people = [str(i) for i in range(10_000)]
    some = {i for i in people if held_out(small, i)}
    more = {i for i in people if held_out(large, i)}
    assert some < more and len(some) == pytest.approx(500, abs=80)
    assert not any(held_out(plan(), i) for i in people)


def test_a_thread_is_held_out_with_its_person() -> None:
    li, other = Principal("li", frozenset()), Principal("li", frozenset(), tenant="other")
    assert person_of("thread", li) == person_of("user", li) == subject_of("user", li, "")
    assert person_of("tenant", li) == "default" != person_of("tenant", other)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"window_hours": 0.0, "metric": "rating"}, "rating happens after the first turn"),
        ({"window_hours": 0.0, "metrics": ("event:bought",)}, "event:bought happens after"),
        ({"guardrails": (Guardrail("success", float("nan")),)}, "must not be negative"),
        ({"ramp": (Step(0, {"b": 0.1}), Step(float("nan"), {"b": 0.2}))}, "must grow"),
    ],
)
def test_a_plan_that_could_not_be_kept_is_refused(more: dict[str, Any], told: str) -> None:
    given: dict[str, Any] = {"ramp": (Step(0, {"b": 0.5}),)} | more
    with pytest.raises(CallerError, match=told):
        check(Plan("p", (Arm("a", 0), Arm("b", 1)), **given))


def test_small_shares_are_not_none() -> None:
    assert [percent(s) for s in (0.0, 0.005, 1 / 3, 0.2, 1.0)] == [
        "0%",
        "0.5%",
        "33.3%",
        "20%",
        "100%",
    ]


def test_subjects_of_each_kind() -> None:
    li, other = Principal("li", frozenset()), Principal("li", frozenset(), tenant="other")
    assert subject_of("user", li, "a") == subject_of("user", li, "b")
    assert subject_of("user", li, "a") != subject_of("user", other, "a")
    assert subject_of("thread", li, "a") != subject_of("thread", li, "b")
    assert subject_of("tenant", li, "a") == "default"


def test_who_takes_part() -> None:
    li = Principal("li", frozenset({"staff"}), channel="web")
    assert takes_part(Eligible(), li, "zh")
    assert takes_part(Eligible(("staff",), ("web",), ("zh",)), li, "zh")
    for other in (
        Eligible(roles=("risk",)),
        Eligible(channels=("cli",)),
        Eligible(languages=("en",)),
    ):
        assert not takes_part(other, li, "zh")


@pytest.mark.parametrize(
    ("shares", "told"),
    [
        ({}, "needed for"),
        ({"t1": 0.6, "t2": 0.1}, "between 0 and 0.5"),
        ({"t1": 0.5, "t2": 0.5}, "one percent"),
        ({"t1": 0.05, "t2": 0.1}, "only grow"),
        ({"t1": -0.1, "t2": 0.1}, "between"),
        ({"t1": float("nan"), "t2": 0.1}, "between"),
    ],
)
def test_wrong_shares_are_told(shares: dict[str, float], told: str) -> None:
    found = wrong_shares(plan(3), shares, {"t1": 0.1, "t2": 0.1})
    assert found is not None and told in found.en


def test_a_plan_without_a_difference_is_none() -> None:
    arms = (Arm("a", 1), Arm("b", 1))
    with pytest.raises(CallerError, match="the same"):
        check(Plan("p", arms, (Step(0, {"b": 0.5}),)))
