"""Look for strings in text that arrives in pieces."""

from __future__ import annotations

from collections.abc import Sequence


def held(text: str, wanted: Sequence[str]) -> int:
    """Length of the end of ``text`` that may still grow into one of ``wanted``."""
    longest = min(len(text), max(map(len, wanted), default=1) - 1)
    for n in range(longest, 0, -1):
        if any(w.startswith(text[-n:]) for w in wanted):
            return n
    return 0


class StopText:
    """Cuts a stream of text off before the first of some strings."""

    def __init__(self, stops: Sequence[str]) -> None:
        self.hit = False
        self._stops = tuple(s for s in stops if s)
        self._held = ""

    def push(self, text: str) -> str:
        if self.hit:
            return ""
        text = self._held + text
        found = [at for s in self._stops if (at := text.find(s)) >= 0]
        self.hit = bool(found)
        end = min(found) if found else len(text) - held(text, self._stops)
        self._held = "" if found else text[end:]
        return text[:end]

    def finish(self) -> str:
        rest, self._held = self._held, ""
        return rest
