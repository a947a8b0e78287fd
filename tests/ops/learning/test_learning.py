"""The schedule: nothing before enough is new, a dataset then, an adapter that waits for a person."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from dazi.core.errors import AccessError, CallerError, ConnectorError
from dazi.ops.datasets.folders import read_manifest
from dazi.ops.feedback.model import Given
from dazi.ops.learning.dataset import read
from dazi.ops.learning.learning import Learned, Place, Tuned, export, learn
from tests.ops.feedback.conftest import Start, World, turn_of, world

__all__ = ["world"]


@dataclass
class FakeTuner:
    """Implements ``ops.learning.learning.Tuner``."""

    passed: bool
    asked: list[tuple[str, int]] = field(default_factory=list)

    async def tune(self, dataset: str, version: int) -> Tuned:
        self.asked.append((dataset, version))
        return Tuned("feedback/1", self.passed, "gate")


async def accepted(w: World, n: int) -> None:
    for i in range(n):
        w.says(f"第 {i} 个回答。")
        said = await w.ask("customer", f"第 {i} 个问题", f"thread{i}")
        entry = await w.give(said, Given("up", consent=True))
        await w.learning.feedback.decide(w.who("admin"), entry.id, "accept")


def with_tuner(w: World, tuner: FakeTuner | None) -> Place:
    return replace(w.learning.place, tuner=tuner)


async def run(w: World, tuner: FakeTuner | None, least: int) -> Learned:
    service = w.learning.feedback
    return await learn(service, w.who("admin"), with_tuner(w, tuner), "feedback", least, None)


async def test_it_waits_for_enough_and_ends_with_a_dataset_without_tuning(world: Start) -> None:
    w = await world()
    await accepted(w, 2)
    assert await run(w, None, 3) == Learned("waiting", 2, 3)
    done = await run(w, None, 2)
    assert (done.state, done.dataset) == ("dataset", "feedback/1") and done.samples is not None
    assert sum(done.samples.values()) == 2
    assert len(list(read(w.learning.place.data / "datasets" / "feedback" / "1"))) == 2
    assert await run(w, None, 1) == Learned("waiting", 0, 1)
    (body,) = await w.ledger("feedback.export")
    assert (body["of"], body["samples"]) == ("feedback", 2)


async def test_another_dataset_of_the_same_samples_takes_nothing_from_the_schedule(
    world: Start,
) -> None:
    w = await world()
    await accepted(w, 2)
    service, admin = w.learning.feedback, w.who("admin")
    await export(service, admin, w.learning.place, "look")
    with pytest.raises(CallerError, match="nothing new"):
        await export(service, admin, w.learning.place, "look", fresh=True)
    done = await run(w, None, 2)
    assert (done.state, done.fresh, done.dataset) == ("dataset", 2, "feedback/1")
    await export(service, admin, w.learning.place, "look")
    assert await run(w, None, 1) == Learned("waiting", 0, 1)
    (entry, _) = await service.accepted(admin, fresh=False)
    messages = [{"role": "user", "content": "改过"}, {"role": "assistant", "content": "的"}]
    await service.decide(admin, entry.id, "accept", sample={"messages": messages})
    assert (await run(w, None, 1)).fresh == 1


async def test_who_is_erased_while_a_dataset_is_made_is_not_in_it(
    world: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    w = await world()
    await accepted(w, 2)
    service, admin = w.learning.feedback, w.who("admin")
    real, gone = service.store.exported, await service.accepted(admin, fresh=False)

    async def exported(ids: Any, dataset: str) -> None:
        await real(ids, dataset)
        await service.store.remove(gone[0].id)

    monkeypatch.setattr(service.store, "exported", exported)
    made = await export(service, admin, w.learning.place, "feedback")
    assert (made.version, [s["source"]["ref"] for s in read(made.folder)]) == (2, [gone[1].id])
    first = made.folder.with_name("1")
    assert not list(read(first)) and read_manifest(first).withdrawn is not None


@pytest.mark.parametrize("how", ["private", "refuse", "take_back", "again"])
async def test_what_may_not_be_learned_from_any_more_goes_out_of_datasets(
    world: Start, how: str
) -> None:
    w = await world()
    w.says("一个回答。")
    said = await w.ask("customer", "一个问题", "other")
    entry = await w.give(said, Given("up", consent=True))
    service, admin = w.learning.feedback, w.who("admin")
    await service.decide(admin, entry.id, "accept")
    await accepted(w, 1)
    made = await export(service, admin, w.learning.place, "feedback")
    if how == "private":
        await service.decide(admin, entry.id, "private")
    elif how == "refuse":
        await service.decide(admin, entry.id, "refuse", "不对")
    elif how == "take_back":
        await service.take_back(w.who("customer"), turn_of(said))
    else:
        await w.give(said, Given("up"))
    assert read_manifest(made.folder).withdrawn is not None and not list(read(made.folder))
    (left,) = read(made.folder.with_name("2"))
    assert left["source"]["ref"] != entry.id
    assert "it may not be learned from any more" in (made.folder / "card.md").read_text("utf-8")


class Stopped(Exception):
    pass


class BreaksOff:
    """A job's run that is killed once, before the step ``at`` is kept."""

    def __init__(self, at: str) -> None:
        self.at, self.kept = at, {}  # type: ignore[var-annotated]

    def report(self, *_: object) -> None:
        pass

    async def step(self, name: str, work: Any, type: Any) -> Any:
        if name not in self.kept:
            made = await work()
            if name == self.at:
                self.at = ""
                raise Stopped
            self.kept[name] = made
        return self.kept[name]


async def test_a_run_that_was_killed_goes_on_to_the_training(world: Start) -> None:
    w = await world()
    await accepted(w, 2)
    tuner, job = FakeTuner(True), BreaksOff("dataset")
    service, by, place = w.learning.feedback, w.who("admin"), with_tuner(w, tuner)
    with pytest.raises(Stopped):
        await learn(service, by, place, "feedback", 2, job)  # type: ignore[arg-type]
    done = await learn(service, by, place, "feedback", 2, job)  # type: ignore[arg-type]
    assert (done.state, done.fresh) == ("confirm", 2) and len(tuner.asked) == 1


class Broken(FakeTuner):
    async def tune(self, dataset: str, version: int) -> Tuned:
        await super().tune(dataset, version)
        raise ConnectorError("tuning", "训练中断", "the training broke off")


async def test_a_training_that_broke_off_is_made_up_for_by_the_next_run(world: Start) -> None:
    """Its samples are in a dataset by then, and none is new."""
    w = await world()
    await accepted(w, 2)
    with pytest.raises(ConnectorError):
        await run(w, Broken(True), 2)
    assert (await run(w, None, 2)).state == "waiting"
    tuner = FakeTuner(False)
    done = await run(w, tuner, 2)
    assert (done.state, done.fresh, tuner.asked) == ("refused", 0, [("feedback", 1)])
    assert done.samples is not None and sum(done.samples.values()) == 2
    assert (await run(w, tuner, 2)).state == "waiting" and len(tuner.asked) == 1


@pytest.mark.parametrize(("passed", "state"), [(True, "confirm"), (False, "refused")])
async def test_an_adapter_waits_for_a_person_and_is_never_deployed(
    world: Start, passed: bool, state: str
) -> None:
    w = await world()
    await accepted(w, 1)
    tuner = FakeTuner(passed)
    done = await run(w, tuner, 1)
    assert (done.state, done.adapter, tuner.asked) == (state, "feedback/1", [("feedback", 1)])
    (body,) = await w.ledger("learning.tuned")
    assert body["passed"] is passed
    assert w.runtime.engine.profile.name == "scripted-1"


async def test_it_is_a_job_for_reviewers_that_can_be_scheduled(world: Start) -> None:
    w = await world(learn_least=1)
    await accepted(w, 1)
    jobs = w.runtime.jobs
    assert jobs is not None and jobs.workers is not None
    wrong: list[Any] = [{"least": 0}, {"least": "few"}, {"dataset": "../x"}, {"deploy": True}]
    for arguments in wrong:
        with pytest.raises(CallerError):
            await jobs.begin(w.who("admin"), "learn", arguments)
    with pytest.raises(AccessError):
        await jobs.begin(w.who("customer"), "learn", {})
    rule = await jobs.schedule(w.who("admin"), "learn", {}, "0 3 * * *")
    assert rule.arguments == {"dataset": "feedback", "least": 1}
    job = await jobs.begin(w.who("admin"), "learn", {})
    await jobs.workers.drain()
    result = (await jobs.store.get(job.id, w.who("admin"))).result
    assert result["state"] == "dataset" and result["dataset"] == "feedback/1"
