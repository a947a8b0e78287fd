"""Scripted conversations: states and clocks are exactly those that a stop-watch would give.

All five hundred: ``python -m bench.desk.compare``.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

import pytest

from bench.desk.compare import compare
from bench.desk.conversations import KINDS, conversations
from dazi.apps.desk import calendar, clocks, machine

PART = len(KINDS) * 2


@pytest.mark.parametrize("part", range(5))
def test_states_refusals_and_clocks_are_exact(part: int) -> None:
    told = compare(islice(conversations(500), part * PART, (part + 1) * PART))
    assert told.differences == []
    assert told.conversations == PART and told.refused and told.steps > 100


def _no_lunch(span: Callable[..., Any]) -> Callable[..., Any]:
    return lambda c, day: tuple((s[0], s[1] + 60) for s in span(c, day))


MUTATIONS: dict[str, tuple[Any, str, Any]] = {
    "a limit used up to the second is over": (
        clocks,
        "_standing",
        lambda kind, ticket, running, used, limit, warn: "breached" if used >= limit else "running",
    ),
    "waiting for the customer counts": (clocks, "_STANDS", frozenset(("resolved", "closed"))),
    "resolved time counts": (clocks, "_STANDS", frozenset(("waiting_customer", "closed"))),
    "a minute more every day": (calendar, "_spans_of", _no_lunch(calendar._spans_of)),
    "an unanswered ticket stays new when taken": (machine, "_TAKES_UP", frozenset(("reply",))),
    "reopening within hours only": (machine, "DAY_S", 10_000),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutation_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module, attribute, changed = MUTATIONS[name]
    monkeypatch.setattr(module, attribute, changed)
    assert compare(conversations(3 * len(KINDS))).differences
