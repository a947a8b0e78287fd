"""What a message wants of the desk, with how sure that is; ``other`` where it is not sure.

A linear model over parts of words, trained in ``models/intents``; here it needs numpy alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dazi.apps.desk.intents.features import features
from dazi.apps.desk.intents.kinds import OTHER

WEIGHTS = Path(__file__).with_name("intents.npz")


@dataclass(frozen=True, slots=True)
class Intent:
    """``name``: a key of ``INTENTS``. ``sure``: the probability of it, 0 to 1, by the model; ``best``:
    what it would be without a threshold, best first."""

    name: str
    sure: float
    best: tuple[tuple[str, float], ...]


class Recogniser:
    """``weights``: (words, names), in eighths of a byte of each name's ``scale``. ``sure_from``: a
    probability below it is ``other``. ``known_from``: so is a message of which less is known."""

    def __init__(self, file: Path = WEIGHTS) -> None:
        with np.load(file, allow_pickle=False) as data:
            words = bytes(data["words"]).decode().split("\n")
            self.names: Sequence[str] = bytes(data["names"]).decode().split("\n")
            self._weights: NDArray[Any] = data["weights"].astype(np.float32) * data["scale"]
            self._bias: NDArray[Any] = data["bias"]
            self._idf: NDArray[Any] = data["idf"].astype(np.float32)
            self.sure_from = float(data["sure_from"])
            self.known_from = float(data["known_from"])
        self._places = {w: i for i, w in enumerate(words)}

    def recognise(self, text: str) -> Intent:
        probabilities, known = self.probabilities(text)
        order = np.argsort(-probabilities)
        best = tuple((self.names[i], float(probabilities[i])) for i in order[:3])
        name, sure = best[0]
        if sure < self.sure_from or known < self.known_from:
            name = OTHER
            sure = float(probabilities[self.names.index(OTHER)])
        return Intent(name, sure, best)

    def probabilities(self, text: str) -> tuple[NDArray[Any], float]:
        """Of each name, and the share of the message's parts that the model knows."""
        counts = features(text)
        known = [(self._places[f], n) for f, n in counts.items() if f in self._places]
        scores = self._bias.copy()
        if known:
            places = [p for p, _ in known]
            values = self._idf[places] * [1 + math.log(n) for _, n in known]
            scores = scores + (values / np.linalg.norm(values)) @ self._weights[places]
        e = np.exp(scores - scores.max())
        return e / e.sum(), len(known) / max(len(counts), 1)


@cache
def recogniser() -> Recogniser:
    """The one that ships with the package."""
    return Recogniser()
