"""Regular expressions of bounded length: what is refused, how long a match can be, and what the
beginning of one looks like.

A stream must be held back from where a match may have begun. ``opening`` derives from a pattern the
expression that finds such places, so that no second pattern has to be kept in step by hand.
"""

from __future__ import annotations

import re
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

MAX_WIDTH = 512
"""Longest match, in characters, that a company's own pattern may have."""
LONGEST = 1_000
"""Characters of such a pattern as it is written."""

_NO_FLAGS = _parser.parse("").state.flags
_FLAGS = "a flag such as (?i): write [Aa] for letters of both cases"
_LOOKS = {op.ASSERT: "", op.ASSERT_NOT: "!"}
_CATEGORIES = {
    op.CATEGORY_DIGIT: r"\d", op.CATEGORY_NOT_DIGIT: r"\D", op.CATEGORY_SPACE: r"\s",
    op.CATEGORY_NOT_SPACE: r"\S", op.CATEGORY_WORD: r"\w", op.CATEGORY_NOT_WORD: r"\W",
}  # fmt: skip
_REPEATS = (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT)
_PLACES = {op.AT_BEGINNING_STRING: r"\A", op.AT_END_STRING: r"\Z"}
_REFUSED = {
    op.GROUPREF: "a reference to a group", op.GROUPREF_EXISTS: "a reference to a group",
    op.ATOMIC_GROUP: "an atomic group",
}  # fmt: skip


class Unbounded(ValueError):
    """The expression may match without end, or take without end to fail. ``args[0]`` says why."""


def width(pattern: str) -> int:
    """Longest match in characters.

    Raises ``re.error``, and ``Unbounded`` for a repetition without end, one inside another, and for
    what ``opening`` cannot handle.
    """
    if len(pattern) > LONGEST:
        raise Unbounded(f"more than {LONGEST} characters")
    try:
        tree = _parser.parse(pattern)
        if tree.state.flags != _NO_FLAGS:
            raise Unbounded(_FLAGS)
        _refuse(tree, repeated=False)
        _ending(list(tree))
    except RecursionError:
        raise Unbounded("groups nested too deeply") from None
    except OverflowError as e:
        raise Unbounded(str(e)) from None
    return int(tree.getwidth()[1])


def longest(pattern: str) -> int:
    """Longest match in characters, of any pattern whose repetitions end."""
    return int(_parser.parse(pattern).getwidth()[1])


def opening(pattern: str, after: int = 0) -> re.Pattern[str]:
    """Matches where the text ends before, or up to ``after`` characters behind, a match of
    ``pattern`` that may have begun there.

    Conditions on what follows a match are left out, since what follows is not known yet.
    """
    behind = rf"[\s\S]{{0,{after}}}" if after else ""
    return re.compile(_ending(list(_parser.parse(rf"(?:{pattern}){behind}"))))


def first(pattern: str) -> str:
    """The characters that a match may begin with, as the inside of a character class."""
    return "".join(dict.fromkeys(_first(list(_parser.parse(pattern)))))


def _first(nodes: list[Any]) -> list[str]:
    if not nodes:
        return []
    (kind, value), rest = nodes[0], nodes[1:]
    if kind is op.SUBPATTERN:
        return _first([*value[3], *rest])
    if kind in _REPEATS:
        inner = _first(list(value[2]))
        return inner if value[0] else [*inner, *_first(rest)]
    if kind is op.BRANCH:
        return [c for branch in value[1] for c in _first([*branch, *rest])]
    if kind in _LOOKS or kind is op.AT:
        return _first(rest)
    if kind is op.LITERAL:
        return [_member(kind, value)]
    if kind is op.IN and value[0][0] is not op.NEGATE:
        return [_member(*m) for m in value]
    return [r"\s\S"]


def _refuse(nodes: Any, *, repeated: bool) -> None:
    for kind, value in nodes:
        if kind in _REFUSED:
            raise Unbounded(_REFUSED[kind])
        if kind in _REPEATS:
            _, most, inner = value
            if most is op.MAXREPEAT:
                raise Unbounded(
                    "a repetition without an upper bound: write {0,20} for * and {1,20} for +"
                )
            if most > 1 and repeated:
                raise Unbounded("a repetition inside another")
            _refuse(inner, repeated=repeated or most > 1)
        elif kind is op.SUBPATTERN:
            if value[1] or value[2]:
                raise Unbounded(_FLAGS)
            _refuse(value[3], repeated=repeated)
        elif kind is op.BRANCH:
            for branch in value[1]:
                _refuse(branch, repeated=repeated)
        elif kind in _LOOKS:
            _refuse(value[1], repeated=repeated)


def _ending(nodes: list[Any]) -> str:
    """Matches up to the end of the text anywhere within ``nodes``, or behind them."""
    if not nodes:
        return r"\Z"
    (kind, value), rest = nodes[0], nodes[1:]
    if kind is op.SUBPATTERN:
        return _ending([*value[3], *rest])
    if kind in _REPEATS:
        _, most, inner = value
        times = f"(?:{_written(inner)}){{0,{most - 1}}}" if most > 1 else ""
        return rf"(?:{times}{_partly(inner)}|{_written([nodes[0]])}{_ending(rest)})"
    if kind is op.BRANCH:
        partly = "|".join(_partly(branch) for branch in value[1])
        return rf"(?:{partly}|{_written([nodes[0]])}{_ending(rest)})"
    if kind in _LOOKS and value[0] > 0:
        return _ending(rest)
    if kind in _LOOKS or kind is op.AT:
        return _written([nodes[0]]) + _ending(rest)
    return rf"(?:\Z|{_written([nodes[0]])}{_ending(rest)})"


def _partly(nodes: Any) -> str:
    return _ending(list(nodes))


def _written(nodes: Any) -> str:
    """The expression of a parsed pattern."""
    return "".join(_node(kind, value) for kind, value in nodes)


def _node(kind: Any, value: Any) -> str:
    if kind is op.LITERAL:
        return re.escape(chr(value))
    if kind is op.NOT_LITERAL:
        return f"[^{_member(op.LITERAL, value)}]"
    if kind is op.ANY:
        return "."
    if kind is op.IN:
        negated = value[0][0] is op.NEGATE
        return f"[{'^' if negated else ''}{''.join(_member(*m) for m in value[negated:])}]"
    if kind in _REPEATS:
        least, most, inner = value
        mark = {op.MIN_REPEAT: "?", op.POSSESSIVE_REPEAT: "+"}.get(kind, "")
        return f"(?:{_written(inner)}){{{least},{most}}}{mark}"
    if kind is op.SUBPATTERN:
        return f"(?:{_written(value[3])})"
    if kind is op.BRANCH:
        return f"(?:{'|'.join(_written(branch) for branch in value[1])})"
    if kind in _LOOKS:
        behind = "<" if value[0] < 0 else ""
        return f"(?{behind}{_LOOKS[kind] or '='}{_written(value[1])})"
    if kind is op.AT and value in _PLACES:
        return _PLACES[value]
    raise Unbounded(f"{str(kind).lower()} is not supported")


def _member(kind: Any, value: Any) -> str:
    if kind is op.LITERAL:
        return _escaped(value)
    if kind is op.RANGE:
        return f"{_escaped(value[0])}-{_escaped(value[1])}"
    return _CATEGORIES[value]


def _escaped(code: int) -> str:
    return rf"\U{code:08x}"
