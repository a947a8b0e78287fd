"""From accepted feedback to a dataset, and on to an adapter: by schedule, and never into use by itself.

A dataset is made once enough samples are new. Where tuning is set up, an adapter is then trained beside
the service; if it passes its gate it waits for a person, who deploys it. Nothing here deploys.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import msgspec

from dazi.access.recording import recorded
from dazi.core.errors import CallerError, NotFound
from dazi.core.language import Text
from dazi.core.principal import Principal
from dazi.ops.datasets.erasing import TAKEN_BACK, leave_out, withdraw
from dazi.ops.datasets.folders import REFUSED, checked_name, lines, read_manifest, root
from dazi.ops.datasets.folders import place as latest
from dazi.ops.feedback.model import Entry
from dazi.ops.feedback.rights import require_review
from dazi.ops.feedback.service import FeedbackService
from dazi.ops.learning.dataset import Made, Wanted, make, read
from dazi.store.jobs.work import Kind, Run

KIND = "learn"
DATASET = "feedback"
"""What a dataset is called where nobody names it."""
OWED = ".owed"
"""Stands in a dataset's folder until an adapter was trained on its latest version, whatever its gate said:
a training that broke off is begun again by the next run, without waiting for new samples."""
MAKING = Text("整理采纳的样本", "gathering accepted samples")
TRAINING = Text("训练适配器", "training an adapter")


@dataclass(frozen=True, slots=True)
class Tuned:
    """An adapter that was trained. ``passed``: its gate; ``told``: what the gate said."""

    adapter: str
    passed: bool
    told: str = ""


class Tuner(Protocol):
    """Trains beside the service, at the lowest priority. Deploys nothing."""

    async def tune(self, dataset: str, version: int) -> Tuned:
        """Raises ``ConnectorError`` where the training broke off."""
        ...


@dataclass(frozen=True, slots=True)
class Learned:
    """What a run came to. ``state``: ``waiting`` for more samples, ``dataset`` made, ``refused`` by the
    gate, or ``confirm``: an adapter that passed waits for a person to deploy it."""

    state: str
    fresh: int
    least: int
    dataset: str = ""
    samples: Mapping[str, int] | None = None
    adapter: str = ""
    told: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """``tools``: as the model sees them, by name. ``least``: so many new samples are worth a dataset.
    ``tuner``: none where tuning is not set up."""

    data: Path
    tools: Mapping[str, Any]
    least: int
    tuner: Tuner | None = None


async def export(
    service: FeedbackService, by: Principal, place: Place, name: str, *, fresh: bool = False
) -> Made:
    """A version of the dataset from everything that is accepted; with ``fresh`` nothing where nothing is
    new. Raises as ``make``, and ``AccessError``."""
    entries = await service.accepted(by, fresh=False)
    if fresh and not await asyncio.to_thread(_new, place.data, checked_name(name), entries):
        raise CallerError("dataset", "没有新采纳的样本", "nothing new was accepted")
    recipe = {"from": "feedback", "ground": service.parts.ground}
    async with recorded(service.parts.record, by, "feedback.export", of=name, samples=len(entries)):
        while True:
            samples = [e.sample for e in entries if e.sample is not None]
            wanted = Wanted(checked_name(name), samples, place.tools, recipe)
            made = await asyncio.to_thread(make, place.data, wanted)
            await service.store.exported([e.id for e in entries], f"{name}/{made.version}")
            there = {e.id for e in await service.accepted(by, fresh=False)}
            entries, before = [e for e in entries if e.id in there], entries
            if len(entries) == len(before):
                return made
            # Somebody was erased, or thought better of it, meanwhile.
            await asyncio.to_thread(withdraw, made.folder, TAKEN_BACK)


def _new(data: Path, name: str, entries: Sequence[Entry]) -> list[Entry]:
    """Those whose sample is not in the dataset's latest version as it is: other datasets may be made
    of the same entries, and this one does without none of them."""
    try:
        folder = latest(data, name)
    except NotFound:
        return list(entries)
    there = {s["id"]: s["messages"] for s in read(folder)}
    refused = {msgspec.json.decode(line).get("id") for line in lines(folder / REFUSED)}

    def known(e: Entry) -> bool:
        sample = e.sample or {}
        id = sample.get("id")
        return there.get(id) == sample.get("messages") or (id in refused and bool(e.dataset))

    return [e for e in entries if not known(e)]


def leaving_out(data: Path) -> Callable[[str], Awaitable[None]]:
    """For ``FeedbackService.leave_out``, with the datasets of the data folder ``data``."""

    async def out(sample: str) -> None:
        await asyncio.to_thread(leave_out, data, frozenset({sample}), TAKEN_BACK)

    return out


async def learn(
    service: FeedbackService, by: Principal, place: Place, name: str, least: int, run: Run | None
) -> Learned:
    """One run of the schedule. What was done before it broke off is not done again."""
    require_review(by)

    async def counted() -> int:
        entries = await service.accepted(by, fresh=False)
        return len(await asyncio.to_thread(_new, place.data, name, entries))

    # Kept by itself: once the dataset is made nothing is new, and a run that is taken up goes on.
    fresh = await (run.step("fresh", counted, int) if run is not None else counted())
    if run is not None:
        run.report(MAKING, 0.1)

    owed = root(place.data) / name / OWED

    async def made() -> dict[str, Any]:
        if fresh < least:
            return _latest(place.data, name) if place.tuner and owed.is_file() else {}
        done = await export(service, by, place, name)
        if place.tuner is not None:
            owed.touch()
        return {"version": done.version, "samples": dict(done.samples)}

    found = await (run.step("dataset", made, dict) if run is not None else made())
    if not found:
        return Learned("waiting", fresh, least)
    dataset, samples = f"{name}/{found['version']}", found["samples"]
    if place.tuner is None:
        return Learned("dataset", fresh, least, dataset, samples)
    if run is not None:
        run.report(TRAINING, 0.3)
    tuned = await place.tuner.tune(name, int(found["version"]))
    owed.unlink(missing_ok=True)
    state = "confirm" if tuned.passed else "refused"
    said = {"of": tuned.adapter, "dataset": dataset, "passed": tuned.passed}
    await service.parts.record("admin", by.user, {"act": "learning.tuned", **said})
    return Learned(state, fresh, least, dataset, samples, tuned.adapter, tuned.told)


def _latest(data: Path, name: str) -> dict[str, Any]:
    """The version that is to be trained on still; empty where it is withdrawn by now."""
    try:
        folder = latest(data, name)
    except NotFound:
        return {}
    return {"version": int(folder.name), "samples": dict(read_manifest(folder).splits)}


def learning_kind(service: FeedbackService, place: Place) -> Kind:
    """``{"dataset": NAME, "least": N}``, for those who review."""

    async def check(principal: Principal, arguments: Any) -> Any:
        require_review(principal)
        given = arguments if isinstance(arguments, Mapping) else {}
        name, least = given.get("dataset", DATASET), given.get("least", place.least)
        if isinstance(least, str) and least.isascii() and least.isdigit():
            least = int(least[:9])  # as a command has it
        if set(given) - {"dataset", "least"} or type(least) is not int or least < 1:
            raise CallerError(
                "arguments",
                '参数写成 {"dataset": 名字, "least": 至少几条新样本}',
                'arguments are {"dataset": NAME, "least": NEW SAMPLES}',
            )
        return {"dataset": checked_name(str(name)), "least": least}

    async def work(run: Run) -> Any:
        given = run.arguments
        found = await learn(
            service, run.principal, place, given["dataset"], int(given["least"]), run
        )
        return asdict(found)

    return Kind(
        KIND,
        Text("从反馈学习:做数据集,训练适配器", "learn from feedback: a dataset, an adapter"),
        check,
        work,
        seconds=24 * 3_600.0,
    )
