"""Experiments for whoever may read or change them. Every change is on record before it counts."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from msgspec import structs

from dazi.access.recording import Record, recorded, refuse
from dazi.core.errors import AccessError, CallerError, NotFound
from dazi.core.language import Text
from dazi.core.principal import Principal
from dazi.ops.experiments.analysis import Analysis, analyse
from dazi.ops.experiments.board import Board, assigned
from dazi.ops.experiments.deciding import decision
from dazi.ops.experiments.metrics import EVENT, metric
from dazi.ops.experiments.model import Event, Experiment, Stage, State
from dazi.ops.experiments.plan import Plan, check, percent, wrong_shares
from dazi.ops.experiments.store import ExperimentStore, new_event, require_alone
from dazi.ops.prompts.rights import require_change, require_read
from dazi.ops.prompts.service import PromptService

MAY: Mapping[str, tuple[State, ...]] = {
    "start": ("draft",),
    "pause": ("running",),
    "resume": ("paused",),
    "shares": ("running", "paused"),
    "stop_arm": ("running", "paused"),
    "stop": ("running", "paused"),
    "promote": ("running", "paused", "stopped"),
}
"""What may be done to an experiment, in which states."""
SENT = ("rating",)
"""Built-in metrics that may be sent as events, beside those that a plan names."""


@dataclass(frozen=True, slots=True)
class Looked:
    """An experiment with what it says so far."""

    experiment: Experiment
    analysis: Analysis
    decision: tuple[Text, ...]
    events: tuple[Event, ...]


class ExperimentService:
    """``models``: the names that the engine serves; ``clock``: seconds since the epoch."""

    def __init__(
        self,
        store: ExperimentStore,
        prompts: PromptService,
        board: Board,
        record: Record,
        models: Callable[[], tuple[str, ...]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.store = store
        self.prompts = prompts
        self.board = board
        self._record = record
        self._models = models
        self.clock = clock

    # --- reading ---------------------------------------------------------------------------------

    async def all(self, by: Principal) -> list[Experiment]:
        """The latest first. Raises ``AccessError``, as everything here."""
        require_read(by)
        return await self.store.all()

    async def look(self, by: Principal, name: str) -> Looked:
        """Raises ``NotFound``."""
        require_read(by)
        experiment = await self.store.get(name)
        subjects = await self.store.subjects(name)
        found = await asyncio.to_thread(analyse, experiment, subjects, self.clock())
        events = tuple(await self.store.events(name))
        return Looked(experiment, found, tuple(decision(experiment, found)), events)

    # --- changing --------------------------------------------------------------------------------

    async def create(self, by: Principal, plan: Plan) -> Experiment:
        """Raises ``CallerError`` for a plan that is wrong, and ``NotFound`` for a version that is
        not there."""
        await self._changing(by, "experiment.create")
        check(plan)
        for arm in plan.arms:
            await self.prompts.store.get(arm.prompt or 0)
        made = Experiment(plan, secrets.token_hex(16), "draft", by.user, self.clock())
        async with recorded(self._record, by, "experiment.create", experiment=plan.name):
            await self.store.put(made)
        return made

    async def start(self, by: Principal, name: str) -> Experiment:
        """Raises ``CallerError`` where another one that runs varies the same, for models that nobody
        serves, and for texts that the model would not be told."""
        old = await self._old(by, name, "start")
        plan = old.plan
        require_alone(plan, await self.store.all("running"))
        self._require_served(plan)
        await self._would_be_told(plan)
        # From now on "whichever is in use" is the version that is in use now: an arm must not change.
        if "prompt" in plan.varies:
            active = await self.prompts.store.active()
            arms = tuple(structs.replace(a, prompt=_or(a.prompt, active)) for a in plan.arms)
            plan = structs.replace(plan, arms=arms)
            check(plan)
        now = self.clock()
        stages = (Stage(now, dict(plan.ramp[0].shares), 0),)
        new = structs.replace(old, plan=plan, state="running", started=now, stages=stages)
        return await self._change(by, old, new, "start", _told(stages[0].shares))

    async def pause(self, by: Principal, name: str) -> Experiment:
        """Everybody is answered as if there were no experiment; nothing is counted."""
        old = await self._old(by, name, "pause")
        new = structs.replace(old, state="paused", paused=self.clock())
        return await self._change(by, old, new, "pause")

    async def resume(self, by: Principal, name: str) -> Experiment:
        """Its ramp goes on where it was. Raises ``CallerError`` as ``start``."""
        old = await self._old(by, name, "resume")
        require_alone(old.plan, await self.store.all("running"))
        self._require_served(old.plan)
        rested = old.rested + self.clock() - old.paused if old.paused else old.rested
        new = structs.replace(old, state="running", paused=0.0, rested=rested)
        return await self._change(by, old, new, "resume")

    async def set_shares(self, by: Principal, name: str, shares: Mapping[str, float]) -> Experiment:
        """From now on, in place of the plan's steps. Raises ``CallerError`` where one gets smaller."""
        old = await self._old(by, name, "shares")
        shares = {n: s for n, s in shares.items() if n not in old.stopped or s}
        stopped = dict.fromkeys(old.stopped, 0.0)
        given = {**stopped, **shares}
        wrong = wrong_shares(old.plan, given, old.shares)
        if wrong is None and any(given[n] for n in stopped):
            wrong = Text("停了的 arm 不能再给人", "an arm that was stopped gets nobody any more")
        if wrong is not None:
            raise CallerError("shares", wrong.zh, wrong.en)
        stages = (*old.stages, Stage(self.clock(), given))
        return await self._change(
            by, old, structs.replace(old, stages=stages), "shares", _told(given)
        )

    async def stop_arm(self, by: Principal, name: str, arm: str, why: str = "") -> Experiment:
        """Nobody is in it any more. Raises ``NotFound`` for none, or one that is stopped."""
        old = await self._old(by, name, "stop_arm")
        if arm not in {a.name for a in old.plan.treatments} - set(old.stopped):
            raise NotFound("arm", "没有这个 arm,或已停", "there is no such arm, or it is stopped")
        why = why or "由人停掉 / by hand"
        new = without(old, arm, why, self.clock())
        return await self._change(by, old, new, "stop_arm", f"{arm}: {why}")

    async def stop(self, by: Principal, name: str) -> Experiment:
        """For good; what it found stays."""
        old = await self._old(by, name, "stop")
        new = structs.replace(old, state="stopped", ended=self.clock())
        return await self._change(by, old, new, "stop")

    async def promote(self, by: Principal, name: str, arm: str) -> Text:
        """For everybody from now on: what to do about the model is told, the prompt version is
        activated. Raises ``NotFound``."""
        old = await self._old(by, name, "promote")
        if arm not in {a.name for a in old.plan.arms}:
            raise NotFound("arm", "没有这个 arm", "there is no such arm")
        chosen = old.plan.arm(arm)
        prompt = chosen.prompt
        if prompt == await self.prompts.store.active():
            prompt = None
        if prompt is not None:
            await self.prompts.require_usable(prompt)  # before the experiment ends
        ended = old.ended or self.clock()
        new = structs.replace(old, state="promoted", ended=ended, promoted=arm)
        await self._change(by, old, new, "promote", arm)
        if prompt is not None:
            await self.prompts.activate(by, prompt)
        return promoted_words(old.plan, arm)

    # --- what subjects do ------------------------------------------------------------------------

    async def happened(
        self, by: Principal, name: str, event: str, value: float, thread: str
    ) -> None:
        """Something that a subject did. Raises ``NotFound`` where ``by`` has had no turn in it, which
        looks the same as no such experiment, and ``CallerError`` for an event that it does not count."""
        nothing = NotFound("experiment", "没有这个实验", "there is no such experiment")
        running = {e.name: e for e in await self.store.all("running")}
        found = running.get(name)
        if found is None:
            raise nothing
        exposure = assigned(found, by, thread)
        if exposure is None or await self.store.exposed(name, exposure.subject) is None:
            raise nothing
        measured = event if event in SENT else f"{EVENT}{event}"
        if measured not in found.plan.measured:
            known = ", ".join(n.removeprefix(EVENT) for n in found.plan.measured if _sent(n))
            raise CallerError(
                "event",
                f"这个实验不统计 {event[:60]};统计的有:{known or '无'}",
                f"this experiment does not count {event[:60]}; it counts: {known or 'none'}",
            )
        cap = metric(measured).cap
        if not 0 <= value <= cap:
            raise CallerError(
                "value", f"value 在 0 到 {cap:g} 之间", f"value is between 0 and {cap:g}"
            )
        await self.board.happened(exposure, by, measured, value)

    # --- inside ----------------------------------------------------------------------------------

    async def _changing(self, by: Principal, act: str, name: str = "") -> None:
        try:
            require_change(by)
        except AccessError as e:
            await refuse(self._record, by, act, e)

    async def _old(self, by: Principal, name: str, act: str) -> Experiment:
        await self._changing(by, f"experiment.{act}", name)
        old = await self.store.get(name)
        if old.state not in MAY[act]:
            raise CallerError(
                "state",
                f"实验现在是 {old.state},不能这样做",
                f"the experiment is {old.state}; that cannot be done",
            )
        return old

    async def _change(
        self, by: Principal, old: Experiment, new: Experiment, act: str, detail: str = ""
    ) -> Experiment:
        told = {"experiment": old.name, "state": new.state, "detail": detail}
        async with recorded(self._record, by, f"experiment.{act}", **told):
            new = await self.store.change(old, new, new_event(by.user, act, detail))
        await self.board.look()
        return new

    def _require_served(self, plan: Plan) -> None:
        unserved = sorted({a.model for a in plan.arms if a.model} - set(self._models()))
        if unserved:
            known = ", ".join(self._models())
            raise CallerError(
                "model_not_found",
                f"没有模型 {', '.join(unserved)};可用:{known}",
                f"there is no model {', '.join(unserved)}; there are: {known}",
            )

    async def _would_be_told(self, plan: Plan) -> None:
        """A model that is told no rules would make the arms of a prompt the same."""
        if not self.prompts.ignored or "prompt" not in plan.varies:
            return
        contents = [
            (await self.prompts.store.get(_or(a.prompt, 0))).content.tools for a in plan.arms
        ]
        if all(tools == contents[0] for tools in contents):
            raise CallerError(
                "concise_model",
                "现在的模型太小,不读规则文字,这些版本对它是一样的;换一个模型,或只比较工具说明",
                "the model is too small to be told rules: these versions are the same to it. Take another "
                "model, or compare descriptions of tools",
            )


def without(old: Experiment, arm: str, why: str, now: float) -> Experiment:
    """With nobody in ``arm``; stopped altogether where it was the last one."""
    stopped = {**old.stopped, arm: why}
    shares = {n: (0.0 if n in stopped else s) for n, s in old.shares.items()}
    stage = Stage(now, shares, old.stages[-1].step)  # the ramp of the others goes on
    new = structs.replace(old, stopped=stopped, stages=(*old.stages, stage))
    if len(stopped) == len(old.plan.treatments):
        new = structs.replace(new, state="stopped", ended=now)
    return new


def promoted_words(plan: Plan, arm: str) -> Text:
    """What was done, and what is left to do."""
    chosen, zh, en = plan.arm(arm), [], []
    if chosen.prompt is not None:
        zh.append(f"提示词版本 {chosen.prompt} 已对所有人启用")
        en.append(f"prompt version {chosen.prompt} is in use for everybody")
    if chosen.model:
        zh.append(
            f"模型要由您来换:设 DAZI_MODEL={chosen.model},或在 models.yaml 里让 {chosen.model} 排第一"
        )
        en.append(
            f"the model is yours to change: set DAZI_MODEL={chosen.model}, or let {chosen.model} come first "
            "in models.yaml"
        )
    if not zh:
        return Text("保持原样。", "Everything stays as it was.")
    return Text(";".join(zh) + "。", "; ".join(en) + ".")


def _or(prompt: int | None, active: int) -> int:
    return active if prompt is None else prompt


def _told(shares: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {percent(share)}" for name, share in shares.items())


def _sent(name: str) -> bool:
    return name in SENT or name.startswith(EVENT)
