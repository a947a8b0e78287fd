"""Where a request may go: rules by what is in it, who asks, for what, how busy it is and what it costs.

What goes to a cloud leaves the house: with pseudonyms for all that the guard recognises, or not at
all where it holds such things, as the rule says. Without a rule nothing goes there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dazi.core.engine import GenerateRequest
from dazi.guard.engine import Guard
from dazi.guard.hiding import Hider
from dazi.guard.rules import Hidden
from dazi.guard.words import SEVERITIES
from dazi.inference.pool.backend import Backend
from dazi.inference.pool.config import PERSONAL, PLACES, SECRETS, Leaving, PoolConfig, RouteSpec

SECRET = frozenset({"api_key"})
"""Types that are nobody's data and everybody's danger."""
AT_HOME = RouteSpec(name="", to=("private",))
"""What holds where no rule does."""


Groups = tuple[tuple[Backend, ...], ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """``groups`` of servers in order of preference, each of one place and tier. ``rule``: the name of
    the route, empty where none applied. ``refused``: types for the sake of
    which no cloud is asked. ``thinking``: ``None`` leaves it as it was asked for."""

    groups: Groups
    rule: str = ""
    leaving: Leaving = "pseudonymise"
    model: str = ""
    labels: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    thinking: bool | None = None


class Routes:
    """``guard``: what recognises personal data. One for a configuration."""

    def __init__(self, config: PoolConfig, backends: Sequence[Backend], guard: Guard) -> None:
        self._backends = tuple(backends)
        self._guard = guard
        types = frozenset(r.type for r in guard.recognisers)
        self.hidden = Hidden(types, types, types)
        """What a cloud sees pseudonyms of."""
        known = types | {f"word:{s}" for s in SEVERITIES}
        self._all = Hidden(known, known, known)
        self._at_home = Decision(_groups(self._backends, AT_HOME.to))
        self._routes = tuple((r, _groups(self._backends, r.to)) for r in config.routes)

    def decide(self, request: GenerateRequest, tokens: int = 0) -> Decision:
        """``tokens``: about what the prompt has, where a rule asks for it (``counts``)."""
        seen = _Seen(request, self._guard, self._all)
        for route, groups in self._routes:
            if self._holds(route, groups, seen, tokens):
                return _decided(route, groups, seen)
        return replace(self._at_home, model=request.model) if request.model else self._at_home

    @property
    def looks(self) -> bool:
        """Does a rule ask what is in a prompt? That takes a while for a long one."""
        return any(r.when.labels or r.leaving == "refuse" for r, _ in self._routes)

    @property
    def counts(self) -> bool:
        """Does a rule ask how long prompts are?"""
        return any(r.when.tokens for r, _ in self._routes)

    def _holds(self, route: RouteSpec, groups: Groups, seen: _Seen, tokens: int) -> bool:
        when, purpose = route.when, seen.request.purpose
        # Whose request it is may not be known, nor what older results are in it; then what keeps it
        # in the house holds, and no more.
        stays = not _leaves(groups)
        unknown = not purpose.roles and stays
        condensed = purpose.condensed and stays
        return (
            (not when.tasks or purpose.task in when.tasks)
            and (not when.roles or unknown or not purpose.roles.isdisjoint(when.roles))
            and (not when.results or condensed or not seen.results.isdisjoint(when.results))
            and tokens >= when.tokens
            and (not when.load or self._load() >= when.load)
            and (not when.labels or not seen.labels.isdisjoint(when.labels))
        )

    def _load(self) -> float:
        """The share of private places that is taken."""
        places = [b for b in self._backends if b.place == "private" and b.usable and b.tier == 0]
        all_ = sum(b.spec.at_once for b in places)
        return sum(b.under_way for b in places) / all_ if all_ else 1.0


class _Seen:
    """What is in a request, looked for once and only where a rule asks. The same that hides things
    finds them: what would be hidden is what is there."""

    def __init__(self, request: GenerateRequest, guard: Guard, everything: Hidden) -> None:
        self.request = request
        self._guard, self._everything = guard, everything
        self._types: frozenset[str] | None = None

    @property
    def types(self) -> frozenset[str]:
        if self._types is None:
            bare = tuple(replace(m, images=()) for m in self.request.messages)
            hider = Hider(self._guard, self._everything)
            hider.request(replace(self.request, messages=bare))
            self._types = frozenset(hider.pseudonyms.types)
        return self._types

    @property
    def labels(self) -> frozenset[str]:
        types = self.types
        personal = {t for t in types if t not in SECRET and not t.startswith("word:")}
        more = ({PERSONAL} if personal else set()) | ({SECRETS} if types & SECRET else set())
        return types | more

    @property
    def results(self) -> frozenset[str]:
        called = frozenset(c.name for m in self.request.messages for c in m.calls)
        return called | self.request.purpose.results


def _decided(route: RouteSpec, groups: Groups, seen: _Seen) -> Decision:
    refused = frozenset[str]()
    if route.leaving == "refuse" and _leaves(groups) and (refused := seen.types):
        groups = tuple(g for g in groups if g[0].place == "private")
    model = seen.request.model or route.adapter
    labels = seen.labels if route.when.labels else frozenset[str]()
    return Decision(groups, route.name, route.leaving, model, labels, refused, route.thinking)


def _leaves(groups: Groups) -> bool:
    return any(b.place == "cloud" for g in groups for b in g)


def _groups(backends: Sequence[Backend], to: Sequence[str]) -> Groups:
    """By tier, and of one tier in the order of ``to``: a lesser model comes after all better ones."""
    order = {name: i for i, name in enumerate(to)}
    ranked: dict[tuple[int, int, str], list[Backend]] = {}
    for b in backends:
        rank = order.get(b.name, order.get(b.place) if b.place in PLACES else None)
        if rank is not None:
            ranked.setdefault((b.tier, rank, b.place), []).append(b)
    return tuple(tuple(ranked[key]) for key in sorted(ranked))
