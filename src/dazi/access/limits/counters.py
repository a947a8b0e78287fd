"""Counters that are checked and taken in one step: for one process here, for many in ``shared``.

A window slides in slots: of any ``WINDOW_S`` seconds no more than the limit is ever used, whenever
they begin.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

WINDOW_S = 60
SLOT_S = 5
SLOTS = WINDOW_S // SLOT_S + 1
"""The slots that a window may touch; counting all of them whole errs on the strict side."""

Kind = Literal["window", "lease", "total"]


@dataclass(frozen=True, slots=True)
class Want:
    """``amount`` of what ``key`` has ``limit`` of: within a window, at the same time (``lease``),
    or in all (``total``)."""

    kind: Kind
    key: str
    limit: int
    amount: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """``want`` cannot be had before ``retry_after`` seconds have gone."""

    want: Want
    retry_after: float


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken, and in which slot."""

    wants: tuple[Want, ...]
    slot: int
    id: str


class Counters(Protocol):
    async def take(self, id: str, wants: Sequence[Want]) -> Taken | Refusal:
        """All of it, or none and the first that there is not enough of."""
        ...

    async def settle(self, taken: Taken, amounts: Sequence[int]) -> None:
        """Really used was so much of each; leases end."""
        ...

    async def look(self, wants: Sequence[Want]) -> list[int]:
        """How much of each is taken now; nothing is taken by looking."""
        ...

    async def close(self) -> None: ...


class Totals(Protocol):
    """Where what is counted in all outlives the process."""

    async def load(self) -> dict[str, int]: ...

    async def save(self, key: str, used: int) -> None: ...


class ProcessCounters:
    """In memory, but for totals, which ``totals`` keeps. ``clock`` gives seconds that never go
    back."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, totals: Totals | None = None
    ) -> None:
        self._clock = clock
        self._totals = totals
        self._windows: dict[str, dict[int, int]] = {}
        self._numbers: dict[str, int] = {}

    async def take(self, id: str, wants: Sequence[Want]) -> Taken | Refusal:
        now = self._clock()
        slot = int(now // SLOT_S)
        for want in wants:
            missing = self._missing(want, slot, now)
            if missing is not None:
                return Refusal(want, missing)
        for want in wants:
            self._add(want, slot, want.amount)
        return Taken(tuple(wants), slot, id)

    async def open(self) -> None:
        if self._totals is not None:
            self._numbers.update(await self._totals.load())

    async def settle(self, taken: Taken, amounts: Sequence[int]) -> None:
        for want, used in zip(taken.wants, amounts, strict=True):
            if want.kind == "lease":
                self._add(want, taken.slot, -want.amount)
            elif used != want.amount:
                self._add(want, taken.slot, used - want.amount)
        for want in taken.wants:
            if want.kind == "total" and self._totals is not None:
                await self._totals.save(want.key, self._numbers.get(want.key, 0))

    async def look(self, wants: Sequence[Want]) -> list[int]:
        return [self.used(want) for want in wants]

    async def close(self) -> None:
        return None

    def used(self, want: Want) -> int:
        if want.kind != "window":
            return self._numbers.get(want.key, 0)
        if want.key not in self._windows:
            return 0
        return sum(self._current(want.key, int(self._clock() // SLOT_S)).values())

    def _missing(self, want: Want, slot: int, now: float) -> float | None:
        """Seconds until there is enough, or ``None`` where there is."""
        if want.kind != "window":
            full = self._numbers.get(want.key, 0) + want.amount > want.limit
            return 1.0 if full else None
        slots = self._current(want.key, slot)
        return wait_for(slots, want, now)

    def _current(self, key: str, slot: int) -> dict[int, int]:
        slots = self._windows.setdefault(key, {})
        for old in [s for s in slots if s <= slot - SLOTS]:
            del slots[old]
        return slots

    def _add(self, want: Want, slot: int, amount: int) -> None:
        if want.kind == "window":
            slots = self._windows.setdefault(want.key, {})
            slots[slot] = max(0, slots.get(slot, 0) + amount)
        else:
            self._numbers[want.key] = max(0, self._numbers.get(want.key, 0) + amount)


def wait_for(slots: dict[int, int], want: Want, now: float) -> float | None:
    """Seconds until enough of the window has passed for ``want``; ``None``: there is enough."""
    used = sum(slots.values())
    if used + want.amount <= want.limit:
        return None
    for slot in sorted(slots):
        used -= slots[slot]
        if used + want.amount <= want.limit:
            return max(0.0, (slot + SLOTS) * SLOT_S - now)
    return float(WINDOW_S)
