"""Does what was called fit what was expected?

An expected value may be a matcher, an object with one of these keys: ``any`` (not empty),
``any_of`` (one of these), ``has`` (contains, in any case), ``opt`` (absent or this), ``opt_any``
(absent or anything), ``like`` (this text but for case, space and punctuation), ``in_order`` (this
list in this order). Everything else must be equal: text without regard to case, width and
surrounding space, numbers by value, lists in any order.
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

MATCHERS = frozenset({"any", "any_of", "has", "in_order", "like", "opt", "opt_any"})
_MAY_BE_ABSENT = frozenset({"opt", "opt_any"})

_PUNCTUATION = str.maketrans("", "", " ,./-_*^'\"")
"""What BFCL's own comparison of texts leaves out."""

E = TypeVar("E")
G = TypeVar("G")


class _Absent:
    def __repr__(self) -> str:
        return "(absent)"


ABSENT = _Absent()
"""The value of an argument that was not given."""


class Call(Protocol):
    """A call by name, expected or made."""

    @property
    def name(self) -> str: ...
    @property
    def arguments(self) -> Mapping[str, Any]: ...


def is_matcher(expected: Any) -> bool:
    return isinstance(expected, Mapping) and bool(expected) and expected.keys() <= MATCHERS


def value_matches(expected: Any, got: Any) -> bool:
    """``got`` may be ``ABSENT``; a ``None`` that was given counts as absent."""
    if got is None and expected is not None:
        got = ABSENT
    if is_matcher(expected):
        if got is ABSENT:
            return bool(expected.keys() & _MAY_BE_ABSENT)
        return all(_fits(kind, operand, got) for kind, operand in expected.items())
    if got is ABSENT:
        return expected is None
    return _equal(expected, got)


def _fits(kind: str, operand: Any, got: Any) -> bool:
    match kind:
        case "any":
            return not _empty(got)
        case "any_of":
            return any(value_matches(option, got) for option in operand)
        case "has":
            return folded(str(operand)) in folded(_text(got))
        case "opt":
            return value_matches(operand, got)
        case "like":
            return isinstance(got, str) and _letters(str(operand)) == _letters(got)
        case "in_order":
            same_length = isinstance(got, list | tuple) and len(operand) == len(got)
            return same_length and all(map(value_matches, operand, got))
        case _:
            return True


def _equal(expected: Any, got: Any) -> bool:
    if isinstance(expected, bool) or isinstance(got, bool):
        return expected is got
    if isinstance(expected, int | float):
        number = _number(got)
        return number is not None and math.isclose(expected, number, rel_tol=1e-9, abs_tol=1e-9)
    if isinstance(expected, str):
        if isinstance(got, int | float):
            number = _number(expected)
            return number is not None and _equal(number, got)
        return isinstance(got, str) and folded(expected) == folded(got)
    if isinstance(expected, Mapping):
        return isinstance(got, Mapping) and arguments_match(expected, got)
    if isinstance(expected, list | tuple):
        return isinstance(got, list | tuple) and _pairs_all(expected, got)
    return bool(expected == got)


def _pairs_all(expected: Sequence[Any], got: Sequence[Any]) -> bool:
    if len(expected) != len(got):
        return False
    return len(assign(expected, got, value_matches)) == len(expected)


def arguments_match(
    expected: Mapping[str, Any], got: Mapping[str, Any], filled: Iterable[str] = ()
) -> bool:
    """``filled`` names arguments that the host filled in: they may be there unasked."""
    return not wrong_arguments(expected, got, filled)


def wrong_arguments(
    expected: Mapping[str, Any], got: Mapping[str, Any], filled: Iterable[str] = ()
) -> list[str]:
    """Names of the arguments that differ, are missing, or are too many."""
    allowed = set(filled)
    wrong = [n for n, v in expected.items() if not value_matches(v, got.get(n, ABSENT))]
    extra = (n for n, v in got.items() if n not in expected and n not in allowed and v is not None)
    return wrong + list(extra)


def assign(expected: Sequence[E], got: Sequence[G], fits: Callable[[E, G], bool]) -> dict[int, int]:
    """The most pairs of one expected and one got that fit: index of expected -> index of got.

    Augmenting paths (Kuhn), so that an early greedy pair never costs a later one.
    """
    taken: dict[int, int] = {}

    def place(e: int, seen: set[int]) -> bool:
        for g, value in enumerate(got):
            if g in seen or not fits(expected[e], value):
                continue
            seen.add(g)
            if g not in taken or place(taken[g], seen):
                taken[g] = e
                return True
        return False

    for e in range(len(expected)):
        place(e, set())
    return {e: g for g, e in taken.items()}


def names_match(
    expected: Sequence[Call], got: Sequence[Call], optional: frozenset[str] = frozenset()
) -> bool:
    """The same names the same number of times; those in ``optional`` may come besides."""
    wanted, made = Counter(c.name for c in expected), Counter(c.name for c in got)
    return not wanted - made and all(name in optional for name in made - wanted)


def calls_match(
    expected: Sequence[Call],
    got: Sequence[Call],
    optional: frozenset[str] = frozenset(),
    fits: Callable[[Call, Call], bool] | None = None,
) -> bool:
    """Every expected call was made, in any order, and nothing besides but ``optional`` names."""
    fits = fits or (lambda e, g: e.name == g.name and arguments_match(e.arguments, g.arguments))
    return names_match(expected, got, optional) and len(assign(expected, got, fits)) == len(
        expected
    )


def folded(text: str) -> str:
    """Text as it is compared: NFKC, one space for white space, no case."""
    return " ".join(unicodedata.normalize("NFKC", text).split()).casefold()


def _letters(text: str) -> str:
    return folded(text).translate(_PUNCTUATION)


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return " ".join(_text(v) for v in value)
    return str(value)


def _empty(value: Any) -> bool:
    if isinstance(value, str):
        return not value.strip()
    return value is None or (isinstance(value, list | tuple | Mapping) and not value)


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    try:
        return float(value) if isinstance(value, str) else None
    except ValueError:
        return None
