"""What is found where, and which of two findings at one place stays."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple


class Certainty(IntEnum):
    """How a finding is known: by its shape, by a label beside it, by a check digit, or by a check
    character and what the number says beside it, such as a date of birth."""

    SHAPE = 1
    LABEL = 2
    DIGIT = 3
    PROOF = 4


class Finding(NamedTuple):
    """``start`` and ``end`` are code points of the text, the end not included. ``type`` is a
    recogniser's, or ``word:SEVERITY``. ``since`` is where the label begins that belongs to it, if
    its pattern has one, else ``start``."""

    start: int
    end: int
    type: str
    certainty: Certainty
    since: int

    def overlaps(self, other: Finding) -> bool:
        return self.start < other.end and other.start < self.end


def _weight(f: Finding) -> tuple[int, int, int, str]:
    return f.start - f.end, -f.certainty, f.start, f.type


def resolve(candidates: Iterable[Finding]) -> tuple[Finding, ...]:
    """One finding a place, by position: the longest stays, of equals the most certain."""
    kept: list[Finding] = []
    starts: list[int] = []
    for f in sorted(candidates, key=_weight):
        i = bisect(starts, f.start)
        if (i and kept[i - 1].overlaps(f)) or (i < len(kept) and kept[i].overlaps(f)):
            continue
        kept.insert(i, f)
        starts.insert(i, f.start)
    return tuple(kept)


def groups(candidates: Iterable[Finding]) -> list[list[Finding]]:
    """Findings that hang together by overlapping, by position, the longest and most certain first."""
    found: list[list[Finding]] = []
    end = -1
    for f in sorted(candidates, key=lambda f: f.start):
        if f.start < end:
            found[-1].append(f)
        else:
            found.append([f])
        end = max(end, f.end)
    return [sorted(group, key=_weight) for group in found]
