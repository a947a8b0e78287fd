"""Rules that read a value, and the search for all places of a message where one of them applies."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from dazi.router.normalise.text import MAX_SCAN, Span, fold, variants

Context = TypeVar("Context")
Value = TypeVar("Value")

LEFT = (
    r"(?<![a-z0-9_.#$¥€£/\\])(?<![a-z0-9_]@)"
    r"(?:(?<![a-z0-9]-)|(?<=[0-9]-)|(?<=[ap]m-)|(?<=noon-)|(?<=ock-))"
)
"""Before a token that begins with a Latin letter or digit: not inside an id, a price, an address."""
RIGHT = r"(?![a-z0-9_@])"
S = r"\s{0,2}"
HANZI_DIGITS = "零〇一二两三四五六七八九十"


@dataclass(frozen=True)
class Rule(Generic[Context, Value]):
    """``read`` may raise ``ValueError`` or ``OverflowError``: then the words name no value."""

    pattern: re.Pattern[str]
    read: Callable[[re.Match[str], Context], Value | None]
    searched: bool = True


@dataclass(frozen=True)
class Found(Generic[Value]):
    start: int
    end: int
    value: Value


def rule(
    pattern: str, read: Callable[[re.Match[str], Context], Value | None], *, searched: bool = True
) -> Rule[Context, Value]:
    """A rule; one that is not ``searched`` reads a value but is not looked for in messages."""
    return Rule(re.compile(pattern), read, searched)


def _always(text: str, start: int, end: int) -> bool:
    return True


class Grammar(Generic[Context, Value]):
    """Rules of one kind of value.

    ``first`` is a character class of everything a value may begin with. ``guard`` has the last
    word on a place in the (folded) message. All patterns have bounded repetitions, so that a
    search takes time linear in the message.
    """

    def __init__(
        self,
        rules: Sequence[Rule[Context, Value]],
        first: str,
        guard: Callable[[str, int, int], bool] = _always,
    ) -> None:
        self._rules = tuple(rules)
        self._searched = tuple(r for r in rules if r.searched)
        nameless = "|".join(re.sub(r"\(\?P<\w+>", "(?:", r.pattern.pattern) for r in self._searched)
        self._finder = re.compile(f"(?={first})(?:{nameless})")
        self._guard = guard

    def read(self, text: str, context: Context) -> Value | None:
        """What the whole of ``text`` says."""
        return next((v for t in variants(text) if (v := self.exact(t, context)) is not None), None)

    def exact(self, text: str, context: Context) -> Value | None:
        """What ``text``, already clean, says."""
        for r in self._rules:
            match = r.pattern.fullmatch(text)
            if match and (value := _read(r, match, context)) is not None:
                return value
        return None

    def search(self, folded: str, context: Context) -> Iterator[Found[Value]]:
        """Leftmost and longest places, none overlapping another.

        Where the longest words say nothing possible (2月30日), no shorter ones are tried.
        """
        at = 0
        while hit := self._finder.search(folded, at):
            start = hit.start()
            matches = [(m, r) for r in self._searched if (m := r.pattern.match(folded, start))]
            end = at = max(m.end() for m, _ in matches)
            if not self._guard(folded, start, end):
                continue
            for match, r in matches:
                if match.end() == end and (value := _read(r, match, context)) is not None:
                    yield Found(start, end, value)
                    break

    def spans(self, text: str, context: Context) -> list[Span]:
        """The places of a message as typed."""
        folded = fold(text[:MAX_SCAN])
        return [Span(f.start, f.end, text[f.start : f.end]) for f in self.search(folded, context)]


def _read(r: Rule[Context, Value], match: re.Match[str], context: Context) -> Value | None:
    try:
        return r.read(match, context)
    except (ValueError, OverflowError):
        return None
