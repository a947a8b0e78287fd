"""What turns are made with now: the prompt version in use and the experiments that run, in memory.

Every process looks for changes every two seconds; where nothing is changed from what ships and nothing is
tried, the assistant has no board and a turn does not ask.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from dazi.core.experiments import Exposure, Figures, Variant, Variants
from dazi.core.language import Language
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
from dazi.ops.experiments.metrics import values_of
from dazi.ops.experiments.model import Experiment
from dazi.ops.experiments.store import ExperimentStore, Seen
from dazi.ops.prompts.model import VERSION_0, Version
from dazi.ops.prompts.store import PromptStore

POLL_S = 2.0
MOST_WAITING = 10_000
"""Measurements that wait for the database; what is beyond is not counted."""
log = logging.getLogger("dazi.experiments")


@dataclass(slots=True)
class _Now:
    active: Version
    versions: dict[int, Version] = field(default_factory=dict)
    running: tuple[Experiment, ...] = ()

    @property
    def anything(self) -> bool:
        return self.active.number != 0 or bool(self.running)


class Board:
    """Implements ``core.experiments.Variants``. ``tell`` is given itself while there is something to
    choose, else ``None``."""

    def __init__(
        self,
        prompts: PromptStore,
        store: ExperimentStore,
        tell: Callable[[Variants | None], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._prompts = prompts
        self._store = store
        self._tell = tell
        self._clock = clock
        self._state: _Now | None = None
        self._known: tuple[int, ...] = ()
        self._waiting: list[Seen] = []
        self._writer: asyncio.Task[None] | None = None
        self._one = asyncio.Lock()

    @property
    def active(self) -> Version:
        """The prompt version in use."""
        return self._state.active if self._state is not None else VERSION_0

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._clock()

    # --- what the assistant asks ----------------------------------------------------------------

    def of(self, principal: Principal, thread: str, language: Language) -> Variant:
        now = self._state
        assert now is not None, "asked before it has looked"
        version, model = now.active, ""
        exposures = []
        for experiment in now.running:
            exposure = exposure_of(experiment, principal, thread, language)
            if exposure is None:
                continue
            exposures.append(exposure)
            arm = experiment.plan.arm(exposure.arm)
            if arm.prompt is not None:
                version = now.versions[arm.prompt]
            model = arm.model or model
        content = version.content
        return Variant(version.number, content.texts, content.tools, model, tuple(exposures))

    def after(self, variant: Variant, principal: Principal, figures: Figures) -> None:
        if variant.exposures:
            values = values_of(figures)
            for exposure in variant.exposures:
                self._see(exposure, principal, values, turn=True)

    def handed_over(self, principal: Principal, thread: str) -> None:
        self._happened(principal, thread, "handed_over", 1.0)

    def rated(self, principal: Principal, thread: str, stars: int) -> None:
        self._happened(principal, thread, "rating", float(stars))

    def _happened(self, principal: Principal, thread: str, name: str, value: float) -> None:
        """Whatever takes part in an experiment is known by its turns, and not by what happens later."""
        now = self._state
        for experiment in now.running if now is not None else ():
            exposure = assigned(experiment, principal, thread)
            if exposure is not None:
                self._see(exposure, principal, {name: value}, turn=False)

    # --- looking for changes --------------------------------------------------------------------

    async def look(self) -> None:
        """Learn of what this or another process has changed."""
        async with self._one:
            version = await self._store.version()
            if version == self._known:
                return
            running = tuple(reversed(await self._store.all("running")))
            active = await self._prompts.get(await self._prompts.active())
            wanted = {a.prompt for e in running for a in e.plan.arms if a.prompt is not None}
            versions = {number: await self._prompts.get(number) for number in sorted(wanted)}
            self._state = _Now(active, versions, running)
            self._known = version
            self._tell(self if self._state.anything else None)

    async def run(self) -> None:
        """Look every two seconds, until cancelled."""
        while True:
            await asyncio.sleep(POLL_S)
            try:
                await self.look()
            except Exception:  # the database may come back; until then what was known stays
                log.exception("prompt versions and experiments could not be read")

    # --- taking down ----------------------------------------------------------------------------

    def _see(
        self, exposure: Exposure, principal: Principal, values: dict[str, float], *, turn: bool
    ) -> None:
        now = self._state
        found = (e for e in (now.running if now else ()) if e.name == exposure.experiment)
        experiment = next(found, None)
        if experiment is None or len(self._waiting) >= MOST_WAITING:
            return
        plan = experiment.plan
        self._waiting.append(
            Seen(
                exposure.experiment,
                exposure.subject,
                principal.tenant,
                "" if plan.unit == "tenant" else principal.user,
                exposure.arm,
                exposure.stage,
                values,
                self._clock(),
                plan.window_hours * 3600,
                turn,
            )
        )
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())

    async def happened(
        self, exposure: Exposure, principal: Principal, name: str, value: float
    ) -> None:
        """An event of a subject who has had a turn, kept before this returns."""
        self._see(exposure, principal, {name: value}, turn=False)
        await self.settle()

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                await self._store.see(batch)
            except Exception:  # an answer must not fail for it
                log.exception("%d measurements of experiments are lost", len(batch))

    async def settle(self) -> None:
        """Wait for what is being taken down."""
        while self._writer is not None and not self._writer.done():
            await asyncio.shield(self._writer)


def exposure_of(
    experiment: Experiment, principal: Principal, thread: str, language: str
) -> Exposure | None:
    """``None`` for who takes no part."""
    if not takes_part(experiment.plan.eligible, principal, language):
        return None
    return assigned(experiment, principal, thread)


def assigned(experiment: Experiment, principal: Principal, thread: str) -> Exposure | None:
    """Where a subject would be, whoever may take part; ``None`` for who is held out."""
    plan = experiment.plan
    if held_out(plan, person_of(plan.unit, principal)):
        return None
    digested = digest(experiment.salt, subject_of(plan.unit, principal, thread))
    arm = arm_at(plan, experiment.shares, place(digested))
    return Exposure(experiment.name, arm, digested, len(experiment.stages) - 1)
