"""A server that keeps failing is left alone for a while (circuit breaker: Nygard, Release It!)."""

from __future__ import annotations

from collections.abc import Callable

LONGEST_REST = 8
"""Times the first rest."""


class Breaker:
    """``clock`` gives monotonic seconds. After ``failures`` in a row it opens for ``rest_s``; then one
    request tries the server, and what becomes of it closes or reopens."""

    __slots__ = ("_clock", "_failed", "_failures", "_opened", "_probing", "_rest_s", "_until")

    def __init__(self, failures: int, rest_s: float, clock: Callable[[], float]) -> None:
        self._failures, self._rest_s, self._clock = failures, rest_s, clock
        self._failed = self._opened = 0
        self._until = 0.0
        self._probing = False

    @property
    def open(self) -> bool:
        """Is the server left alone just now?"""
        if self._failed < self._failures:
            return False
        return self._probing or self._clock() < self._until

    @property
    def rests_s(self) -> float:
        """Seconds until it is tried again."""
        return max(0.0, self._until - self._clock()) if self._failed >= self._failures else 0.0

    def begin(self) -> bool:
        """A request goes there; is it the one that tries a server which has rested?"""
        if self._failed < self._failures:
            return False
        self._probing = True
        return True

    def well(self) -> None:
        self._failed = self._opened = 0
        self._probing = False

    def failed(self, *, tries: bool = False) -> None:
        """``tries``: what ``begin`` said of the request. Others that were under way when it opened say
        nothing new, and lengthen no rest."""
        if tries:
            self._probing = False
        elif self._failed >= self._failures:
            return
        self._failed = min(self._failed + 1, self._failures)
        if self._failed >= self._failures:
            longer = min(2**self._opened, LONGEST_REST)
            self._opened += 1
            self._until = self._clock() + self._rest_s * longer

    def left(self, *, tries: bool = False) -> None:
        """The request ended by itself: it says nothing of the server."""
        if tries:
            self._probing = False

    def try_now(self) -> None:
        """There is reason to think that it is well again: the next request may try it."""
        self._until = self._clock()
