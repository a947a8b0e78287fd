"""Vectors as they are kept and compared: directions, whole for the score and in bytes for the search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numkong
import numpy as np
import numpy.typing as npt

from dazi.core.engine import Embedder
from dazi.core.errors import OperatorError

Floats: TypeAlias = npt.NDArray[np.float32]
Bytes: TypeAlias = npt.NDArray[np.int8]
BLOCK = 1 << 15
"""Rows that are compared at a time: others get the interpreter's lock in between."""
_MASKED = np.float32(-np.inf)


@dataclass(frozen=True, slots=True)
class VectorSpace:
    """Only vectors of one model can be compared: its name, with its version, and how many numbers
    each of its vectors has."""

    name: str
    dimensions: int


async def space_of(embedder: Embedder) -> VectorSpace:
    """Asks the model for a vector. Raises ``OperatorError`` where it cannot answer."""
    (vector,) = (await embedder.embed(["1"])).vectors
    return VectorSpace(f"{embedder.name} {embedder.version}".strip(), len(vector))


def direction(vector: Sequence[float], space: VectorSpace) -> Floats:
    """``vector`` at length 1. Raises ``OperatorError`` for one that is not of ``space``."""
    given = np.asarray(vector, np.float32)
    length = float(np.linalg.norm(given)) if given.ndim == 1 else 0.0
    if given.shape != (space.dimensions,) or not np.isfinite(length) or length == 0:
        raise OperatorError(
            "vector",
            f"向量不是 {space.name} 的:应有 {space.dimensions} 个有限的数,不全为零;"
            "检查 DAZI_EMBEDDING_MODEL,换了模型就重新索引",
            f"no vector of {space.name}, which has {space.dimensions} finite numbers, not all zero; "
            "check DAZI_EMBEDDING_MODEL, and index again after a change of the model",
        )
    return given / np.float32(length)


def compact(directions: Floats) -> tuple[Bytes, Floats]:
    """Rows of signed bytes, and for each row what a byte is worth."""
    worth = np.abs(directions).max(axis=1) / np.float32(127)
    return np.round(directions / worth[:, None]).astype(np.int8), worth


def best(rows: Bytes, worth: Floats, direction: Floats, most: int) -> npt.NDArray[np.intp]:
    """The numbers of the ``most`` rows nearest to ``direction``, nearest first."""
    return highest(alike(rows, worth, direction), most)


def alike(rows: Bytes, worth: Floats, direction: Floats) -> Floats:
    """How near each row is; the values of one call compare with each other only."""
    asked, _ = compact(direction[None])
    out = np.empty(len(rows), np.float32)
    for i in range(0, len(rows), BLOCK):
        part = np.asarray(numkong.cdist(rows[i : i + BLOCK], asked, "dot"))
        out[i : i + BLOCK] = part[:, 0] * worth[i : i + BLOCK]
    return out


def highest(scores: Floats, most: int) -> npt.NDArray[np.intp]:
    """Where the ``most`` highest stand, the highest first; what is masked is left out."""
    if len(scores) > most:
        found = np.argpartition(scores, len(scores) - most)[len(scores) - most :]
    else:
        found = np.arange(len(scores))
    found = found[scores[found] > _MASKED]
    return found[np.lexsort((found, -scores[found]))]


def masked(scores: Floats, kept: npt.NDArray[np.bool_]) -> Floats:
    return np.where(kept, scores, _MASKED)
