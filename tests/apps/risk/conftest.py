"""A small world with planted fraud, and a model of its first days."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from bench.risk_world import NEW_PATTERN, World, world
from dazi.apps.risk.events import Transaction
from dazi.apps.risk.features import Floats, Rules
from dazi.apps.risk.history import Histories, Seen, features_of
from dazi.apps.risk.model import Model
from dazi.apps.risk.training import Settings, train

TRAINED = 70
SETTINGS = Settings(trees=60, leaves=12)


@dataclass(frozen=True)
class Small:
    """``later`` and ``learnt``: places of the transactions of the test and of the training days."""

    world: World
    rows: Floats
    fraud: np.ndarray
    new: np.ndarray
    days: np.ndarray
    model: Model

    @property
    def learnt(self) -> np.ndarray:
        return np.flatnonzero(self.days < TRAINED)

    @property
    def later(self) -> np.ndarray:
        return np.flatnonzero(self.days >= TRAINED)

    def transactions(self, places: np.ndarray) -> list[Transaction]:
        return [self.world.transactions[i] for i in places]

    def seen(self, places: np.ndarray) -> list[Seen]:
        """As each was when it came."""
        wanted, histories, found = set(places.tolist()), Histories(), []
        for i, t in enumerate(self.world.transactions):
            if i in wanted:
                found.append(histories.look(t))
            histories.add(t)
        return found


@pytest.fixture(scope="session")
def small() -> Small:
    made = world(accounts=60, days=110, seed=3, new_from=TRAINED, episodes=(9, 24))
    rows = features_of(made.transactions, Rules())
    first = made.transactions[0].at
    days = np.array([(t.at - first).days for t in made.transactions])
    plans = [made.planted.get(t.id) for t in made.transactions]
    fraud = np.array([p is not None for p in plans])
    new = np.array([p is not None and p.pattern == NEW_PATTERN for p in plans])
    learnt = np.flatnonzero(days < TRAINED)
    model = train([made.transactions[i] for i in learnt], rows[learnt], settings=SETTINGS)
    return Small(made, rows, fraud, new, days, model)
