"""Which of several sets of strings have a member in a text, in whatever case: found by Hyperscan in
one pass, and where it is not installed or does not run by looking for each.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from threading import Lock
from typing import Any

from dazi.guard import hyperscan_anchors
from dazi.guard.folding import Folded

_DOTS = str.maketrans("\u0130\u0131", "ii")
"""``re`` takes both for an i where case does not matter."""


class StringSets:
    """Safe to use from several threads. The first use takes some milliseconds."""

    def __init__(self, sets: Sequence[Sequence[str]]) -> None:
        self._sets = [[s.lower() for s in one] for one in sets]
        self._lock = Lock()

    def present(self, folded: Folded) -> set[int]:
        """Their numbers. It may name one too many, and never one too few."""
        if not folded.text.isascii() and ("\u0130" in folded.text or "\u0131" in folded.text):
            folded = Folded(folded.text.translate(_DOTS), None)
        if self._database is None:
            text = folded.text.lower()
            return {i for i, one in enumerate(self._sets) if any(s in text for s in one)}
        found: set[int] = set()

        def note(i: int, _start: int, _end: int, _flags: int, _context: object) -> None:
            found.add(i)

        with self._lock:  # a database has one scratch space
            self._database.scan(folded.raw, match_event_handler=note)
        return found

    @cached_property
    def _database(self) -> Any:
        numbered = [(i, s) for i, one in enumerate(self._sets) for s in one]
        return hyperscan_anchors.once_each(numbered)
