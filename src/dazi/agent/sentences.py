"""Cutting a stream of text into sentences as it arrives."""

from __future__ import annotations

_ENDS = frozenset("。!?!?;;\n")


class SentenceCutter:
    """Feed pieces; get whole sentences with their trailing space. ``rest`` gives what is left.

    An ASCII full stop ends a sentence only before white space, so ``3.5`` and ``a.b`` stay whole;
    it is therefore decided when the next character is known.
    """

    def __init__(self) -> None:
        self._held = ""

    def feed(self, piece: str) -> list[str]:
        self._held += piece
        out: list[str] = []
        start = 0
        for i, c in enumerate(self._held):
            ended = c in _ENDS or (
                c.isspace() and i > start and self._held[i - 1] in ".!?" and i - start > 1
            )
            if ended:
                out.append(self._held[start : i + 1])
                start = i + 1
        self._held = self._held[start:]
        return out

    def rest(self) -> str:
        text, self._held = self._held, ""
        return text
