"""A lock that goes to whoever asked first, whether a coroutine or a thread.

SQLite lets whoever happens to look again at the right moment write, so that under load one writer may
wait for seconds while others pass by. Within a process its writers ask here before they ask SQLite.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from concurrent.futures import Future


class FairLock:
    """Whoever got it gives it back by ``release``, from wherever it is."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._held = False
        self._waiting: deque[tuple[float, Future[None]]] = deque()

    async def acquire(self, timeout: float) -> None:
        """Raises ``TimeoutError`` after so many seconds, and what the holder gives to ``fail``."""
        asked = self._ask()
        if asked is None:
            return
        try:
            async with asyncio.timeout(timeout):
                await asyncio.wrap_future(asked)
        except (TimeoutError, asyncio.CancelledError):
            self._leave(asked)
            raise

    def wait(self, timeout: float) -> None:
        """As ``acquire``, for a thread."""
        asked = self._ask()
        if asked is None:
            return
        try:
            asked.result(timeout)
        except TimeoutError:
            self._leave(asked)
            raise

    def release(self) -> None:
        with self._guard:
            while self._waiting:
                _, first = self._waiting.popleft()
                if first.set_running_or_notify_cancel():
                    first.set_result(None)
                    return
            self._held = False

    def fail(self, why: Exception, patience: float) -> None:
        """Raise ``why`` for those who have waited so many seconds: what the holder waited for in vain,
        they have waited for as long."""
        before = time.monotonic() - patience
        with self._guard:
            while self._waiting and self._waiting[0][0] <= before:
                _, first = self._waiting.popleft()
                if first.set_running_or_notify_cancel():
                    first.set_exception(why)

    def _ask(self) -> Future[None] | None:
        """None: it is the caller's now."""
        with self._guard:
            if not self._held:
                self._held = True
                return None
            asked: Future[None] = Future()
            self._waiting.append((time.monotonic(), asked))
            return asked

    def _leave(self, asked: Future[None]) -> None:
        """It may have been given at the moment of leaving."""
        if not asked.cancel() and asked.exception() is None:
            self.release()
