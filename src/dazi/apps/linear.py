"""A linear model over counted parts of a text, trained elsewhere; here it needs numpy alone."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Features = Callable[[str], Counter[str]]


class LinearModel:
    """``weights``: (parts, names), in eighths of a byte of each name's ``scale``. ``features`` must be those
    that it was trained with. Raises ``OSError`` and ``KeyError`` for a file that is none of its kind."""

    def __init__(self, file: Path, features: Features) -> None:
        with np.load(file, allow_pickle=False) as data:
            words = bytes(data["words"]).decode().split("\n")
            self.names: Sequence[str] = bytes(data["names"]).decode().split("\n")
            self._weights: NDArray[Any] = data["weights"].astype(np.float32) * data["scale"]
            self._bias: NDArray[Any] = data["bias"]
            self._idf: NDArray[Any] = data["idf"].astype(np.float32)
            self.sure_from = float(data["sure_from"])
            self.known_from = float(data["known_from"])
        self._places = {w: i for i, w in enumerate(words)}
        self._features = features

    def probabilities(self, text: str) -> tuple[NDArray[Any], float]:
        """Of each name, and the share of the text's parts that the model knows."""
        counts = self._features(text)
        known = [(self._places[f], n) for f, n in counts.items() if f in self._places]
        scores = self._bias.copy()
        if known:
            places = [p for p, _ in known]
            values = self._idf[places] * [1 + math.log(n) for _, n in known]
            scores = scores + (values / np.linalg.norm(values)) @ self._weights[places]
        e = np.exp(scores - scores.max())
        return e / e.sum(), len(known) / max(len(counts), 1)
