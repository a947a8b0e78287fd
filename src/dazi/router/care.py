"""Care with systems that are not well: reads are tried again, and a system that keeps failing is
left alone for a while. A write is never tried again."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import stamina

from dazi.core.errors import ConnectorError

UNWELL = frozenset({"timeout", "unavailable", "bad_response"})
WAIT_S, LONGEST_WAIT_S = 0.05, 0.5


@dataclass(frozen=True, slots=True)
class CareRules:
    """``attempts`` of a read in all; of a system's calls at most ``share`` are retries. After
    ``failures`` in a row a system rests for ``rest_s`` seconds; then one call tries it."""

    attempts: int = 3
    share: float = 0.2
    failures: int = 5
    rest_s: float = 15.0


@dataclass(slots=True)
class _System:
    calls: float = 0.0
    retries: float = 0.0
    failed: int = 0
    rests_until: float = 0.0
    probing: bool = False


@dataclass
class Care:
    """One for all systems of a router; ``clock`` gives monotonic seconds."""

    rules: CareRules = CareRules()
    clock: Callable[[], float] = time.monotonic
    _systems: dict[str, _System] = field(default_factory=dict)

    def resting(self, name: str) -> bool:
        """Is the system left alone just now?"""
        system = self._systems.get(name)
        if system is None or system.failed < self.rules.failures:
            return False
        return system.probing or self.clock() < system.rests_until

    async def read(self, name: str, seconds: float, work: Callable[[], Awaitable[Any]]) -> Any:
        """``work``'s answer, tried again within ``seconds`` where that can help."""
        began = time.monotonic()
        try:
            return await self.once(name, work)
        except ConnectorError as e:
            if self.rules.attempts < 2 or not self._again(name, e):
                raise
        await asyncio.sleep(random.uniform(WAIT_S, 2 * WAIT_S))
        again = stamina.AsyncRetryingCaller(
            attempts=self.rules.attempts - 1,
            timeout=max(seconds - (time.monotonic() - began), 0.0),
            wait_initial=WAIT_S,
            wait_max=LONGEST_WAIT_S,
            wait_jitter=WAIT_S,
        )
        return await again(lambda e: self._again(name, e), self.once, name, work)

    async def once(self, name: str, work: Callable[[], Awaitable[Any]]) -> Any:
        """``work``'s answer; what becomes of it is remembered. Raises ``ConnectorError`` at once
        where the system rests."""
        if self.resting(name):
            raise ConnectorError("unavailable", "系统暂停使用", "the system is given a rest")
        system = self._systems.setdefault(name, _System())
        system.calls = system.calls * 0.99 + 1
        system.probing = system.failed >= self.rules.failures
        try:
            answer = await work()
        except ConnectorError as e:
            self._note(system, well=e.code not in UNWELL)
            raise
        except TimeoutError:
            self._note(system, well=False)
            raise
        except BaseException:
            system.probing = False
            raise
        self._note(system, well=True)
        return answer

    def _note(self, system: _System, *, well: bool) -> None:
        system.probing = False
        system.failed = 0 if well else system.failed + 1
        if system.failed >= self.rules.failures:
            system.rests_until = self.clock() + self.rules.rest_s

    def _again(self, name: str, error: Exception) -> bool:
        """Unavailable may be over in a moment; a system that was slow once would be slow again."""
        if not isinstance(error, ConnectorError) or error.code != "unavailable":
            return False
        system = self._systems.setdefault(name, _System())
        if self.resting(name) or system.retries >= max(1.0, self.rules.share * system.calls):
            return False
        system.retries = system.retries * 0.99 + 1
        return True
