"""Rules that read a value, and the search for all places of a message where one of them applies."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

from dazi.router.normalise.text import MAX_SCAN, Span, pieces, variants

Context = TypeVar("Context")
Value = TypeVar("Value")

LEFT = (
    r"(?<![a-z0-9_.#$¥€£/\\])(?<![a-z0-9_]@)"
    r"(?:(?<![a-z0-9]-)|(?<=[0-9]-)|(?<=[ap]m-)|(?<=noon-)|(?<=ock-))"
)
"""Before a token that begins with a Latin letter or digit: not inside an id, price or address."""
RIGHT = r"(?![a-z0-9_@])"
S = r"\s{0,2}"
HANZI_DIGITS = "零〇一二两三四五六七八九十"


@dataclass(frozen=True)
class Rule(Generic[Context, Value]):
    """``read`` may raise ``ValueError`` or ``OverflowError``: then the words name no value."""

    text: str
    read: Callable[[re.Match[str], Context], Value | None]
    searched: bool = True

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Compiled when it is first needed: all of them together take a while."""
        return re.compile(self.text)


@dataclass(frozen=True)
class Found(Generic[Value]):
    start: int
    end: int
    value: Value


def rule(
    pattern: str, read: Callable[[re.Match[str], Context], Value | None], *, searched: bool = True
) -> Rule[Context, Value]:
    """A rule; one that is not ``searched`` reads a value but is not looked for in messages."""
    return Rule(pattern, read, searched)


def _always(text: str, start: int, end: int) -> bool:
    return True


@dataclass(frozen=True)
class Rules(Generic[Context, Value]):
    """Rules whose words all begin with what ``first`` (a pattern of one character) matches."""

    first: str
    rules: tuple[Rule[Context, Value], ...]


class Grammar(Generic[Context, Value]):
    """Rules of one kind of value.

    ``guard`` has the last word on a place in the (folded) message. All patterns have bounded
    repetitions, so that a search takes time linear in the message.
    """

    def __init__(
        self,
        *groups: Rules[Context, Value],
        guard: Callable[[str, int, int], bool] = _always,
    ) -> None:
        self._rules = tuple(r for g in groups for r in g.rules)
        self._given = groups
        self._guard = guard

    @cached_property
    def _groups(self) -> tuple[tuple[re.Pattern[str], tuple[Rule[Context, Value], ...]], ...]:
        return tuple(
            (re.compile(g.first), tuple(r for r in g.rules if r.searched)) for g in self._given
        )

    @cached_property
    def _finder(self) -> re.Pattern[str]:
        return re.compile("|".join(_any_of(first, rules) for first, rules in self._groups))

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

    def search(
        self, folded: str, context: Context, start: int = 0, stop: int = MAX_SCAN
    ) -> Iterator[Found[Value]]:
        """Leftmost and longest places, none overlapping another.

        Where the longest words say nothing possible (2月30日), no shorter ones are tried.
        """
        while hit := self._finder.search(folded, start, stop):
            begin = hit.start()
            matches = [
                (match, r)
                for first, rules in self._groups
                if first.match(folded, begin)
                for r in rules
                if (match := r.pattern.match(folded, begin, stop))
            ]
            end = start = max(match.end() for match, _ in matches)
            if not self._guard(folded, begin, end):
                continue
            for match, r in matches:
                if match.end() == end and (value := _read(r, match, context)) is not None:
                    yield Found(begin, end, value)
                    break

    def spans(self, message: str, context: Context) -> list[Span]:
        """The places of a message as typed."""
        return [
            piece.span(message, found.start, found.end)
            for piece in pieces(message)
            for found in self.search(piece.folded, context, piece.start)
        ]


def _any_of(first: re.Pattern[str], rules: Sequence[Rule[Context, Value]]) -> str:
    """One pattern that matches where a rule does, without the rules' named groups."""
    patterns = "|".join(re.sub(r"\(\?P<\w+>", "(?:", r.text) for r in rules)
    return f"(?={first.pattern})(?:{patterns})"


def _read(r: Rule[Context, Value], match: re.Match[str], context: Context) -> Value | None:
    try:
        return r.read(match, context)
    except (ValueError, OverflowError):
        return None
