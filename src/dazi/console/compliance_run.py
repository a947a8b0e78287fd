"""The checks of compliance, run by whoever asks first while others look on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from dazi.console import compliance_texts as texts
from dazi.core.errors import CallerError
from dazi.ops.compliance.report import Report

Survey = Callable[
    [tuple[str, ...], Callable[[int, int], None], Callable[[], bool]],
    Coroutine[Any, Any, Report | None],
]
"""Of these frameworks; tells how many checks of how many are done, from another thread, and gives up
with ``None`` once the last says so."""


class Compliance:
    """The checks of one process: one run at a time, and the last report."""

    def __init__(self, survey: Survey) -> None:
        self._survey = survey
        self._task: asyncio.Task[Report | None] | None = None
        self._stop = threading.Event()
        self.progress = (0, 0)
        self.report: Report | None = None
        self.stopped = False
        self.failed: BaseException | None = None

    @property
    def running(self) -> bool:
        return self._task is not None

    def begin(self, frameworks: tuple[str, ...]) -> None:
        """Raises ``CallerError`` while they run."""
        if self._task is not None:
            raise CallerError("busy", texts.BUSY.zh, texts.BUSY.en)
        self._stop.clear()
        self.progress, self.stopped, self.failed = (0, 0), False, None
        work = self._survey(frameworks, self._told, self._stop.is_set)
        self._task = asyncio.create_task(work, name="compliance")
        self._task.add_done_callback(self._ended)

    def stop(self) -> None:
        """At the end of the check that is under way."""
        self._stop.set()

    def _told(self, done: int, of: int) -> None:
        self.progress = (done, of)

    def _ended(self, task: asyncio.Task[Report | None]) -> None:
        self._task = None
        with suppress(asyncio.CancelledError):
            self.failed = task.exception()
            found = task.result() if self.failed is None else None
            self.stopped = self.failed is None and found is None
            self.report = found or self.report
