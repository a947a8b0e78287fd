"""An experiment in its database: what is counted, what stops an arm, what grows by itself."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dazi.core.errors import CallerError
from dazi.core.experiments import Figures
from dazi.core.principal import Principal
from dazi.main.company import load_company
from dazi.main.database import declare_tables
from dazi.main.experiments import Experimenting, experimenting
from dazi.ops.experiments.analysis import analyse
from dazi.ops.experiments.model import Event, Experiment
from dazi.ops.experiments.plan import Arm, Eligible, Guardrail, Plan, Step
from dazi.ops.experiments.store import ExperimentStore, Seen
from dazi.ops.prompts.model import Content
from dazi.store.database import Database
from tests.ops.experiments.filling import fill
from tests.store.conftest import url  # noqa: F401

COMPANY = load_company(Path(__file__).parents[3] / "examples" / "yunshan")
SYS = Principal("chen", frozenset({"sysadmin"}), channel="test")
HOUR = 3_600.0


@dataclass
class Lab:
    made: Experimenting
    ledger: list[tuple[str, Mapping[str, Any]]]
    now: float = 1_000_000.0
    told: list[bool] = field(default_factory=list)
    rng: random.Random = field(default_factory=lambda: random.Random(11))
    number: int = 0

    @property
    def store(self) -> ExperimentStore:
        return self.made.service.store

    async def start(self, **more: Any) -> Plan:
        await self.made.service.prompts.add(SYS, Content(zh=f"今天是{{today}}。{self.number}"), "")
        self.number += 1
        given: dict[str, Any] = {
            "name": "tone",
            "arms": (Arm("now", 0), Arm("new", 1)),
            "ramp": (Step(0, {"new": 0.5}),),
            "window_hours": 0.0,
            "guardrails": (Guardrail("success", 0.05),),
        }
        plan = Plan(**(given | more))
        await self.made.service.create(SYS, plan)
        await self.made.service.start(SYS, plan.name)
        return plan

    async def come(self, subjects: int, rates: Mapping[str, float], stage: int = 0) -> None:
        """New subjects, as the arms are now; each arm succeeds as often as ``rates`` says."""
        experiment = await self.store.get("tone")
        seen = []
        for _ in range(subjects):
            self.number += 1
            self.now += 1
            treated = self.rng.random() < experiment.shares["new"]
            arm = "new" if treated else "now"
            ok = float(self.rng.random() < rates[arm])
            subject = f"{self.number:064x}"
            seen.append(
                Seen("tone", subject, "default", "li", arm, stage, {"success": ok}, self.now, 0.0)
            )
        await fill(self.store.database, seen)


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    database = Database.at(tmp_path / "test.sqlite")
    ledger: list[tuple[str, Mapping[str, Any]]] = []

    async def record(kind: str, who: str, body: Mapping[str, Any]) -> None:
        assert kind == "admin"
        ledger.append((who, body))

    made = experimenting(database, COMPANY, record)
    await database.create()
    found = Lab(made, ledger)
    made.board._clock = made.service.clock = lambda: found.now
    made.board._tell = lambda v: found.told.append(v is not None)
    yield found
    await database.close()


async def test_a_guardrail_stops_an_arm_that_does_harm(lab: Lab) -> None:
    await lab.start()
    # As good as the first one: nothing happens, however often it is looked at.
    for _ in range(10):
        await lab.come(100, {"now": 0.9, "new": 0.9})
        assert await lab.made.watch.look() == []
    # Broken on purpose.
    looks = 0
    while not await lab.made.watch.look():
        looks += 1
        assert looks < 40
        await lab.come(50, {"now": 0.9, "new": 0.2})
    experiment = await lab.store.get("tone")
    assert experiment.state == "stopped" and "护栏" in experiment.stopped["new"]
    assert experiment.shares["new"] == 0.0
    who, body = lab.ledger[-1]
    assert (who, body["act"], body["arm"]) == ("dazi", "experiment.guardrail", "new")
    assert (await lab.store.events("tone"))[-1].act == "guardrail"
    assert lab.told[-1] is False  # nobody is answered by it any more
    assert await lab.made.watch.look() == []


async def test_harm_that_is_plain_is_seen_before_there_are_many(lab: Lab) -> None:
    """The exact sequence needs no hundred subjects in each arm."""
    await lab.start()
    while not await lab.made.watch.look():
        assert lab.number < 190
        await lab.come(10, {"now": 1.0, "new": 0.0})
    subjects = await lab.store.subjects("tone")
    assert min(sum(s.arm == a for s in subjects) for a in ("now", "new")) < 100


async def test_with_two_treatments_only_the_bad_one_is_stopped(lab: Lab) -> None:
    await lab.made.service.prompts.add(SYS, Content(zh="今天是{today}。二"), "")
    arms = (Arm("now", 0), Arm("new", 1), Arm("other", 2))
    plan = Plan("p", arms, (Step(0, {"new": 0.3, "other": 0.3}),), window_hours=0)
    await lab.made.service.prompts.add(SYS, Content(zh="今天是{today}。三"), "")
    await lab.made.service.create(SYS, plan)
    await lab.made.service.start(SYS, "p")
    seen = []
    for i in range(900):
        arm = ("now", "new", "other")[i % 3]
        values = {"success": 0.0 if arm == "new" else 1.0}
        seen.append(Seen("p", f"{i:064x}", "default", "", arm, 0, values, float(i), 0.0))
    await fill(lab.store.database, seen)
    assert await lab.made.watch.look() == ["p: new stopped"]
    experiment = await lab.store.get("p")
    assert experiment.state == "running" and set(experiment.stopped) == {"new"}
    assert experiment.shares == {"new": 0.0, "other": 0.3}


async def test_shares_grow_as_planned_and_not_past_a_person(lab: Lab) -> None:
    ramp = (Step(0, {"new": 0.05}), Step(1, {"new": 0.2}), Step(2, {"new": 0.5}))
    await lab.start(ramp=ramp)
    assert await lab.made.watch.look() == []
    lab.now += HOUR
    assert await lab.made.watch.look() == ["tone: new 20%"]
    assert await lab.made.watch.look() == []
    assert lab.ledger[-1][1]["shares"] == {"new": 0.2}
    await lab.made.service.set_shares(SYS, "tone", {"new": 0.25})
    lab.now += 2 * HOUR
    assert await lab.made.watch.look() == []
    experiment = await lab.store.get("tone")
    assert [s.shares["new"] for s in experiment.stages] == [0.05, 0.2, 0.25]
    with pytest.raises(CallerError, match="only grow"):
        await lab.made.service.set_shares(SYS, "tone", {"new": 0.1})


async def test_of_two_changes_at_once_one_is_first(lab: Lab) -> None:
    await lab.start()
    old = await lab.store.get("tone")
    await lab.made.service.pause(SYS, "tone")
    with pytest.raises(CallerError, match="somebody else"):
        await lab.made.service._change(SYS, old, old, "stop")
    assert lab.ledger[-1][1]["failed"] == "changed_meanwhile"
    assert (await lab.store.get("tone")).state == "paused"


async def test_a_value_is_that_of_the_window_and_of_the_arm(lab: Lab) -> None:
    plan = await lab.start(window_hours=1.0, metrics=("latency", "event:bought"))

    async def see(arm: str, at: float, *, turn: bool = True, **values: float) -> None:
        named = {name.replace("_", ":"): value for name, value in values.items()}
        seen = Seen("tone", "a" * 64, "default", "li", arm, 0, named, at, HOUR, turn)
        await lab.store.see([seen])

    begun = lab.now
    await see("new", begun, turn=False, event_bought=1.0)  # before their first turn
    assert await lab.store.subjects("tone") == []
    await see("new", begun, success=1.0, latency=100.0)
    await see("new", begun + 10, success=0.0, latency=300.0)
    await see("now", begun + 20, success=0.0, latency=900.0)  # after a move to another arm
    await see("new", begun + 30, turn=False, event_bought=1.0)
    await see("new", begun + 40, turn=False, event_bought=1.0)
    await see("new", begun + 2 * HOUR, success=0.0, latency=900.0)  # after the window
    await see("new", begun + 50, latency=10**9)  # cut at the metric's cap
    (subject,) = await lab.store.subjects("tone")
    assert subject.turns == 3 and subject.first == {"success": 1.0, "latency": 100.0}
    assert subject.means["success"] == 0.5
    assert subject.means["latency"] == pytest.approx((100 + 300 + 120_000) / 3)
    assert subject.means["event:bought"] == 1.0
    experiment = await lab.store.get(plan.name)
    early = analyse(experiment, [subject], begun + HOUR / 2)
    assert (early.waiting, early.arms[1].subjects, early.arms[1].counted) == (1, 1, 0)
    late = analyse(experiment, [subject], begun + HOUR)
    assert (late.waiting, late.arms[1].counted, late.arms[1].mean) == (0, 1, 0.5)


async def test_arms_that_get_other_shares_than_planned_are_not_trusted(lab: Lab) -> None:
    await lab.start()
    seen = [
        Seen("tone", f"{i:064x}", "default", "", "now" if i % 4 else "new", 0,
             {"success": 1.0}, float(i), 0.0)
        for i in range(400)
    ]  # fmt: skip
    await fill(lab.store.database, seen)
    looked = await lab.made.service.look(SYS, "tone")
    assert not looked.analysis.trusted
    assert "no figure here can be trusted" in looked.decision[0].en


async def test_whoever_is_forgotten_leaves_numbers_that_are_nobodys(lab: Lab) -> None:
    await lab.start()
    await lab.come(5, {"now": 1.0, "new": 1.0})
    before = {s.at for s in await lab.store.subjects("tone")}
    assert await lab.store.exposed("tone", f"{lab.number:064x}") is not None
    assert await lab.store.forget("li") == 5
    assert {s.at for s in await lab.store.subjects("tone")} == before
    assert await lab.store.exposed("tone", f"{lab.number:064x}") is None
    assert await lab.store.forget("li") == 0


async def test_one_thing_is_varied_by_one_experiment_at_a_time(lab: Lab) -> None:
    await lab.start()
    await lab.made.service.prompts.add(SYS, Content(zh="今天是{today}。又"), "")
    with pytest.raises(CallerError, match="varies prompt too"):
        await lab.start(name="second", arms=(Arm("now", 0), Arm("new", 2)))
    await lab.made.service.stop(SYS, "tone")
    await lab.made.service.start(SYS, "second")


async def test_the_version_in_use_does_not_change_under_an_experiment(lab: Lab) -> None:
    await lab.start(arms=(Arm("now"), Arm("new", 1)))
    await lab.made.service.prompts.activate(SYS, 1)
    assert (await lab.store.get("tone")).plan.control.prompt == 0


async def test_the_same_shares_by_hand_hold_the_ramp(lab: Lab) -> None:
    """Somebody who has looked, and wants no more of it for now."""
    await lab.start(ramp=(Step(0, {"new": 0.05}), Step(1, {"new": 0.5})))
    await lab.made.service.set_shares(SYS, "tone", {"new": 0.05})
    lab.now += 2 * HOUR
    assert await lab.made.watch.look() == []


async def test_an_arm_that_is_stopped_leaves_the_others_their_ramp(lab: Lab) -> None:
    await lab.made.service.prompts.add(SYS, Content(zh="今天是{today}。二"), "")
    ramp = (Step(0, {"new": 0.1, "other": 0.1}), Step(1, {"new": 0.4, "other": 0.4}))
    await lab.start(arms=(Arm("now", 0), Arm("new", 1), Arm("other", 2)), ramp=ramp)
    await lab.made.service.stop_arm(SYS, "tone", "new")
    lab.now += HOUR
    assert await lab.made.watch.look() == ["tone: new 0%, other 40%"]


async def test_the_ramp_waits_while_it_is_paused(lab: Lab) -> None:
    """Whoever goes on after a night of looking into it must not find half of all people in it."""
    await lab.start(ramp=(Step(0, {"new": 0.01}), Step(2, {"new": 0.5})))
    lab.now += HOUR
    await lab.made.service.pause(SYS, "tone")
    lab.now += 24 * HOUR
    await lab.made.service.resume(SYS, "tone")
    assert await lab.made.watch.look() == []
    lab.now += HOUR
    assert await lab.made.watch.look() == ["tone: new 50%"]


async def test_a_change_that_came_second_is_on_record_as_failed(lab: Lab) -> None:
    await lab.start(ramp=(Step(0, {"new": 0.05}), Step(1, {"new": 0.5})))
    lab.now += HOUR
    old = await lab.store.get("tone")
    await lab.made.service.pause(SYS, "tone")  # between the look and the change
    with pytest.raises(CallerError, match="somebody else"):
        await lab.made.watch._grow(old)
    assert lab.ledger[-1][1]["act"] == "experiment.ramp"
    assert lab.ledger[-1][1]["failed"] == "changed_meanwhile"


async def test_promoting_what_somebody_has_just_changed_puts_nothing_into_use(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lab.start()
    old = await lab.store.get("tone")
    await lab.made.service.pause(SYS, "tone")

    async def stale(name: str) -> object:
        return old

    monkeypatch.setattr(lab.store, "get", stale)
    with pytest.raises(CallerError, match="somebody else"):
        await lab.made.service.promote(SYS, "tone", "new")
    assert await lab.made.service.prompts.active(SYS) == 0


async def test_going_on_with_a_model_that_is_gone_is_refused(lab: Lab) -> None:
    lab.made.service._models = lambda: ("m", "adapter")
    plan = Plan("p", (Arm("now"), Arm("new", model="adapter")), (Step(0, {"new": 0.5}),))
    await lab.made.service.create(SYS, plan)
    await lab.made.service.start(SYS, "p")
    await lab.made.service.pause(SYS, "p")
    lab.made.service._models = lambda: ("m",)
    with pytest.raises(CallerError, match="there is no model adapter"):
        await lab.made.service.resume(SYS, "p")


async def test_an_event_of_no_value_has_not_happened(lab: Lab) -> None:
    await lab.start(window_hours=1.0, metrics=("event:bought",))

    async def see(value: float, *, turn: bool = False) -> None:
        name = "success" if turn else "event:bought"
        seen = Seen("tone", "a" * 64, "default", "li", "new", 0, {name: value}, 1.0, HOUR, turn)
        await lab.store.see([seen])

    await see(1.0, turn=True)
    await see(0.0)
    assert (await lab.store.subjects("tone"))[0].means["event:bought"] == 0.0
    await see(1.0)
    await see(0.0)
    assert (await lab.store.subjects("tone"))[0].means["event:bought"] == 1.0


async def test_what_happens_later_counts_wherever_it_is_sent_from(lab: Lab) -> None:
    """The turns were in a chat on the company's site; a rating or an event comes from elsewhere."""
    eligible = Eligible(roles=("customer",), channels=("widget",), languages=("en",))
    await lab.start(window_hours=1.0, eligible=eligible, metrics=("rating", "event:bought"))
    visitor = Principal("site:shop:lin", frozenset({"customer"}), channel="widget")
    board = lab.made.board
    variant = board.of(visitor, "t", "en")
    board.after(variant, visitor, Figures(ok=True, ms=1.0, tokens=1))
    await board.settle()
    there = replace(visitor, roles=frozenset(), channel="api")
    await lab.made.service.happened(there, "tone", "bought", 1.0, "")
    board.rated(there, "t", 4)
    board.handed_over(there, "t")
    board.rated(Principal("nobody", frozenset()), "t", 1)
    await board.settle()
    (subject,) = await lab.store.subjects("tone")
    told = {n: subject.means[n] for n in ("event:bought", "rating", "handed_over")}
    assert told == {"event:bought": 1.0, "rating": 4.0, "handed_over": 1.0}


@pytest.fixture
async def store(url: str) -> AsyncIterator[ExperimentStore]:  # noqa: F811
    """On either database."""
    declare_tables()
    database = Database(url)
    await database.create()
    yield ExperimentStore(database)
    await database.close()


async def test_processes_that_count_at_once_lose_nothing(store: ExperimentStore) -> None:
    """Turns of a whole tenant in eight processes, the first ones among them."""

    def seen(n: int) -> Seen:
        values = {"latency": float(n)}
        return Seen("e", f"{n % 3:064x}", "default", "", "new", 0, values, 1.0, HOUR)

    batches = [[seen(i * 6 + j) for j in range(6)] for i in range(8)]
    await asyncio.gather(*(store.see(batch) for batch in batches))
    found = await store.subjects("e")
    assert [s.turns for s in found] == [16, 16, 16]
    assert sum(s.means["latency"] * s.turns for s in found) == pytest.approx(sum(range(48)))


async def test_of_those_that_begin_at_once_one_varies_the_prompt(store: ExperimentStore) -> None:
    """Each has looked and found none that runs."""

    def made(name: str) -> Experiment:
        plan = Plan(name, arms=(Arm("now", 0), Arm("new", 1)), ramp=(Step(0, {"new": 0.5}),))
        return Experiment(plan, "salt", "draft", "chen", 1.0)

    drafts = [made(f"e{i}") for i in range(6)]
    for draft in drafts:
        await store.put(draft)
    began = [
        store.change(d, msgspec.structs.replace(d, state="running"), Event(1.0, "chen", "start"))
        for d in drafts
    ]
    found = await asyncio.gather(*began, return_exceptions=True)
    refused = [f for f in found if isinstance(f, CallerError)]
    assert len(refused) == 5 and {f.code for f in refused} == {"overlap"}
    assert len(await store.all("running")) == 1
