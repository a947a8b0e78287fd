"""What rules find in the history, against what can be reckoned by hand."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dazi.observe.meters import Meters
from dazi.ops.alerts.defaults import DEFAULTS
from dazi.ops.alerts.measure import Reading, series_of
from dazi.ops.alerts.rules import Absence, Burn, Selection, Threshold, Window
from tests.ops.alerts.world import World, rule

REQUESTS = Selection("dazi_requests")
FAILED = Selection("dazi_requests", {"status": "5.."})


def one(world: World, test: Threshold | Burn | Absence) -> Reading:
    (found,) = world.measure.readings(rule(test), world.now)
    return found


def test_names_of_series_are_taken_apart() -> None:
    found = series_of('m{tool="a\\"b,c=\\"d\\"",kind="x"}#12')
    assert found.labels == (("tool", 'a"b,c="d"'), ("kind", "x")) and found.part == "12"
    assert series_of("m").labels == () and series_of('m{a="x#1"}').part == ""


def test_a_share_of_failures() -> None:
    world = World()
    counter = world.registry.counter("dazi_requests", "", "route", "status", kept=True)
    test = Threshold(FAILED, "ratio", "above", 0.05, 0.02, 300.0, per=REQUESTS, at_least=20)
    counter.add(("/a", "200"), 0)
    world.step()
    assert one(world, test) == Reading((), None, bad=False, well=True), "nothing has happened yet"
    for _ in range(60):
        counter.add(("/a", "200"), 9)
        counter.add(("/b", "503"), 1)
        world.step()
    found = one(world, test)
    assert found.value == pytest.approx(0.1) and found.bad and not found.well
    world.pass_(400, lambda: counter.add(("/a", "200"), 10))
    found = one(world, test)
    assert found.value == 0.0 and found.well and not found.bad


def test_people_who_left_are_no_turns_that_failed() -> None:
    world = World()
    turns = Meters(world.registry).turns
    failing = next(r for r in DEFAULTS if r.name == "turns-failing")

    def ended(reason: str, times: int) -> None:
        turns.add(("web", "default", "m", reason), times)

    ended("answer", 0)
    world.step()
    world.pass_(120, lambda: (ended("answer", 1), ended("cancelled", 3)))
    (left,) = world.measure.readings(failing, world.now)
    assert left.value == 0.0 and left.well
    world.pass_(120, lambda: (ended("answer", 1), ended("error", 3)))
    (failed,) = world.measure.readings(failing, world.now)
    assert failed.value == pytest.approx(3 / 8) and failed.bad


def test_each_tool_by_itself_and_the_worst_of_all() -> None:
    world = World()
    level = {"a": 3.0, "b": 12.0}
    world.registry.gauge("dazi_x", "", lambda: [((k,), v) for k, v in level.items()], "who")
    world.step()
    apart = Threshold(Selection("dazi_x"), "latest", "above", 10.0, each=("who",))
    found = {r.labels: r.bad for r in world.measure.readings(rule(apart), world.now)}
    assert found == {(("who", "a"),): False, (("who", "b"),): True}
    assert one(world, Threshold(Selection("dazi_x"), "latest", "above", 10.0)).value == 12.0
    assert one(world, Threshold(Selection("dazi_x"), "latest", "below", 10.0)).value == 3.0
    assert (
        one(world, Threshold(Selection("dazi_x", {"who": "!b"}), "latest", "above", 1)).value == 3
    )


def test_times_and_a_gauge_over_another() -> None:
    world = World()
    made, ends = world.now - 1_000, world.now + 86_400
    world.registry.gauge("dazi_made", "", lambda: [((), made)])
    world.registry.gauge("dazi_ends", "", lambda: [((), ends)])
    world.registry.gauge("dazi_free", "", lambda: [(("d",), 5.0)], "place")
    world.registry.gauge("dazi_size", "", lambda: [(("d",), 100.0)], "place")
    world.step()
    age = one(world, Threshold(Selection("dazi_made"), "age", "above", 500.0))
    # What the history keeps of a time is a 32-bit number: right to about two minutes.
    assert age.value == pytest.approx(1_005, abs=130) and age.bad
    until = one(world, Threshold(Selection("dazi_ends"), "until", "below", 100.0))
    assert until.value == pytest.approx(86_395, abs=130) and until.well
    free = Threshold(Selection("dazi_free"), "latest", "below", 0.1, 0.12,
                     per=Selection("dazi_size"), each=("place",))  # fmt: skip
    assert one(world, free).value == pytest.approx(0.05) and one(world, free).bad


def test_a_quantile_needs_enough() -> None:
    world = World()
    took = world.registry.histogram("dazi_s", "", "model", kept=True, bounds=(1.0, 10.0, 100.0))
    test = Threshold(Selection("dazi_s"), "quantile", "above", 20.0, at_least=10)
    for _ in range(9):
        took.observe(50.0, ("m",))
    world.step()
    assert one(world, test).value is None
    took.observe(50.0, ("n",))
    world.step()
    assert one(world, test).bad


def test_what_was_there_and_is_gone() -> None:
    world = World()
    there = {"0", "1"}
    world.registry.gauge("dazi_gpu", "", lambda: [((g,), 50.0) for g in sorted(there)], "gpu")
    test = Absence(Selection("dazi_gpu"), gone_s=120.0, each=("gpu",))
    world.pass_(60)
    assert not any(r.bad for r in world.measure.readings(rule(test), world.now))
    there.remove("1")
    world.pass_(90)
    assert not any(r.bad for r in world.measure.readings(rule(test), world.now))
    world.pass_(60)
    bad = [r for r in world.measure.readings(rule(test), world.now) if r.bad]
    assert [r.labels for r in bad] == [(("gpu", "1"),)]


def test_what_never_was_is_not_missing() -> None:
    world = World()
    world.step()
    assert world.measure.readings(rule(Absence(Selection("dazi_gpu"))), world.now) == []


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_burn_rates_against_a_closed_computation(seed: int) -> None:
    """Windows that end with a slot, so that both count the same events."""
    chance, world = random.Random(seed), World()
    counter = world.registry.counter("dazi_requests", "", "status", kept=True)
    rates = [chance.choice([0.0, 0.01, 0.2, 0.9]) for _ in range(6)]
    events: list[tuple[float, int, int]] = []
    counter.add(("200",), 0)
    counter.add(("500",), 0)
    while world.now < 1_800_000_000.0 + 1_200:
        share = rates[int((world.now - 1_800_000_000.0) // 200) % 6]
        good = sum(chance.random() >= share for _ in range(20))
        counter.add(("200",), good)
        counter.add(("500",), 20 - good)
        world.step(10.0)
        events.append((world.now, 20, 20 - good))

    def burn(seconds: float) -> float:
        within = [e for e in events if e[0] >= world.now - seconds]
        return (sum(e[2] for e in within) / sum(e[1] for e in within)) / (1 - 0.99)

    windows = (Window(600, 100, 14.4), Window(1_000, 300, 6.0))
    found = one(world, Burn(REQUESTS, 0.99, bad=FAILED, windows=windows))
    pairs = [(burn(w.long_s), burn(w.short_s), w.factor) for w in windows]
    assert found.bad == any(min(a, b) > f for a, b, f in pairs)
    assert found.well == all(b <= f for _, b, f in pairs)
    worst = max(pairs, key=lambda p: min(p[:2]) / p[2])
    assert found.value == pytest.approx(min(worst[:2]), rel=1e-4)


def test_a_burn_by_a_histograms_bound() -> None:
    world = World()
    took = world.registry.histogram("dazi_s", "", kept=True, bounds=(1.0, 10.0, 100.0))
    took.observe(0.5)
    world.step()
    for _ in range(60):
        for seconds in (0.5, 5.0, 5.0, 50.0):
            took.observe(seconds)
        world.step()
    test = Burn(Selection("dazi_s"), 0.95, within=10.0, windows=(Window(300, 60, 4.0),))
    found = one(world, test)
    assert found.value == pytest.approx(0.25 / 0.05, rel=0.02) and found.bad
