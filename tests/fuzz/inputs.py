"""What parsers are fed: noise, and valid examples that were bent.

``HYPOTHESIS_PROFILE=fuzz`` (``make fuzz``) tries many times what an ordinary run tries a few dozen
times of. A parser that takes far longer than its input explains fails by its deadline.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

EXAMPLES = {"ordinary": 40, "fuzz": 1_000}[os.environ.get("HYPOTHESIS_PROFILE", "ordinary")]
fuzzed = settings(
    max_examples=EXAMPLES,
    deadline=timedelta(seconds=20),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

DEEP = 20_000
"""Levels of nesting that no parser goes down."""
Whole = TypeVar("Whole", str, bytes)
NASTY = (
    *("\x00", "\ufeff", "\u202e", "\u200b", "\u3000", "İ", "ß", "ﬀ", "㍿", "१", "𝟏", "😀"),
    *("{", "}", "[", "]", '"', "'", "\\", "\\u", "\\ud800", ":", ",", "-", "/", "%", "&a", "*a"),
    *("NaN", "Infinity", "1e999", "-0", "0x1", "null", "true", "..", "\r\n", "\n\n", "\t", "$ref"),
    *("9" * 25, "1" + "0" * 5000, "[" * 50, '{"a":' * 50, "(" * 50),
)


def _edits(pieces: st.SearchStrategy[Any]) -> st.SearchStrategy[list[tuple[Any, ...]]]:
    place = st.floats(0, 1)
    edit = st.one_of(
        st.tuples(st.sampled_from(["cut", "twice"]), place, st.integers(1, 40)),
        st.tuples(st.just("move"), place, place),
        st.tuples(st.just("put"), place, pieces),
    )
    return st.lists(edit, max_size=6)


def _edited(whole: Any, edits: list[tuple[Any, ...]]) -> Any:
    for kind, where, what in edits:
        at = int(where * len(whole))
        match kind:
            case "cut":
                whole = whole[:at] + whole[at + what :]
            case "twice":
                whole = whole[: at + what] + whole[at:]
            case "move":
                to = int(what * len(whole))
                low, high = min(at, to), max(at, to)
                whole = whole[low:high] + whole[:low] + whole[high:]
            case "put":
                whole = whole[:at] + what + whole[at:]
    return whole


def bent_text(*examples: str) -> st.SearchStrategy[str]:
    """One of the examples with a few pieces cut out, doubled, moved or put in."""
    pieces = st.one_of(st.sampled_from(NASTY), st.text(max_size=6))
    return st.builds(_edited, st.sampled_from(examples), _edits(pieces))


def bent_bytes(*examples: bytes) -> st.SearchStrategy[bytes]:
    pieces = [*(p.encode() for p in NASTY), b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\x00" * 9]
    edited = st.builds(_edited, st.sampled_from(examples), _edits(st.sampled_from(pieces)))
    return st.one_of(edited, st.binary(max_size=200))


def long_text(*units: str, most: int = 20_000) -> st.SearchStrategy[str]:
    """The same few characters over and over: where a parser that looks back takes long."""

    def made(before: str, unit: str, times: int, after: str) -> str:
        return (before + unit * times)[:most] + after

    short = st.one_of(st.sampled_from((*units, *NASTY)), st.text(max_size=4))
    return st.builds(made, short, st.sampled_from(units), st.integers(1, most), short)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12)
    | st.sampled_from([n for n in NASTY if n.isprintable()]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)


@st.composite
def bent_data(draw: st.DrawFn, *examples: Any) -> Any:
    """JSON-like data of the examples with a few of its values changed, left out or doubled."""
    data = json.loads(json.dumps(draw(st.sampled_from(examples))))
    for _ in range(draw(st.integers(0, 4))):
        spot = draw(st.sampled_from(_spots(data)))
        data = _changed(data, spot, lambda value: _other(draw, value))
    return data


_GONE = object()


def _other(draw: st.DrawFn, value: Any) -> Any:
    kind = draw(st.sampled_from(["gone", "any", "wrapped", "text"]))
    return {
        "gone": lambda: _GONE,
        "any": lambda: draw(JSON),
        "wrapped": lambda: [value],
        "text": lambda: str(value),
    }[kind]()


def _spots(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    out = [path]
    for key, value in _pairs(data):
        out += _spots(value, (*path, key))
    return out


def _pairs(data: Any) -> list[tuple[Any, Any]]:
    if isinstance(data, dict):
        return list(data.items())
    return list(enumerate(data)) if isinstance(data, list) else []


def _changed(data: Any, path: tuple[Any, ...], change: Callable[[Any], Any]) -> Any:
    if not path:
        made = change(data)
        return None if made is _GONE else made
    first, *rest = path
    value = _changed(data[first], tuple(rest), change) if rest else change(data[first])
    kept = [
        (k, value if k == first else v) for k, v in _pairs(data) if k != first or value is not _GONE
    ]
    return dict(kept) if isinstance(data, dict) else [v for _, v in kept]


def cut(whole: Whole, places: list[int]) -> list[Whole]:
    """``whole`` in pieces, some of them empty."""
    at = [0, *sorted(min(p, len(whole)) for p in places), len(whole)]
    return [whole[a:b] for a, b in pairwise(at)]


def deep(opening: str, closing: str, inside: str = "") -> str:
    return opening * DEEP + inside + closing * DEEP
