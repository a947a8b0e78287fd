"""Two servers asked the same, of which the first to begin is taken."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from dazi.core.engine import EngineEvent
from dazi.inference.pool.attempt import Attempt
from dazi.inference.pool.backend import Backend

Burst = Sequence[EngineEvent]


class Race:
    """Begins with ``attempt``; each has ``seconds`` for its first token. ``failed``: whose have."""

    def __init__(self, attempt: Attempt, seconds: float) -> None:
        self.failed: list[Backend] = []
        self._seconds = seconds
        self._trying: dict[asyncio.Task[Burst], Attempt] = {}
        self._join(attempt)

    async def run(
        self, after_s: float, other: Callable[[], Awaitable[Attempt | None]]
    ) -> tuple[Attempt, Burst]:
        """The winner and what it began with; the loser is told to stop. ``other`` is asked for only
        where nothing has come after ``after_s`` seconds. Raises what the last of them said."""
        winner: asyncio.Task[Burst] | None = None
        try:
            done, _ = await asyncio.wait(self._trying, timeout=after_s)
            if not done and (second := await other()) is not None:
                self._join(second)
            waiting = set(self._trying)
            while waiting and winner is None:
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    if task.exception() is None:
                        winner = task
                    else:
                        self.failed.append(self._trying[task].backend)
        finally:
            for task, attempt in self._trying.items():
                if task is not winner:
                    task.cancel()
                    await asyncio.gather(task, return_exceptions=True)
                    await attempt.close()
        if winner is None:
            raise next(e for t in reversed(self._trying) if (e := t.exception()) is not None)
        return self._trying[winner], winner.result()

    def _join(self, attempt: Attempt) -> None:
        self._trying[asyncio.create_task(attempt.first(self._seconds))] = attempt
