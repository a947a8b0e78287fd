"""Jobs as channels see them: begin, look, cancel, come again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from dazi.core.errors import DaziError, NotFound
from dazi.core.language import Language
from dazi.core.principal import Principal
from dazi.store.jobs.model import Job, NewFile, NewJob
from dazi.store.jobs.records import JobStore
from dazi.store.jobs.schedules import LOOK_S, Schedule, ScheduleStore
from dazi.store.jobs.work import Kind, Workers

log = logging.getLogger("dazi.jobs")


class JobService:
    """``workers``: those of this process; where there are none, others work on what is put."""

    def __init__(
        self,
        store: JobStore,
        schedules: ScheduleStore,
        kinds: Mapping[str, Kind],
        workers: Workers | None = None,
    ) -> None:
        self.store, self.schedules, self.kinds, self.workers = store, schedules, kinds, workers

    async def begin(
        self,
        principal: Principal,
        kind: str,
        arguments: Any,
        title: str = "",
        *,
        language: Language = "zh",
        key: str = "",
        batch: str = "",
        files: Sequence[NewFile] = (),
    ) -> Job:
        """Put a job, by default under the name of its kind. ``files`` are what it works on. Raises
        ``NotFound`` for a kind that is none, what its ``check`` raises, and as ``JobStore.put``."""
        of = self.kind(kind)
        kept = await of.check(principal, arguments)
        job = await self.store.put(
            principal,
            NewJob(kind, title or of.title(language), kept, key=key, batch=batch),
            files,
        )
        if self.workers is not None:
            self.workers.wake()
        return job

    async def schedule(
        self,
        principal: Principal,
        kind: str,
        arguments: Any,
        cron: str,
        title: str = "",
        *,
        language: Language = "zh",
    ) -> Schedule:
        """Raises as ``begin``, and ``CallerError`` for a cron expression that is none."""
        of = self.kind(kind)
        kept = await of.check(principal, arguments)
        named = title or of.title(language)
        return await self.schedules.put(principal, kind, named, kept, cron)

    def kind(self, name: str) -> Kind:
        """Raises ``NotFound``."""
        found = self.kinds.get(name)
        if found is None:
            names = ", ".join(sorted(self.kinds))
            raise NotFound(
                "job_kind",
                f"没有 {name[:40]} 这种任务;有:{names}",
                f"there are no jobs of the kind {name[:40]}; there are: {names}",
            )
        return found

    async def keep_scheduled(self, every_s: float = LOOK_S) -> None:
        """Put what is due now and then, until cancelled."""
        while True:
            try:
                if await self.schedules.put_due(self.store) and self.workers is not None:
                    self.workers.wake()
            except DaziError:  # the database may come back
                log.exception("schedules could not be looked through")
            await asyncio.sleep(every_s)
