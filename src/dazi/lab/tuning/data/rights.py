"""May a sample be used at all? Asked before anything is made of it: whether the person has agreed, was
erased, or said it longer ago than such things are kept; and whether the licence allows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from dazi.lab.tuning.data.cleaning import text_lines
from dazi.lab.tuning.data.recipe import AnySource, Placed
from dazi.lab.tuning.data.samples import Draft
from dazi.lab.tuning.data.work import Refusing, Replay, Step

PEOPLE = frozenset({"thread", "ticket", "tool_log"})
"""Kinds of sources that are somebody's words, and are kept only for so long."""
_CACHED = 100_000


@dataclass(frozen=True, slots=True)
class Agreed:
    """Who has. ``None``: everybody but those who refused."""

    basis: str
    users: frozenset[str] | None
    refused: frozenset[str]

    def by(self, user: str) -> bool:
        return user not in self.refused and (self.users is None or user in self.users)


class Rights:
    """``erased_at``: when somebody was erased, if ever; ``before``: what was said earlier is past its
    time. Times in seconds since the epoch."""

    def __init__(
        self, placed: Placed, erased_at: Callable[[str], float | None], before: float
    ) -> None:
        recipe = placed.recipe
        self._default = [s.licence for s in recipe.sources]
        self._licences = frozenset(recipe.compliance.licences)
        self._agreed = [_agreed(placed, s) for s in recipe.sources]
        self._erased_at = lru_cache(_CACHED)(erased_at)
        self._before = before

    def fault(self, draft: Draft) -> str:
        """Why it may not be used; empty where it may. Writes licence and basis into it."""
        source = draft.sample.source
        licence = source.licence or self._default[draft.of]
        if self._licences and licence not in self._licences:
            return f"licence:{licence}"
        agreed = self._agreed[draft.of]
        if draft.marked:
            if not source.consent:
                return "consent"
        elif source.user:
            if agreed is None or not agreed.by(source.user):
                return "consent"
            erased = self._erased_at(source.user)
            if erased is not None and draft.at <= erased:
                return "erased"
        dated = source.kind in PEOPLE or bool(source.user and draft.at)
        if dated and draft.at < self._before:
            return "expired"
        source.licence = licence
        if not draft.marked:
            source.consent = agreed.basis if agreed is not None else ""
        return ""


def permitted(rights: Rights) -> Step:
    def step(drafts: Replay, refuse: Refusing) -> Iterator[Draft]:
        for draft in drafts():
            if why := rights.fault(draft):
                refuse(draft, why)
            else:
                yield draft

    return step


def _agreed(placed: Placed, source: AnySource) -> Agreed | None:
    given = source.consent
    if given is None:
        return None
    users = _users(placed, given.agreed) if given.agreed else None
    refused = _users(placed, given.refused) if given.refused else frozenset()
    return Agreed(given.basis, users, refused)


def _users(placed: Placed, pattern: str) -> frozenset[str]:
    """A user a line; what follows a comma or a # is a remark. Raises ``ConfigError``."""
    found = (_name(line) for path in placed.files(pattern) for line in text_lines(path))
    return frozenset(filter(None, found))


def _name(line: str) -> str:
    return line.partition("#")[0].partition(",")[0].strip()
