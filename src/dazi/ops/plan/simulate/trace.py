"""A trace: turns by when they came and what they took. No text, and nobody's name.

A file of one has a JSON object on each line: first a head (``{"dazi_trace": 1, "second_of_week": ...}``),
then a turn (``{"t": 12.5, "prompt": 1500, "answer": 120, "calls": 1, "user": "6f1c...", ...}``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from dazi.core.errors import CallerError

VERSION = 1
WEEK_S = 7 * 86_400
MOST_TOKENS = 10_000_000
MOST_CALLS = 100
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Trace:
    """Turns in the order in which they come, an array a column.

    ``at``: seconds from the start; ``prompt`` and ``answer``: tokens of all model requests of a turn
    together; ``calls`` of tools; ``rounds``: model requests, at least one more than waited for calls, and more
    where an answer was made again; ``fresh``: of the prompt, tokens that
    no server can have in its cache; ``again``: how many turns ago the same was asked, -1 for never;
    ``user``: a number. ``second_of_week``: when it starts, Monday 0:00 is 0. ``seconds``: how long.
    """

    at: Floats
    prompt: Ints
    answer: Ints
    calls: Ints
    rounds: Ints
    fresh: Ints
    again: Ints
    user: Ints
    seconds: float
    second_of_week: float = 0.0

    def __len__(self) -> int:
        return len(self.at)

    def of_users(self, one_in: int) -> Trace:
        """The turns of one user in so many, with all that they ask."""
        if one_in == 1:
            return self
        kept = np.flatnonzero(_mixed(self.user) % np.uint64(one_in) == 0)
        return replace(
            self,
            at=self.at[kept],
            prompt=self.prompt[kept],
            answer=self.answer[kept],
            calls=self.calls[kept],
            rounds=self.rounds[kept],
            fresh=self.fresh[kept],
            again=self.again[kept],
            user=self.user[kept],
        )


def _mixed(user: Ints) -> npt.NDArray[np.uint64]:
    """Numbers that have nothing to do with their order (the finaliser of splitmix64)."""
    z = user.astype(np.uint64)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


class Line(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A turn as a file has it; ``ms``: what it took; ``model``: that it was asked of; ``requests``: how often,
    0 where nobody counted: then once more than there are calls."""

    t: float
    prompt: int
    answer: int
    calls: int = 0
    user: str = ""
    model: str = ""
    ms: float = 0.0
    requests: int = 0


class Head(msgspec.Struct, forbid_unknown_fields=True):
    dazi_trace: int
    second_of_week: float = 0.0
    seconds: float = 0.0


_LINE = msgspec.json.Decoder(Line)
_HEAD = msgspec.json.Decoder(Head)
_ENCODER = msgspec.json.Encoder()


def write(path: Path, head: Head, lines: Iterable[Line]) -> int:
    """How many turns were written. Raises ``CallerError`` where the file cannot be."""
    count = 0
    try:
        with path.open("wb") as out:
            out.write(_ENCODER.encode(head) + b"\n")
            for line in lines:
                out.write(_ENCODER.encode(line) + b"\n")
                count += 1
    except OSError as e:
        raise CallerError(
            "trace", f"写不了 {path}:{e.strerror}", f"cannot write {path}: {e.strerror}"
        ) from None
    return count


def read(path: Path) -> Trace:
    """Raises ``CallerError`` with the line that is wrong."""
    try:
        with path.open("rb") as file:
            return of_lines(*_parsed(path, file))
    except OSError as e:
        raise CallerError(
            "trace", f"读不了 {path}:{e.strerror}", f"cannot read {path}: {e.strerror}"
        ) from None


def _parsed(path: Path, file: Iterable[bytes]) -> tuple[Head, list[Line]]:
    numbered = enumerate(file, 1)
    number = 1
    try:
        _, first = next(numbered, (1, b""))
        head = _HEAD.decode(first)
        if head.dazi_trace != VERSION:
            raise ValueError(f"dazi_trace {head.dazi_trace}")
        lines = []
        for number, data in numbered:  # noqa: B007
            if data.strip():
                lines.append(_checked(_LINE.decode(data)))
    except ValueError as e:
        raise CallerError(
            "trace",
            f"{path} 第 {number} 行不是一条轨迹:{e}",
            f"{path}, line {number} is no line of a trace: {e}",
        ) from None
    return head, lines


def _checked(line: Line) -> Line:
    """Raises ``ValueError``."""
    whole = (
        0 <= line.t < 1e10 and 0 <= line.calls <= MOST_CALLS and 0 <= line.requests <= MOST_CALLS
    )
    if not (whole and 0 <= line.prompt <= MOST_TOKENS and 0 <= line.answer <= MOST_TOKENS):
        raise ValueError("out of bounds")
    return line


def of_lines(head: Head, lines: list[Line]) -> Trace:
    """What a server can have cached is not on record: of each model request after a turn's first all
    but its share of what is new, and nothing of the first."""
    lines = sorted(lines, key=lambda line: line.t)
    users: dict[str, int] = {}
    user = [users.setdefault(line.user, len(users)) for line in lines]
    prompt = np.array([line.prompt for line in lines], dtype=np.int64)
    calls = np.array([line.calls for line in lines], dtype=np.int64)
    rounds = np.array([line.requests or line.calls + 1 for line in lines], dtype=np.int64)
    first = prompt // rounds
    at = np.array([line.t for line in lines], dtype=np.float64)
    last = float(at[-1]) if len(lines) else 0.0
    return Trace(
        at,
        prompt,
        np.array([line.answer for line in lines], dtype=np.int64),
        calls,
        rounds,
        first + (prompt - first) // 8,
        np.full(len(lines), -1, dtype=np.int64),
        np.array(user, dtype=np.int64),
        max(head.seconds, last, 1.0),
        head.second_of_week,
    )


def lines_of(trace: Trace) -> Iterator[Line]:
    columns: Any = (trace.at, trace.prompt, trace.answer, trace.calls, trace.rounds, trace.user)
    for t, prompt, answer, calls, rounds, user in zip(*(c.tolist() for c in columns), strict=True):
        asked = 0 if rounds == calls + 1 else rounds
        yield Line(round(t, 3), prompt, answer, calls, f"{user:x}", requests=asked)


def head_of(trace: Trace) -> Head:
    return Head(VERSION, trace.second_of_week, trace.seconds)
