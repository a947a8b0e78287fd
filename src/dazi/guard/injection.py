"""Signs that a tool's result or a document speaks to the model instead of informing it.

For policies and for people who look into a case: a label, a weight, a place. It is no defence. Whoever
knows the list writes around it, and a text about injections has all the signs. What holds is that
text from outside is labelled as such, and that what it asks for needs a person's approval.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from dazi.core.signals import Label
from dazi.guard.folding import Folded, fold
from dazi.guard.injection_signs import SIGNS
from dazi.guard.string_sets import StringSets

_COMPILED = tuple(re.compile(sign.pattern, re.IGNORECASE) for sign in SIGNS)
_ANCHORS = StringSets([sign.anchors for sign in SIGNS])
_HIDDEN_WEIGHT, _HIDDEN_FROM = 0.6, 8
"""Invisible characters from which on they look like a text of their own."""


@dataclass(frozen=True, slots=True)
class Signal:
    """``weight`` from 0 to 1; ``start`` and ``end`` are code points of the text."""

    label: Label
    weight: float
    start: int
    end: int


def signals(text: str) -> tuple[Signal, ...]:
    """By position."""
    folded = fold(text)
    return _signals(text, folded, _ANCHORS.present(folded))


def _signals(text: str, folded: Folded, tried: Iterable[int]) -> tuple[Signal, ...]:
    """With those of the expressions that are worth trying."""
    found = [
        Signal(SIGNS[i].label, SIGNS[i].weight, *folded.original(*m.span()))
        for i in sorted(tried)
        for m in _COMPILED[i].finditer(folded.text)
    ]
    if len(text) - len(folded.text) >= _HIDDEN_FROM:  # folding drops what nobody sees
        found.append(Signal("hidden", _HIDDEN_WEIGHT, 0, len(text)))
    return tuple(sorted(found, key=lambda s: (s.start, s.end, s.label)))


def score(found: Iterable[Signal]) -> float:
    """From 0 to 1: each label counts once, with its greatest weight."""
    most: dict[str, float] = {}
    for signal in found:
        most[signal.label] = max(most.get(signal.label, 0.0), signal.weight)
    doubt = 1.0
    for weight in most.values():
        doubt *= 1 - weight
    return 1 - doubt
