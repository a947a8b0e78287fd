"""A recording in other pieces: its bytes cut anywhere, its words dealt out otherwise, or bent."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from itertools import pairwise

from dazi.inference.chunks import Chunk, Delta
from dazi.inference.servercalls import CallPiece, Function

EVERY_BYTE_BELOW = 4096
Cutter = Callable[[str], list[str]]


def chunkings(body: bytes, seed: str) -> Iterator[list[bytes]]:
    """Whole, line by line, byte by byte, and in random pieces of all sizes."""
    yield [body]
    yield body.splitlines(keepends=True)
    yield [body[i : i + 1] for i in range(len(body))]
    rng = random.Random(seed)
    for n in (1, 2, 3, 5, 8, 13, 40, 200):
        yield _cut(body, sorted(rng.choices(range(len(body) + 1), k=n)))


def halves(body: bytes) -> Iterator[list[bytes]]:
    """Cut in two at every byte; in long ones at every so many, all places of a line in turn."""
    step = 1 if len(body) < EVERY_BYTE_BELOW else 7
    for i in range(0, len(body) + 1, step):
        yield [body[:i], body[i:]]


def _cut(body: bytes, cuts: Sequence[int]) -> list[bytes]:
    return [body[a:b] for a, b in pairwise([0, *cuts, len(body)])]


def dealt(chunks: Sequence[Chunk], cut: Cutter) -> list[Chunk]:
    """The same answer from a server that sends its words in other portions."""
    return [part for chunk in chunks for part in _dealt(chunk, cut)]


def _dealt(chunk: Chunk, cut: Cutter) -> Iterator[Chunk]:
    """One portion for each piece; what else the chunk says comes with the last."""
    choice = chunk.choices[0] if chunk.choices else None
    delta = choice.delta if choice else None
    if choice is None or delta is None or chunk.error:
        yield chunk
        return
    portions = list(_portions(delta, cut))
    for portion in portions[:-1]:
        yield Chunk(choices=[type(choice)(delta=portion)])
    last = deepcopy(chunk)
    if portions and last.choices:
        last.choices[0].delta = portions[-1]
    yield last


def _portions(delta: Delta, cut: Cutter) -> Iterator[Delta]:
    if thought := delta.reasoning_content or delta.reasoning:
        yield from (Delta(reasoning_content=p) for p in cut(thought))
    if isinstance(delta.content, str) and delta.content:
        yield from (Delta(content=p) for p in cut(delta.content))
    elif delta.content:
        yield Delta(content=delta.content)
    if isinstance(delta.tool_calls, list) and len(delta.tool_calls) == 1:
        yield from (Delta(tool_calls=[p]) for p in _pieces(delta.tool_calls[0], cut))
    elif delta.tool_calls:
        yield Delta(tool_calls=delta.tool_calls)
    if delta.function_call:
        whole = CallPiece(function=delta.function_call)
        yield from (Delta(function_call=p.function) for p in _pieces(whole, cut))


def _pieces(piece: CallPiece, cut: Cutter) -> Iterator[CallPiece]:
    """A call's opening, then its arguments, which do not say again whose they are."""
    function = piece.function
    if function is None or not isinstance(function.arguments, str) or not function.arguments:
        yield piece
        return
    first, *more = cut(function.arguments)
    yield CallPiece(piece.id, piece.index, Function(function.name, first))
    yield from (CallPiece("", piece.index, Function(arguments=p)) for p in more)


def bent(body: bytes, rng: random.Random) -> bytes:
    """``body`` with something wrong: cut off, a byte flipped, lines lost, doubled or swapped."""
    lines = body.splitlines(keepends=True)
    at = rng.randrange(len(body) + 1)
    i, j = rng.randrange(len(lines) + 1), rng.randrange(len(lines) + 1)
    match rng.randrange(7):
        case 0:
            return body[:at]
        case 1:
            flipped = bytes([body[at - 1] ^ (1 << rng.randrange(8))]) if at else b""
            return body[: max(at - 1, 0)] + flipped + body[at:]
        case 2:
            return b"".join(lines[:i] + lines[i + 1 :])
        case 3:
            return b"".join(lines[: i + 1] + lines[i:])
        case 4:
            if i < len(lines) and j < len(lines):
                lines[i], lines[j] = lines[j], lines[i]
            return b"".join(lines)
        case 5:
            return body[:at] + body[max(0, at - rng.randrange(1, 60)) :]
        case _:
            return body[:at] + rng.randbytes(rng.randrange(1, 5)) + body[at:]
