"""What a message wants of the desk, with how sure that is; ``other`` where it is not sure.

A linear model over parts of words, trained in ``models/intents``; here it needs numpy alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from dazi.apps.desk.intents.features import features
from dazi.apps.desk.intents.kinds import OTHER
from dazi.apps.linear import LinearModel

WEIGHTS = Path(__file__).with_name("intents.npz")


@dataclass(frozen=True, slots=True)
class Intent:
    """``name``: a key of ``INTENTS``. ``sure``: the probability of it, 0 to 1, by the model; ``best``:
    what it would be without a threshold, best first."""

    name: str
    sure: float
    best: tuple[tuple[str, float], ...]


class Recogniser(LinearModel):
    """``sure_from``: a probability below it is ``other``. ``known_from``: so is a message of which less is
    known."""

    def __init__(self, file: Path = WEIGHTS) -> None:
        super().__init__(file, features)

    def recognise(self, text: str) -> Intent:
        probabilities, known = self.probabilities(text)
        order = np.argsort(-probabilities)
        best = tuple((self.names[i], float(probabilities[i])) for i in order[:3])
        name, sure = best[0]
        if sure < self.sure_from or known < self.known_from:
            name = OTHER
            sure = float(probabilities[self.names.index(OTHER)])
        return Intent(name, sure, best)


@cache
def recogniser() -> Recogniser:
    """The one that ships with the package."""
    return Recogniser()
