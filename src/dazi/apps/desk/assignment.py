"""Who gets a ticket: who can, has the least to do, and has waited longest for one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Agent:
    """``skills``: categories; every one where there are none. ``limit``: so many tickets at once."""

    user: str
    skills: frozenset[str] = frozenset()
    limit: int = 20


@dataclass(frozen=True, slots=True)
class Load:
    """``tickets`` are in somebody's hands; ``last``: when they were given one, 0 for never."""

    tickets: int = 0
    last: float = 0.0


def choose(agents: Iterable[Agent], category: str, loads: Mapping[str, Load]) -> str:
    """The user who gets the next ticket of ``category``; empty where everybody has their fill.

    Those who have the skill come before those who have all of them; then the smaller load, then who
    was given one longest ago, then the name: the same question has the same answer.
    """
    idle = Load()
    able = [
        (not a.skills, load.tickets, load.last, a.user)
        for a in agents
        if (load := loads.get(a.user, idle)).tickets < a.limit
        and (not a.skills or category in a.skills)
    ]
    return min(able)[3] if able else ""
