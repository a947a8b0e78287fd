"""What a stream has to know of its text: whether a chunk can begin a finding at all, where at its end
one may have begun, and what is found in the little that is held."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from dazi.guard.findings import Finding
from dazi.guard.folding import fold, foldable
from dazi.guard.patterns import first, longest, opening
from dazi.guard.recognisers.base import Recogniser
from dazi.guard.words import WordList

_CACHED = 16_384
"""Chunks whose answer is remembered: about as many as a model has tokens of Chinese."""


class Reader:
    """For one set of recognisers and words; shared by all streams under the same rules."""

    def __init__(
        self, recognisers: Sequence[Recogniser], words: WordList, severities: Sequence[str]
    ) -> None:
        self._recognisers = tuple(recognisers)
        self._words = words
        self._severities = tuple(severities)
        self._openings = tuple(opening(r.pattern.pattern, r.after) for r in recognisers)
        self.held = max((longest(r.pattern.pattern) + r.after for r in recognisers), default=0)
        """Visible characters that are held back at most."""
        begins = "".join(first(r.pattern.pattern) for r in recognisers)
        self._begins = re.compile(f"[{foldable()}\U00010000-\U0010ffff{begins}]")
        self._word_begins = words.first() if severities else frozenset()
        self.plain = lru_cache(_CACHED)(self._plain)

    def _plain(self, chunk: str) -> bool:
        """Can nothing that is looked for begin in this chunk, whatever stands around it?"""
        if self._begins.search(chunk) is None and self._word_begins.isdisjoint(chunk):
            return True
        text = fold(chunk).text
        return (
            len(text) == len(chunk)
            and self.open_at(text, 0) == len(text)
            and not any(r.pattern.search(text) for r in self._recognisers)
            and not (self._severities and self._words.find_short(text, 0, self._severities))
        )

    def open_at(self, text: str, start: int) -> int:
        """Where in ``text[start:]``, folded, a finding may have begun that the end cuts off."""
        at = len(text)
        if self._begins.search(text, start) is not None:
            for beginning in self._openings:
                m = beginning.search(text, start)
                if m is not None:
                    at = min(at, m.start())
        if self._severities:
            at = min(at, start + self._words.begun(text[start:]))
        return at

    def candidates(self, text: str, start: int) -> list[Finding]:
        """In folded text from ``start`` on; meant for short ones."""
        end = len(text)
        found: list[Finding] = []
        if self._begins.search(text, start) is not None:
            for recogniser in self._recognisers:
                found += recogniser.find(text, start, end, end)
        if self._severities:
            found += self._words.find_short(text, start, self._severities)
        return found
